//! Compares exchanges on the wire with the contract.
//!
//! It is stricter than a public client should be: an answer must not have fields, codes, statuses
//! or content types that the contract does not name. So no new output of an operation goes
//! unnoticed.

mod strict_json;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::Arc,
};

use auth_api::{Contract, Operation, Routed, Security};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE},
};
use jsonschema::{Registry, Validator};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

/// The addresses of the two readings of the document in the registry of schemas; never fetched.
const AS_WRITTEN: &str = "https://latchkey.dev/openapi";
const CLOSED: &str = "https://latchkey.dev/openapi/closed";

/// Characters that a place may contain (a path's braces, say) but a URI's fragment may not (RFC
/// 3986 §3.5).
const NOT_IN_A_FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const PROBLEM: &str = "application/problem+json";
const VALIDATION_FAILED: &str = "VALIDATION_FAILED";

/// One request and its answer, as they passed between a client and the gateway. Not `Debug`: it
/// contains secrets.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The raw path, without the query.
    pub path: &'a str,
    /// The query; empty without one.
    pub query: &'a str,
    /// The request's headers.
    pub request_headers: &'a HeaderMap,
    /// The request's body, as the client sent it.
    pub request_body: &'a [u8],
    /// The answer's status.
    pub status: u16,
    /// The answer's headers.
    pub response_headers: &'a HeaderMap,
    /// The answer's body.
    pub response_body: &'a [u8],
}

/// A difference between an exchange and the contract. It names places, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The operationId; `None` if the contract has no such route.
    pub operation: Option<String>,
    /// The side at fault.
    pub side: Side,
    /// The answer's status.
    pub status: u16,
    /// Such as "header retry-after" or "body /user/email".
    pub place: String,
    /// The fault.
    pub message: String,
}

/// The side at fault for a [`Violation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client: the request does not conform. Tests of bad input want this one.
    Request,
    /// The server: the contract does not name this answer.
    Response,
    /// The answer does not fit the request: valid input was refused as invalid, or a protected
    /// operation ran without a token.
    Exchange,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation.as_deref().unwrap_or("no operation");
        let side = match self.side {
            Side::Request => "request",
            Side::Response => "response",
            Side::Exchange => "exchange",
        };
        let (status, place, message) = (self.status, &self.place, &self.message);
        write!(
            formatter,
            "{operation}, {side} ({status}), {place}: {message}"
        )
    }
}

/// Why a contract cannot be checked against.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct CheckerError {
    place: String,
    reason: String,
}

/// Every schema of a contract, compiled. Make one and share it.
pub struct Checker<'c> {
    contract: &'c Contract,
    operations: BTreeMap<&'c str, Rules>,
}

impl<'c> Checker<'c> {
    /// Compiles the contract's schemas.
    pub fn new(contract: &'c Contract) -> Result<Self, CheckerError> {
        let mut compiler = Compiler::new(contract.as_json())?;
        let operations = contract
            .operations()
            .iter()
            .map(|operation| Ok((operation.operation_id.as_str(), compiler.rules(operation)?)))
            .collect::<Result<_, CheckerError>>()?;
        Ok(Self {
            contract,
            operations,
        })
    }

    /// All differences between an exchange and the contract.
    ///
    /// A preflight (OPTIONS) is the gateway's own matter and never differs.
    #[must_use]
    pub fn check(&self, exchange: &Exchange<'_>) -> Vec<Violation> {
        if exchange.method == "OPTIONS" {
            return Vec::new();
        }
        let routed = self.contract.route(exchange.method, exchange.path);
        let rules = routed.as_ref().and_then(|routed| {
            let rules = self
                .operations
                .get(routed.operation.operation_id.as_str())?;
            Some((routed, rules))
        });
        let mut found = Findings {
            operation: routed
                .as_ref()
                .map(|routed| routed.operation.operation_id.clone()),
            status: exchange.status,
            violations: Vec::new(),
        };
        match rules {
            None => self.check_unrouted(exchange, &mut found),
            Some((routed, rules)) => {
                rules.check_request(exchange, routed, &mut found);
                let conforming = found.violations.is_empty();
                let code = rules.check_response(exchange, &mut found);
                if conforming
                    && code.as_deref() == Some(VALIDATION_FAILED)
                    && !rules.lacks_a_cookie(exchange, routed)
                    && !self.breaks_rules_beyond_schemas(exchange)
                {
                    let message = "the request conforms, and was answered VALIDATION_FAILED";
                    found.add(Side::Exchange, "body", message);
                }
                let went_ahead = (200..400).contains(&exchange.status);
                if went_ahead && lacks_credentials(exchange, routed) {
                    let message = "went ahead without it";
                    found.add(Side::Exchange, "header authorization", message);
                }
            }
        }
        found.violations
    }

