//! Requests made from the contract itself, so that a new operation is tested like all others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use auth_api::{Contract, Operation, Security, Segment};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;

use serde_json::{Value, json};

use crate::harness::{Answer, Browser, SignedIn, TestWorld};

/// An operation with the first of its contract's examples.
pub(crate) struct Sample {
    pub(crate) operation: &'static Operation,
    pub(crate) method: Method,
    /// With the contract's examples in its parameters' places.
    pub(crate) path: String,
    /// `None` for an operation without a body.
    pub(crate) body: Option<Value>,
    pub(crate) fields: Vec<Field>,
    parameters: BTreeMap<&'static str, &'static str>,
}

/// A member of an operation's body.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    schema: &'static Value,
}

/// Operations whose samples end a session.
const ENDS_SESSIONS: [&str; 2] = ["end-other-sessions", "logout-user"];

impl Sample {
    /// Every operation of the contract.
    pub(crate) fn all() -> Vec<Self> {
        Contract::embedded()
            .operations()
            .iter()
            .map(Self::of)
            .collect()
    }

    /// Those behind the JWT authorizer.
    pub(crate) fn behind_the_authorizer() -> Vec<Self> {
        let mut samples = Self::all();
        samples.retain(Self::needs_token);
        assert!(!samples.is_empty());
        samples
    }

    /// Those of the people who help guests.
    pub(crate) fn of_operators() -> Vec<Self> {
        let mut samples = Self::all();
        samples.retain(|sample| sample.path.starts_with("/admin/"));
        assert!(!samples.is_empty());
        samples
    }

    /// Samples of operations that take an access token, checked by the gateway or by the operation.
    fn with_a_token() -> Vec<Self> {
        let mut samples = Self::all();
        samples.retain(|sample| match sample.operation.security {
            Security::Jwt { .. } | Security::OptionalJwt => true,
            Security::Public | Security::Iam => false,
        });
        samples
    }

    /// The same without those that end sessions, the caller's or another's.
    pub(crate) fn going_on_behind_the_authorizer() -> Vec<Self> {
        let mut samples = Self::behind_the_authorizer();
        samples.retain(|sample| !ENDS_SESSIONS.contains(&sample.name()));
        samples
    }

    /// Those that take a body.
    pub(crate) fn with_a_body() -> Vec<Self> {
        let mut samples = Self::all();
        samples.retain(|sample| sample.body.is_some());
        assert!(!samples.is_empty());
        samples
    }

    pub(crate) fn needs_token(&self) -> bool {
        match self.operation.security {
            Security::Jwt { .. } => true,
            Security::Public | Security::OptionalJwt | Security::Iam => false,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        &self.operation.name
    }

    fn of(operation: &'static Operation) -> Self {
        let document = Contract::embedded().as_json();
        let method = operation.method.as_str();
        let described = &document["paths"][&operation.path][method.to_lowercase()];
        let body = &described["requestBody"]["content"]["application/json"];
        // An example that ends every session would spoil the requests after it.
        let example = body["examples"].as_object().and_then(|examples| {
            let mut values = examples.values().map(|example| &example["value"]);
            values.find(|value| value["everywhere"] != true).cloned()
        });
        let schema = resolved(&body["schema"]);
        // If one of several ways of asking must be chosen, a body without any of them lacks the
        // first.
        let required = schema["required"].as_array().into_iter().flatten();
        let chosen = schema["anyOf"][0]["required"]
            .as_array()
            .into_iter()
            .flatten();
        let required: Vec<&Value> = required.chain(chosen).collect();
        let properties = schema["properties"].as_object();
        let parameters: BTreeMap<&str, &str> = described["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(resolved)
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| {
                Some((parameter["name"].as_str()?, parameter["example"].as_str()?))
            })
            .collect();
        let segments = operation.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Parameter(name) => format!("/{}", parameters[name.as_str()]),
        });
        Self {
            operation,
            method: method.parse().unwrap(),
            path: segments.collect(),
            body: example,
            fields: properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| Field {
                    name,
                    required: required.iter().any(|one| *one == name),
                    schema: resolved(schema),
                })
                .collect(),
            parameters,
        }
    }

    /// The example as a direct invocation brings it, without claims.
    pub(crate) fn event(&self) -> Value {
        let mut event = self.body.clone().unwrap_or_else(|| json!({}));
        for (name, value) in &self.parameters {
            event[name] = (*value).into();
        }
        event
    }

    /// Whether the path belongs to the operation's route: `/me/passkeys/verify` looks like a
    /// passkey too.
    pub(crate) fn takes(&self, path: &str) -> bool {
        let segments = &self.operation.segments;
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        parts.len() == segments.len()
            && segments
                .iter()
                .zip(parts)
                .all(|(segment, part)| match segment {
                    Segment::Literal(literal) => literal == part,
                    Segment::Parameter(_) => !part.is_empty(),
                })
    }

    /// Sends the example.
    pub(crate) async fn send(&self, browser: &mut Browser<'_>) -> Answer {
        let body = self.body.as_ref().map(Value::to_string);
        self.send_bytes(browser, body.unwrap_or_default().into_bytes())
            .await
    }

    /// Sends a body of the caller's as JSON.
    pub(crate) async fn send_json(&self, browser: &mut Browser<'_>, body: &Value) -> Answer {
        self.send_bytes(browser, body.to_string().into_bytes())
            .await
    }

    /// Sends bytes that call themselves JSON.
    pub(crate) async fn send_bytes(&self, browser: &mut Browser<'_>, body: Vec<u8>) -> Answer {
        let headers = [("content-type", "application/json")];
        browser
            .send(self.method.clone(), &self.path, &headers, body)
            .await
    }
}

