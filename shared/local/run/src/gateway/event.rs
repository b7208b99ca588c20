//! The event of payload format 2.0 that API Gateway makes of an HTTP request.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use auth_api::Routed;
use auth_domain::Timestamp;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use time::macros::format_description;
use url::form_urlencoded;

use super::authorizer::Authorized;
use super::signature::Signer;
use crate::functions::trace_id;
use crate::world::account::{ACCOUNT_ID, API_ID, REGION};

/// The parts of an event.
pub(super) struct Received<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) peer: SocketAddr,
    pub(super) routed: &'a Routed<'a>,
    pub(super) admitted: Option<&'a Admitted>,
    pub(super) request_id: &'a str,
    pub(super) at: Timestamp,
}

/// The admitted caller, from the event.
#[derive(Serialize)]
pub(super) enum Admitted {
    /// The holder of a token.
    #[serde(rename = "jwt")]
    Jwt(Authorized),
    /// The signer.
    #[serde(rename = "iam")]
    Iam(Signer),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: &'a BTreeMap<String, String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Admitted>,
    domain_name: String,
    domain_prefix: &'static str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: String,
}

impl Received<'_> {
    /// The event. Absent members are omitted, not null.
    pub(super) fn to_event(&self) -> serde_json::Result<Box<RawValue>> {
        let operation = self.routed.operation;
        let route_key = format!("{} {}", operation.method.as_str(), operation.path);
        // Decoded, despite its name, as in captured events of HTTP APIs.
        let raw_path = self.routed.path.as_str();
        let (body, is_base64_encoded) = self.body();
        to_raw_value(&Event {
            version: "2.0",
            route_key: &route_key,
            raw_path,
            raw_query_string: self.parts.uri.query().unwrap_or_default(),
            cookies: cookies(&self.parts.headers),
            headers: self.headers(),
            query_string_parameters: query_parameters(self.parts.uri.query().unwrap_or_default()),
            request_context: RequestContext {
                account_id: ACCOUNT_ID,
                api_id: API_ID,
                authorizer: self.admitted,
                domain_name: format!("{API_ID}.execute-api.{REGION}.amazonaws.com"),
                domain_prefix: API_ID,
                http: Http {
                    method: self.parts.method.as_str(),
                    path: raw_path,
                    protocol: "HTTP/1.1",
                    source_ip: self.peer.ip().to_string(),
                    user_agent: text(&self.parts.headers, &USER_AGENT),
                },
                request_id: self.request_id,
                route_key: &route_key,
                stage: "$default",
                time: common_log_time(self.at),
                time_epoch: self.at.as_millis(),
            },
            body,
            path_parameters: &self.routed.path_parameters,
            is_base64_encoded,
        })
    }

    /// Names in lower case, values of one name joined by commas, without the cookies, and with the
    /// gateway's own headers.
    fn headers(&self) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        for name in self.parts.headers.keys().filter(|name| **name != COOKIE) {
            headers.insert(name.as_str().to_owned(), text(&self.parts.headers, name));
        }
        let length = self.body.len().to_string();
        headers.insert(CONTENT_LENGTH.as_str().to_owned(), length);
        let peer = self.peer.ip().to_string();
        headers
            .entry("x-forwarded-for".to_owned())
            .and_modify(|list| *list = format!("{list}, {peer}"))
            .or_insert(peer);
        let port = headers
            .get(HOST.as_str())
            .and_then(|host| host.rsplit_once(':'));
        let port = port.map_or("80", |(_, port)| port).to_owned();
        headers.insert("x-forwarded-port".to_owned(), port);
        headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
        headers
            .entry("x-amzn-trace-id".to_owned())
            .or_insert_with(|| trace_id(self.at.as_seconds()));
        headers
    }

    /// Unchanged if its type says text and its bytes are text; otherwise in Base64; `None` without
    /// a body.
    fn body(&self) -> (Option<String>, bool) {
        if self.body.is_empty() {
            return (None, false);
        }
        let content_type = text(&self.parts.headers, &CONTENT_TYPE);
        match std::str::from_utf8(self.body) {
            Ok(body) if is_text(&content_type) => (Some(body.to_owned()), false),
            Ok(_) | Err(_) => (Some(STANDARD.encode(self.body)), true),
        }
    }
}

/// The content types that API Gateway passes on as text. HTTP APIs have no setting for it.
fn is_text(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence.starts_with("text/")
        || matches!(
            essence.as_str(),
            "application/json" | "application/javascript" | "application/xml"
        )
        || (essence.starts_with("application/")
            && (essence.ends_with("+json") || essence.ends_with("+xml")))
}

/// All values of a header, joined by commas. Bytes outside ASCII become the Latin-1 letters that
/// RFC 9110 takes them for.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let texts: Vec<String> = values
        .map(|value| value.as_bytes().iter().copied().map(char::from).collect())
        .collect();
    texts.join(",")
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(|cookie| {
            cookie
                .trim_ascii()
                .iter()
                .copied()
                .map(char::from)
                .collect::<String>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Decoded; values of one name joined by commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|list| {
                list.push(',');
                list.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    parameters
}

/// `12/Mar/2026:19:03:58 +0000`
fn common_log_time(at: Timestamp) -> String {
    let format =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    OffsetDateTime::from_unix_timestamp(at.as_seconds())
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_an_access_log() {
        assert_eq!(
            common_log_time(Timestamp::from_millis(1_773_342_238_000)),
            "12/Mar/2026:19:03:58 +0000"
        );
    }

    #[test]
    fn text_is_what_the_content_type_says_it_is() {
        for content_type in [
            "application/json",
            "application/JSON; charset=utf-8",
            "text/plain",
            "application/problem+json",
        ] {
            assert!(is_text(content_type), "{content_type}");
        }
        for content_type in [
            "",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "image/svg+xml",
            "application/octet-stream",
        ] {
            assert!(!is_text(content_type), "{content_type}");
        }
    }

    #[test]
    fn several_values_of_one_parameter_are_joined() {
        let parameters = query_parameters("a=1&b=x%20y&a=2&c");
        assert_eq!(parameters["a"], "1,2");
        assert_eq!(parameters["b"], "x y");
        assert_eq!(parameters["c"], "");
    }
}