    /// Whether an answer names only rules that no schema can express, for instance that a password
    /// is one of the commonest. The schema of a field's error lists them.
    fn breaks_rules_beyond_schemas(&self, exchange: &Exchange<'_>) -> bool {
        let rules = &self.contract.as_json()["components"]["schemas"]["FieldError"]["properties"]["code"]
            ["x-latchkey-beyond-schemas"];
        let rules = rules.as_array().map_or(&[][..], Vec::as_slice);
        let problem: Value = serde_json::from_slice(exchange.response_body).unwrap_or(Value::Null);
        let mut errors = problem["errors"].as_array().into_iter().flatten();
        errors.all(|error| rules.contains(&error["code"]))
    }

    fn check_unrouted(&self, exchange: &Exchange<'_>, found: &mut Findings) {
        let unrouted = self.contract.unrouted();
        if exchange.status != unrouted.status {
            let message = "there is no such route, and the gateway did not say so";
            found.add(Side::Response, "status", message);
        } else if strict_json::parse(exchange.response_body)
            != Ok(json!({ "message": unrouted.message }))
        {
            found.add(Side::Response, "body", "is not the gateway's own");
        }
    }
}

struct Findings {
    operation: Option<String>,
    status: u16,
    violations: Vec<Violation>,
}

impl Findings {
    fn add(&mut self, side: Side, place: impl Into<String>, message: impl Into<String>) {
        self.violations.push(Violation {
            operation: self.operation.clone(),
            side,
            status: self.status,
            place: place.into(),
            message: message.into(),
        });
    }

    fn add_errors(&mut self, side: Side, place: &str, schema: &Validator, value: &Value) {
        for error in schema.iter_errors(value) {
            let place = format!("{place} {}", error.instance_path());
            self.add(side, place.trim_end(), error.masked().to_string());
        }
    }
}

/// One operation's requests and answers.
struct Rules {
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    responses: BTreeMap<u16, Response>,
}

struct Parameter {
    name: String,
    location: Location,
    required: bool,
    text: Text,
}

#[derive(Clone, Copy)]
enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

struct RequestBody {
    required: bool,
    content: BTreeMap<String, Arc<Validator>>,
}

struct Response {
    headers: Vec<Header>,
    content: BTreeMap<String, Media>,
}

struct Header {
    name: String,
    required: bool,
    required_with: Option<String>,
    text: Text,
}

struct Media {
    schema: Arc<Validator>,
    /// The schema of each problem code, if the media type is that of problems.
    by_code: BTreeMap<String, Arc<Validator>>,
}

/// The schema of something that travels as text.
struct Text {
    schema: Arc<Validator>,
    integer: bool,
}

impl Text {
    fn check(&self, text: &str, side: Side, place: &str, found: &mut Findings) {
        let value = match (self.integer, text.parse::<i64>()) {
            (true, Ok(number)) => Value::from(number),
            (true, Err(_)) | (false, _) => Value::from(text),
        };
        found.add_errors(side, place, &self.schema, &value);
    }
}

impl Rules {
    fn check_request(&self, exchange: &Exchange<'_>, routed: &Routed<'_>, found: &mut Findings) {
        let side = Side::Request;
        if lacks_credentials(exchange, routed) {
            found.add(side, "header authorization", "is missing");
        }
        for parameter in &self.parameters {
            let values = parameter.values(exchange, routed);
            let place = format!("parameter {}", parameter.name);
            if values.is_empty() && parameter.required {
                found.add(side, &place, "is missing");
            }
            for value in values {
                parameter.text.check(&value, side, &place, found);
            }
        }
        match &self.body {
            None if exchange.request_body.is_empty() => {}
            None => found.add(side, "body", "is not taken"),
            Some(body) if exchange.request_body.is_empty() => {
                if body.required {
                    found.add(side, "body", "is missing");
                }
            }
            Some(body) => {
                let essence = essence(exchange.request_headers);
                match essence.and_then(|essence| body.content.get(&essence)) {
                    None => found.add(side, "header content-type", "is not taken"),
                    Some(schema) => match read(exchange.request_headers, exchange.request_body) {
                        Err(message) => found.add(side, "body", message),
                        Ok(value) => found.add_errors(side, "body", schema, &value),
                    },
                }
            }
        }
    }

