//! The HTTP door: an API Gateway event of payload format 2.0 in, its answer out.

use std::net::{IpAddr, SocketAddr};

use auth_domain::{Caller, FieldProblem, FrontDoor, LimitState, Principal, Problem};
use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    Exchange, Fields, Invocation, Operation, ProblemDetails,
    door::{Door, Opened},
    exchange::{Sender, caller_from_claims},
    parse_object,
    problem_details::{retry_after_seconds, status},
};

/// The largest accepted body, in bytes. The largest input of the contract, a refresh token, has 4
/// KB.
const LARGEST_BODY: usize = 16 * 1024;

/// The header field by which CloudFront proves that a request came through it.
const ORIGIN_PROOF: &str = "x-origin-verify";

/// Reads the event. `None` for a request that bypassed the front door.
pub(crate) fn open<O: Operation>(
    event: &RawValue,
    front_door: &FrontDoor,
    invocation: &Invocation,
) -> Option<Opened> {
    let lambda_request_id = || invocation.request_id.clone();
    let request = match serde_json::from_str::<ApiGatewayV2httpRequest>(event.get()) {
        Ok(request) => request,
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            tracing::warn!(line, column, "not an API Gateway event");
            let exchange = Exchange::new(lambda_request_id(), Door::Http, None, Sender::default());
            return Some((exchange, Err(Problem::ValidationFailed(Vec::new()))));
        }
    };
    if !came_rightly(&request, front_door) {
        return None;
    }
    let request_id = request.request_context.request_id.clone();
    let exchange = Exchange::new(
        request_id.unwrap_or_else(lambda_request_id),
        Door::Http,
        caller(&request),
        sender(&request, front_door),
    );
    Some((exchange, fields::<O>(&request)))
}

/// Whether the request came by the way that this deployment requires: through CloudFront, if that
/// is in front, because the firewall is there. A request that an IAM principal signed is exempt:
/// its signature covers the API's own host, so it cannot pass through CloudFront.
fn came_rightly(request: &ApiGatewayV2httpRequest, front_door: &FrontDoor) -> bool {
    !front_door.is_guarded()
        || came_through_cloudfront(request, front_door)
        || is_known_to_iam(request)
}

fn is_known_to_iam(request: &ApiGatewayV2httpRequest) -> bool {
    let authorizer = request.request_context.authorizer.as_ref();
    authorizer.is_some_and(|authorizer| authorizer.iam.is_some())
}

fn principal(request: &ApiGatewayV2httpRequest) -> Option<Principal> {
    let authorizer = request.request_context.authorizer.as_ref()?;
    authorizer.iam.as_ref()?.user_arn.as_deref()?.parse().ok()
}

fn came_through_cloudfront(request: &ApiGatewayV2httpRequest, front_door: &FrontDoor) -> bool {
    let proof = request.headers.get(ORIGIN_PROOF);
    proof
        .and_then(|proof| proof.to_str().ok())
        .is_some_and(|proof| front_door.is_proved_by(proof))
}