impl Field {
    /// Whether the contract allows the member this JSON type.
    pub(crate) fn may_be(&self, kind: &str) -> bool {
        let choices = self.schema["oneOf"].as_array();
        match choices {
            Some(choices) => choices
                .iter()
                .any(|choice| resolved(choice)["type"] == kind),
            None => match &self.schema["type"] {
                Value::Array(kinds) => kinds.iter().any(|one| one == kind),
                Value::String(one) => one == kind,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
            },
        }
    }
}

/// A schema with its references resolved.
fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.trim_start_matches('#');
            let target = Contract::embedded().as_json().pointer(pointer);
            resolved(target.expect("a reference leads somewhere"))
        }
        None => schema,
    }
}

/// A token's claims, not verified yet.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// A token's header.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a signed token");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

impl TestWorld {
    /// A token of the pool's with other claims, which the pool never issues.
    pub(crate) fn signed_with(&self, token: &str, changes: &Value) -> String {
        let mut claims = claims(token);
        let changes = changes.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(changes);
        let signed = self
            .cognito()
            .sign_access_token(&self.ready().user_pool_id, &claims);
        signed.expect("the pool signs")
    }
}

/// Exchanges a refresh token in the body.
pub(crate) async fn refresh(browser: &mut Browser<'_>, token: &str) -> Answer {
    browser
        .post("/auth/refresh", json!({ "refreshToken": token }))
        .await
}

/// Fails unless a refresh was refused for this cause.
#[track_caller]
pub(crate) fn expect_refused_refresh(answer: &Answer, cause: &str) {
    answer.expect_problem(401, "INVALID_REFRESH_TOKEN");
    assert_eq!(answer["cause"], cause);
}

/// Whether `/me` accepts an access token.
pub(crate) async fn opens(world: &TestWorld, access_token: &str) -> bool {
    let mut browser = world.browser();
    browser.bearer(access_token);
    let answer = browser.get("/me").await;
    if answer.status != 200 {
        answer.expect_problem(401, "AUTH_REQUIRED");
    }
    answer.status == 200
}

/// Every operation that takes an access token by the contract refuses this one, over HTTP and
/// directly. A new operation is included without a change here.
pub(crate) async fn assert_refused_everywhere(world: &TestWorld, access_token: &str) {
    let mut browser = world.browser();
    browser.bearer(access_token);
    for sample in Sample::with_a_token() {
        let refused = sample.send(&mut browser).await;
        assert_eq!(
            refused["code"],
            "AUTH_REQUIRED",
            "{} {}",
            sample.name(),
            refused.body
        );
        refused.expect_status(401);
        let mut event = sample.event();
        event["claims"] = claims(access_token);
        let direct = world.invoke(sample.name(), &event).await;
        assert_eq!(
            direct["error"]["code"],
            "AUTH_REQUIRED",
            "{}",
            sample.name()
        );
    }
}

/// The session that an access token is of.
pub(crate) fn session_of(access_token: &str) -> String {
    let claims = claims(access_token);
    claims["origin_jti"].as_str().expect("a session").to_owned()
}

/// How often a metric was counted by now.
pub(crate) fn counted(world: &TestWorld, metric: &str) -> u64 {
    let lines = world.logs();
    let lines = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter_map(|line| line[metric].as_u64()).sum()
}

/// Authenticates a browser for an operation that requires it.
pub(crate) fn authorize(browser: &mut Browser<'_>, sample: &Sample, guest: &SignedIn<'_>) {
    browser.signs = sample.operation.security == Security::Iam;
    if sample.needs_token() {
        browser.bearer(&guest.access_token);
    } else {
        browser.always("authorization", "");
    }
}

/// The fields that a problem names.
pub(crate) fn named_fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.filter_map(|error| error["field"].as_str()).collect()
}

/// A world that records its functions' events.
pub(crate) async fn probed() -> (TestWorld, Arc<Mutex<Vec<Value>>>) {
    let events = Arc::<Mutex<Vec<Value>>>::default();
    let probe = events.clone();
    let world = TestWorld::start_with(|options| {
        options.watchers.event = Some(Arc::new(move |_, event| {
            probe
                .lock()
                .unwrap()
                .push(serde_json::from_str(event.get()).unwrap());
        }));
    })
    .await;
    (world, events)
}

/// An answer without the parts that differ for each request.
pub(crate) fn form(answer: &Answer) -> (u16, BTreeMap<String, String>, Value) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
        if let Some(challenge) = members.get_mut("challenge") {
            challenge["signature"].take();
            for random in ["nonce", "salt", "data"] {
                challenge["parameters"][random].take();
            }
        }
    }
    let headers = answer.headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name != "apigw-requestid" && name != "date"
    });
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (answer.status, headers.collect(), body)
}