    /// Whether a missing cookie explains the answer's missing field. A body's schema knows no
    /// cookies, so it cannot express that one of the two is required.
    fn lacks_a_cookie(&self, exchange: &Exchange<'_>, routed: &Routed<'_>) -> bool {
        let missing = |parameter: &Parameter| {
            matches!(parameter.location, Location::Cookie)
                && parameter.values(exchange, routed).is_empty()
        };
        let problem: Value = serde_json::from_slice(exchange.response_body).unwrap_or(Value::Null);
        let mut errors = problem["errors"].as_array().into_iter().flatten();
        self.parameters.iter().any(missing) && errors.all(|error| error["code"] == "required")
    }

    /// Returns the problem's code, if the answer is a problem.
    fn check_response(&self, exchange: &Exchange<'_>, found: &mut Findings) -> Option<String> {
        let side = Side::Response;
        let Some(response) = self.responses.get(&exchange.status) else {
            found.add(side, "status", "is not in the contract");
            return None;
        };
        let (essence, code) = response.check_body(exchange, found);
        for header in &response.headers {
            let place = format!("header {}", header.name);
            let mut values = exchange.response_headers.get_all(&header.name).iter();
            let mut present = false;
            for value in &mut values {
                present = true;
                match value.to_str() {
                    Ok(text) => header.text.check(text, side, &place, found),
                    Err(_) => found.add(side, &place, "is not ASCII"),
                }
            }
            let wanted = header.required
                || header.required_with.as_ref().is_some_and(|with| {
                    Some(with) == essence.as_ref() || Some(with) == code.as_ref()
                });
            if wanted && !present {
                found.add(side, &place, "is missing");
            }
        }
        code
    }
}

impl Response {
    fn check_body(
        &self,
        exchange: &Exchange<'_>,
        found: &mut Findings,
    ) -> (Option<String>, Option<String>) {
        let side = Side::Response;
        let essence = essence(exchange.response_headers);
        if self.content.is_empty() {
            if !exchange.response_body.is_empty() {
                found.add(side, "body", "must be empty");
            }
            return (essence, None);
        }
        let Some(media) = essence
            .as_ref()
            .and_then(|essence| self.content.get(essence))
        else {
            found.add(side, "header content-type", "is not in the contract");
            return (essence, None);
        };
        let value = match read(exchange.response_headers, exchange.response_body) {
            Ok(value) => value,
            Err(message) => {
                found.add(side, "body", message);
                return (essence, None);
            }
        };
        if media.by_code.is_empty() {
            found.add_errors(side, "body", &media.schema, &value);
            return (essence, None);
        }
        let code = value.get("code").and_then(Value::as_str).map(str::to_owned);
        if let Some(schema) = code.as_ref().and_then(|code| media.by_code.get(code)) {
            found.add_errors(side, "body", schema, &value);
        } else {
            let code = code.as_deref().unwrap_or("nothing");
            let known: Vec<&str> = media.by_code.keys().map(String::as_str).collect();
            let message = format!("{code} is not one of {}", known.join(", "));
            found.add(side, "body /code", message);
        }
        (essence, code)
    }
}

impl Parameter {
    fn values(&self, exchange: &Exchange<'_>, routed: &Routed<'_>) -> Vec<String> {
        match self.location {
            Location::Path => routed
                .path_parameters
                .get(&self.name)
                .cloned()
                .into_iter()
                .collect(),
            Location::Query => exchange
                .query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decoded(name), decoded(value)))
                .filter(|(name, _)| *name == self.name)
                .map(|(_, value)| value)
                .collect(),
            Location::Header => texts(exchange.request_headers, &self.name).collect(),
            Location::Cookie => texts(exchange.request_headers, COOKIE.as_str())
                .flat_map(|field| {
                    field
                        .split(';')
                        .filter_map(|pair| pair.trim().split_once('='))
                        .filter(|(name, _)| *name == self.name)
                        .map(|(_, value)| value.to_owned())
                        .collect::<Vec<_>>()
                })
                .collect(),
        }
    }
}

fn texts(headers: &HeaderMap, name: &str) -> impl Iterator<Item = String> {
    headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The media type of a content type, without its parameters.
fn essence(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next().unwrap_or_default();
    Some(essence.trim().to_ascii_lowercase())
}

/// A body as its media type is read: a form by its fields, a page as one text, and everything else
/// as JSON.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    match essence(headers).as_deref() {
        Some("application/x-www-form-urlencoded") => {
            let mut fields = serde_json::Map::new();
            for (name, value) in form_urlencoded::parse(body) {
                if fields.insert(name.into_owned(), value.into()).is_some() {
                    return Err("names a field twice".to_owned());
                }
            }
            Ok(Value::Object(fields))
        }
        Some("text/html") => String::from_utf8(body.to_vec())
            .map(Value::from)
            .map_err(|_| "is not UTF-8".to_owned()),
        Some(_) | None => strict_json::parse(body).map_err(str::to_owned),
    }
}