/// The answer to a request that came by another way. It is API Gateway's own, as if no route
/// existed.
pub(crate) fn forbidden() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 403;
    response.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    set_fixed(&mut response.headers);
    response.body = Some(Body::Text(r#"{"message":"Forbidden"}"#.to_owned()));
    response
}

/// Facts about the request's sender.
fn sender(request: &ApiGatewayV2httpRequest, front_door: &FrontDoor) -> Sender {
    let text = |name: &str| {
        request
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let cookies = request
        .cookies
        .iter()
        .flatten()
        .filter_map(|cookie| cookie.split_once('='));
    Sender {
        conversation: None,
        gateway: None,
        source_ip: request
            .request_context
            .http
            .source_ip
            .as_deref()
            .and_then(|ip| ip.parse::<IpAddr>().ok()),
        viewer_address: text("cloudfront-viewer-address")
            .and_then(|address| viewer_address(&address)),
        came_through_cloudfront: came_through_cloudfront(request, front_door),
        cookies: cookies
            .map(|(name, value)| (trimmed(name), trimmed(value)))
            .collect(),
        host: text("host"),
        path: request.raw_path.clone(),
        origin: text("origin"),
        fetch_site: text("sec-fetch-site"),
        bearer_token: text("authorization").map(|value| bearer_token(&value)),
        viewer_country: text("cloudfront-viewer-country"),
        user_agent: text("user-agent"),
        accept_language: text("accept-language"),
        accepts_html: text("accept").is_some_and(|types| types.contains("text/html")),
        is_known_to_iam: is_known_to_iam(request),
        principal: principal(request),
    }
}

/// A cookie's name or value without the white space that RFC 6265 §5.2 removes. Other white space
/// belongs to the name: browsers let every host set a cookie whose name has it before `__Host-`.
fn trimmed(text: &str) -> String {
    text.trim_matches([' ', '\t']).to_owned()
}

/// The token of an `Authorization` field (RFC 6750 §2.1). Any other scheme becomes an invalid
/// token: a request with credentials must not pass as one without.
pub(crate) fn bearer_token(value: &str) -> String {
    let (scheme, token) = value.trim().split_once(' ').unwrap_or(("", value));
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if is_bearer { token.trim() } else { "" }.to_owned()
}

/// `CloudFront-Viewer-Address` is `ip:port`, and writes IPv6 without brackets.
fn viewer_address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.rsplit_once(':')?;
    Some(SocketAddr::new(
        ip.trim_matches(['[', ']']).parse().ok()?,
        port.parse().ok()?,
    ))
}

/// The caller that the authorizer admitted.
fn caller(request: &ApiGatewayV2httpRequest) -> Option<Caller> {
    let claims = &request
        .request_context
        .authorizer
        .as_ref()?
        .jwt
        .as_ref()?
        .claims;
    let claims: Map<String, Value> = claims
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    caller_from_claims(&claims)
}

/// The operation's input: the body's fields, or the query of a GET; and path parameters. The body
/// of a GET has no meaning (RFC 9110 §9.3.1), and that of a DELETE only if the operation declares
/// it.
///
/// An operation takes either JSON or a form, never both.
fn fields<O: Operation>(request: &ApiGatewayV2httpRequest) -> Result<Fields, Problem> {
    // Other methods read no query: it would be a second source beside the body, and URLs end up in
    // logs.
    let method = &request.request_context.http.method;
    let mut fields = if method == Method::GET {
        let query = &request.query_string_parameters;
        let mut fields = Fields::new(Map::new());
        for (name, _) in query.iter() {
            // Several values are one text with commas, as in the event, and no field of ours holds
            // a comma.
            let values = query.all(name).unwrap_or_default().join(",");
            fields.set(name, values.into());
        }
        fields
    } else if method == Method::DELETE && !O::DELETES_BY_BODY {
        Fields::new(Map::new())
    } else {
        body_fields(request, O::TAKES_FORM)?
    };
    for (name, value) in &request.path_parameters {
        fields.set(name, value.as_str().into());
    }
    Ok(fields)
}

fn body_fields(request: &ApiGatewayV2httpRequest, takes_form: bool) -> Result<Fields, Problem> {
    let body = body(request)?;
    if body.is_empty() {
        Ok(Fields::new(Map::new()))
    } else if takes_form {
        if is_of_type(&request.headers, "application/x-www-form-urlencoded") {
            form_fields(&body)
        } else {
            Err(Problem::UnsupportedMediaType)
        }
    } else if is_of_type(&request.headers, "application/json") {
        let text = std::str::from_utf8(&body).map_err(|_| {
            Problem::ValidationFailed(vec![FieldProblem {
                field: "body".to_owned(),
                code: "type",
                message: "must be UTF-8".to_owned(),
            }])
        })?;
        parse_object(text)
    } else {
        Err(Problem::UnsupportedMediaType)
    }
}

/// The fields of a form (WHATWG URL §5.1). Each may occur once.
fn form_fields(body: &[u8]) -> Result<Fields, Problem> {
    let mut form = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        if form
            .insert(name.into_owned(), value.into_owned().into())
            .is_some()
        {
            return Err(Problem::ValidationFailed(vec![FieldProblem {
                field: "body".to_owned(),
                code: "duplicate",
                message: "must not name a field twice".to_owned(),
            }]));
        }
    }
    Ok(Fields::new(form))
}