/// Turns the document's schemas into validators, each once.
struct Compiler<'d> {
    document: &'d Value,
    registry: Registry<'static>,
    compiled: BTreeMap<String, Arc<Validator>>,
}

impl<'d> Compiler<'d> {
    fn new(document: &'d Value) -> Result<Self, CheckerError> {
        let mut closed = document.clone();
        close_answers(&mut closed);
        let registry = Registry::new()
            .add(AS_WRITTEN, document.clone())
            .and_then(|registry| registry.add(CLOSED, closed))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| unusable("the document", &error))?;
        Ok(Self {
            document,
            registry,
            compiled: BTreeMap::new(),
        })
    }

    fn rules(&mut self, operation: &Operation) -> Result<Rules, CheckerError> {
        let place = format!(
            "/paths/{}/{}",
            escaped(&operation.path),
            operation.method.as_str().to_ascii_lowercase()
        );
        let (item, _) = self.resolve(&place)?;
        let parameters = item["parameters"].as_array().map_or(0, Vec::len);
        let parameters = (0..parameters)
            .map(|index| self.parameter(&format!("{place}/parameters/{index}")))
            .collect::<Result<_, _>>()?;
        let body = match item.get("requestBody") {
            None => None,
            Some(_) => Some(self.request_body(&format!("{place}/requestBody"))?),
        };
        let responses = keys(&item["responses"])
            .map(|status| {
                let response = self.response(&format!("{place}/responses/{status}"))?;
                let status = status
                    .parse()
                    .map_err(|error| unusable(&place, &format!("status {status}: {error}")))?;
                Ok((status, response))
            })
            .collect::<Result<_, _>>()?;
        Ok(Rules {
            parameters,
            body,
            responses,
        })
    }

    fn parameter(&mut self, place: &str) -> Result<Parameter, CheckerError> {
        let (parameter, place) = self.resolve(place)?;
        let location = match parameter["in"].as_str() {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            Some("cookie") => Location::Cookie,
            Some(_) | None => return Err(unusable(&place, &"has no known location")),
        };
        Ok(Parameter {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            location,
            required: parameter["required"] == true,
            text: self.text(&place)?,
        })
    }

    fn request_body(&mut self, place: &str) -> Result<RequestBody, CheckerError> {
        let (body, place) = self.resolve(place)?;
        let content = keys(&body["content"])
            .map(|media| {
                let schema = format!("{place}/content/{}/schema", escaped(media));
                Ok((
                    media.clone(),
                    self.compile(&schema_at(AS_WRITTEN, &schema))?,
                ))
            })
            .collect::<Result<_, _>>()?;
        Ok(RequestBody {
            required: body["required"] == true,
            content,
        })
    }

    fn response(&mut self, place: &str) -> Result<Response, CheckerError> {
        let (response, place) = self.resolve(place)?;
        let headers = keys(&response["headers"])
            .map(|name| self.header(name, &format!("{place}/headers/{name}")))
            .collect::<Result<_, _>>()?;
        let content = keys(&response["content"])
            .map(|media| {
                let schema = format!("{place}/content/{}/schema", escaped(media));
                let by_code = if media == PROBLEM {
                    self.by_code(&schema)?
                } else {
                    BTreeMap::new()
                };
                let media_rule = Media {
                    schema: self.compile(&schema_at(CLOSED, &schema))?,
                    by_code,
                };
                Ok((media.clone(), media_rule))
            })
            .collect::<Result<_, _>>()?;
        Ok(Response { headers, content })
    }

    fn header(&mut self, name: &str, place: &str) -> Result<Header, CheckerError> {
        let (header, place) = self.resolve(place)?;
        Ok(Header {
            name: name.to_ascii_lowercase(),
            required: header["required"] == true,
            required_with: header["x-latchkey-required-with"]
                .as_str()
                .map(str::to_owned),
            text: self.text(&place)?,
        })
    }

    fn text(&mut self, place: &str) -> Result<Text, CheckerError> {
        let place = format!("{place}/schema");
        let (schema, _) = self.resolve(&place)?;
        Ok(Text {
            integer: schema["type"] == "integer",
            schema: self.compile(&schema_at(AS_WRITTEN, &place))?,
        })
    }

    /// One validator for each problem that a schema admits, so that a message refers to the
    /// intended problem.
    fn by_code(&mut self, place: &str) -> Result<BTreeMap<String, Arc<Validator>>, CheckerError> {
        let (schema, place) = self.resolve(place)?;
        let alternatives = match schema["oneOf"].as_array() {
            None => vec![place],
            Some(alternatives) => (0..alternatives.len())
                .map(|index| format!("{place}/oneOf/{index}"))
                .collect(),
        };
        alternatives
            .iter()
            .map(|alternative| {
                let (problem, place) = self.resolve(alternative)?;
                let code = problem["allOf"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .find_map(|part| part["properties"]["code"]["const"].as_str())
                    .ok_or_else(|| unusable(&place, &"is a problem without a code"))?;
                let mut schema = schema_at(CLOSED, &place);
                close(&mut schema);
                Ok((code.to_owned(), self.compile(&schema)?))
            })
            .collect()
    }

    fn compile(&mut self, schema: &Value) -> Result<Arc<Validator>, CheckerError> {
        match self.compiled.entry(schema.to_string()) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(vacant) => {
                let validator = jsonschema::draft202012::options()
                    .with_registry(&self.registry)
                    .should_validate_formats(true)
                    .build(schema)
                    .map_err(|error| unusable(vacant.key(), &error))?;
                Ok(Arc::clone(vacant.insert(Arc::new(validator))))
            }
        }
    }

    /// The value at a place, through any references, and its real place.
    fn resolve(&self, place: &str) -> Result<(&'d Value, String), CheckerError> {
        let value = self
            .document
            .pointer(place)
            .ok_or_else(|| unusable(place, &"there is nothing there"))?;
        match value.get("$ref").and_then(Value::as_str) {
            None => Ok((value, place.to_owned())),
            Some(reference) => {
                let target = reference
                    .strip_prefix('#')
                    .ok_or_else(|| unusable(place, &"refers to another document"))?;
                self.resolve(target)
            }
        }
    }
}

fn schema_at(document: &str, place: &str) -> Value {
    let fragment = utf8_percent_encode(place, NOT_IN_A_FRAGMENT);
    json!({ "$ref": format!("{document}#{fragment}") })
}

/// Refuses answers with a field that the contract does not name, at any depth. Requests stay open:
/// unknown fields are ignored.
fn close_answers(document: &mut Value) {
    for schema in values_mut(&mut document["components"]["schemas"]) {
        close_parts(schema);
    }
    close_contents(&mut document["components"]["responses"]);
    for operation in values_mut(&mut document["paths"]).flat_map(values_mut) {
        close_contents(&mut operation["responses"]);
    }
}

fn close_contents(responses: &mut Value) {
    for media in values_mut(responses)
        .filter_map(|response| response.get_mut("content"))
        .flat_map(values_mut)
    {
        close(&mut media["schema"]);
    }
}

fn close(schema: &mut Value) {
    close_parts(schema);
    if let Some(schema) = schema.as_object_mut()
        && !schema.contains_key("additionalProperties")
    {
        schema.insert("unevaluatedProperties".to_owned(), false.into());
    }
}

fn close_parts(schema: &mut Value) {
    for property in schema
        .get_mut("properties")
        .into_iter()
        .flat_map(values_mut)
    {
        close(property);
    }
    if let Some(items) = schema.get_mut("items") {
        close(items);
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for part in schema
            .get_mut(keyword)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            close_parts(part);
        }
    }
}

fn values_mut(map: &mut Value) -> impl Iterator<Item = &mut Value> {
    map.as_object_mut()
        .into_iter()
        .flat_map(|map| map.values_mut())
}

fn keys(map: &Value) -> impl Iterator<Item = &String> {
    map.as_object().into_iter().flat_map(|map| map.keys())
}

/// A key as a part of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unusable(place: &str, reason: &dyn fmt::Display) -> CheckerError {
    CheckerError {
        place: place.to_owned(),
        reason: reason.to_string(),
    }
}

/// Whether a request has no credentials for its operation's security scheme. A signature may be in
/// the query too.
fn lacks_credentials(exchange: &Exchange<'_>, routed: &Routed<'_>) -> bool {
    let in_its_header = exchange.request_headers.contains_key(AUTHORIZATION);
    match routed.operation.security {
        Security::Public | Security::OptionalJwt => false,
        Security::Jwt { .. } => !in_its_header,
        Security::Iam => !in_its_header && !exchange.query.contains("X-Amz-Signature="),
    }
}