fn body(request: &ApiGatewayV2httpRequest) -> Result<Vec<u8>, Problem> {
    let text = request.body.as_deref().unwrap_or_default();
    // Base64 grows by a third. The size is checked before decoding, so a large body costs nothing.
    let largest = if request.is_base64_encoded {
        LARGEST_BODY.div_ceil(3) * 4
    } else {
        LARGEST_BODY
    };
    if text.len() > largest {
        return Err(Problem::PayloadTooLarge);
    }
    if !request.is_base64_encoded {
        return Ok(text.as_bytes().to_vec());
    }
    let bytes = STANDARD.decode(text).map_err(|_| {
        Problem::ValidationFailed(vec![FieldProblem {
            field: "body".to_owned(),
            code: "type",
            message: "must be base64 where the event says so".to_owned(),
        }])
    })?;
    if bytes.len() > LARGEST_BODY {
        Err(Problem::PayloadTooLarge)
    } else {
        Ok(bytes)
    }
}

/// Whether the body's own header has this media type. A body without one has none: browsers let
/// other sites send those without a preflight (ASVS 5.0 3.5.2).
fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let Some(media_type) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(wanted)
}

const HTML: &str = "text/html; charset=utf-8";

/// The answer to a success. `body` is JSON.
pub(crate) fn success(status: u16, body: String, exchange: &Exchange) -> ApiGatewayV2httpResponse {
    if let Some(page) = exchange.page() {
        return answer(status, HTML, Some(page), exchange);
    }
    let body = (!matches!(status, 204 | 302 | 303)).then_some(body);
    answer(status, "application/json; charset=utf-8", body, exchange)
}

/// The answer to a problem.
pub(crate) fn refusal(problem: &Problem, exchange: &Exchange) -> ApiGatewayV2httpResponse {
    if let Problem::MaxAttemptsExceeded(spent) = problem {
        exchange.rate_limit(*spent);
    }
    let (content_type, body) = exchange.page().map_or_else(
        || {
            let details = ProblemDetails::new(problem, exchange.request_id());
            let details = serde_json::to_string(&details).unwrap_or_default();
            ("application/problem+json; charset=utf-8", details)
        },
        |page| (HTML, page),
    );
    let mut response = answer(status(problem), content_type, Some(body), exchange);
    if let Some(seconds) = retry_after_seconds(problem) {
        response
            .headers
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if matches!(problem, Problem::AuthRequired | Problem::ConsentRequired(_)) {
        // RFC 6750 §3: a 401 says how to authenticate.
        response
            .headers
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn answer(
    status: u16,
    content_type: &'static str,
    body: Option<String>,
    exchange: &Exchange,
) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(status);
    let headers = &mut response.headers;
    if body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    set_fixed(headers);
    let limits = exchange.limits();
    if !limits.is_empty() {
        set(
            headers,
            "ratelimit-policy",
            &list(&limits, |state| {
                format!(
                    "\"{}\";q={};w={}",
                    state.limit.name,
                    state.limit.quota,
                    state.limit.window.as_secs()
                )
            }),
        );
        set(
            headers,
            "ratelimit",
            &list(&limits, |state| {
                format!(
                    "\"{}\";r={};t={}",
                    state.limit.name, state.remaining, state.reset_seconds
                )
            }),
        );
    }
    for (name, value) in exchange.headers() {
        set(headers, name, &value);
    }
    response.cookies = exchange.set_cookie_headers();
    response.body = body.map(Body::Text);
    response
}

/// The fields of every answer.
fn set_fixed(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Our URLs may contain secrets that only this browser should know.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    // Two years, subdomains included (ASVS 5.0 3.4.1 asks for one).
    headers.insert(
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    );
}

/// A structured field's list (RFC 9651), as draft-ietf-httpapi-ratelimit-headers wants it.
fn list(limits: &[LimitState], item: impl Fn(&LimitState) -> String) -> String {
    limits.iter().map(item).collect::<Vec<_>>().join(", ")
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_address_is_read_in_both_families() {
        assert_eq!(
            viewer_address("203.0.113.7:46532")
                .unwrap()
                .ip()
                .to_string(),
            "203.0.113.7"
        );
        assert_eq!(
            viewer_address("2001:db8::7:46532")
                .unwrap()
                .ip()
                .to_string(),
            "2001:db8::7"
        );
        assert_eq!(viewer_address("203.0.113.7"), None);
        assert_eq!(viewer_address("nonsense:1"), None);
    }
}
