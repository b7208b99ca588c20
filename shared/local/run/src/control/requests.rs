//! Every request that a world answered, through any door, with input and answer. Secrets are masked
//! before an entry is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use auth_domain::Timestamp;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE,
    WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::journal::Journal;

/// The number of requests that are kept: an afternoon of trying things out.
const REMEMBERED: usize = 500;

/// The maximum length at which a body other than JSON is shown.
const LONGEST_TEXT: usize = 2_000;

const MASK: &str = "•••";

/// Headers that say something about a sign-in. The rest is the browser's own business.
const SHOWN_HEADERS: [HeaderName; 10] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    COOKIE,
    LOCATION,
    ORIGIN,
    RETRY_AFTER,
    SET_COOKIE,
    WWW_AUTHENTICATE,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
];

/// Fields whose values are credentials, without the underscores of the agent's tools.
const SECRET_FIELDS: [&str; 18] = [
    "accesstoken",
    "authtoken",
    "backupcode",
    "backupcodes",
    "code",
    "credential",
    "idtoken",
    "mfacode",
    "newpassword",
    "otpauthuri",
    "otpcode",
    "password",
    "qrpng",
    "qrsvg",
    "refreshtoken",
    "secret",
    "sessiontoken",
    "usertoken",
];

/// The way that a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Door {
    /// The HTTP API.
    Http,
    /// A tool call of an agent.
    Tool,
    /// The Invoke API.
    Direct,
}

/// An answered request.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answered {
    /// When it came in, by the world's clock.
    pub(crate) at: Timestamp,
    pub(crate) door: Door,
    /// `POST /auth/otp/verify`, a tool's name, or a function's.
    pub(crate) asked: String,
    /// The operation of the request. `None` without a route, and for functions that are no
    /// operation.
    pub(crate) operation_id: Option<String>,
    /// The invocation's id, as in AWS calls and log lines. Empty without an invocation.
    pub(crate) invocation_id: String,
    /// The HTTP status. Other doors have none.
    pub(crate) status: Option<u16>,
    /// A problem's code, if the answer is a problem.
    pub(crate) code: Option<String>,
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub(crate) took: Duration,
    pub(crate) aws_calls: u32,
}

/// One side of an exchange, fit to be shown. It is kept as text: the tree of its values takes ten
/// times the memory.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Message(Box<RawValue>);

#[derive(Serialize)]
struct Shown {
    headers: BTreeMap<String, Vec<String>>,
    body: Value,
}

impl Message {
    /// A message with a JSON body, a text body or none.
    pub(crate) fn new<'a>(
        headers: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
        body: &[u8],
    ) -> Self {
        let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            if SHOWN_HEADERS.contains(name) {
                let values = shown.entry(name.to_string()).or_default();
                values.push(header_for_eyes(name, value));
            }
        }
        let shown = Shown {
            headers: shown,
            body: body_for_eyes(body),
        };
        Self(to_raw_value(&shown).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// A message with a JSON body only.
    pub(crate) fn json(text: &str) -> Self {
        Self::new([], text.as_bytes())
    }
}

/// A request with its number and both sides of its exchange.
#[derive(Clone, Serialize)]
pub(crate) struct Exchange {
    id: u64,
    #[serde(flatten)]
    answered: Answered,
    request: Message,
    answer: Message,
}

impl Exchange {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn invocation_id(&self) -> &str {
        &self.answered.invocation_id
    }

    /// The entry for a list.
    pub(crate) fn line(self) -> Line {
        Line {
            id: self.id,
            answered: self.answered,
        }
    }
}

/// A request with its number.
#[derive(Serialize)]
pub(crate) struct Line {
    id: u64,
    #[serde(flatten)]
    answered: Answered,
}

/// The requests of a world.
pub(crate) struct Requests {
    pub(crate) journal: Journal<Exchange>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            journal: Journal::new(REMEMBERED),
        }
    }
}

impl Requests {
    pub(crate) fn add(&self, answered: Answered, request: Message, answer: Message) {
        self.journal.add(|id| Exchange {
            id,
            answered,
            request,
            answer,
        });
    }
}

/// The code of a problem, over HTTP or behind another door.
pub(crate) fn problem_code(answer: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(answer).ok()?;
    let code = [
        &problem["code"],
        &problem["error"]["code"],
        &problem["error_code"],
    ]
    .into_iter()
    .find_map(Value::as_str)?;
    Some(code.to_owned())
}

fn milliseconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 100_000.0).round() / 100.0)
}

fn header_for_eyes(name: &HeaderName, value: &HeaderValue) -> String {
    let Ok(text) = value.to_str() else {
        return MASK.to_owned();
    };
    if name == AUTHORIZATION {
        let scheme = text.split(' ').next().unwrap_or_default();
        format!("{scheme} {MASK}")
    } else if name == COOKIE {
        text.split("; ")
            .map(cookie_for_eyes)
            .collect::<Vec<_>>()
            .join("; ")
    } else if name == SET_COOKIE {
        let (cookie, attributes) = text.split_once(';').unwrap_or((text, ""));
        format!("{};{attributes}", cookie_for_eyes(cookie))
    } else {
        text.to_owned()
    }
}

fn cookie_for_eyes(cookie: &str) -> String {
    let name = cookie.split('=').next().unwrap_or_default();
    format!("{name}={MASK}")
}

fn body_for_eyes(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            mask(&mut value);
            value
        }
        // A form or a page: its hidden fields open something, so only its kind and length are told.
        Err(_) => match std::str::from_utf8(body) {
            Ok(text) if text.len() <= LONGEST_TEXT && !text.contains(['=', '<']) => text.into(),
            Ok(_) | Err(_) => format!("({} bytes that are no JSON)", body.len()).into(),
        },
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name, value) {
                    *value = MASK.into();
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::String(text) => {
            if is_token(text) {
                *value = MASK.into();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A problem's code is a name, and no secret.
fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.replace('_', "").to_lowercase();
    let is_name = |text: &str| {
        text.bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphabetic())
    };
    let is_problem_code = name == "code" && value.as_str().is_some_and(is_name);
    !value.is_null() && !is_problem_code && SECRET_FIELDS.contains(&name.as_str())
}

/// Whether a text is a JSON Web Token, signed or encrypted (RFC 7515 and RFC 7516).
fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.matches('.').count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_and_the_codes_of_problems_are_not() {
        let body = json!({
            "email": "ada@example.com",
            "code": "48151623",
            "proof": { "sessionToken": "3q2-7w" },
            "refresh_token": "eyJ0.a.b",
            "backupCodes": ["one", "two"],
            "errors": [{ "field": "code", "code": "needed" }],
            "anything": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        });
        let shown = Message::new([], body.to_string().as_bytes());
        assert_eq!(
            json!(shown)["body"],
            json!({
                "email": "ada@example.com",
                "code": MASK,
                "proof": { "sessionToken": MASK },
                "refresh_token": MASK,
                "backupCodes": MASK,
                "errors": [{ "field": "code", "code": "needed" }],
                "anything": MASK,
            })
        );
    }

    #[test]
    fn cookies_and_credentials_keep_their_names_alone() {
        let headers = [
            (COOKIE, "a=1; b=2"),
            (AUTHORIZATION, "Bearer abc"),
            (SET_COOKIE, "a=1; HttpOnly"),
            (HeaderName::from_static("user-agent"), "x"),
        ]
        .map(|(name, value)| (name, HeaderValue::from_static(value)));
        let shown = Message::new(headers.iter().map(|(name, value)| (name, value)), b"");
        assert_eq!(
            json!(shown),
            json!({
                "headers": {
                    "authorization": ["Bearer •••"],
                    "cookie": ["a=•••; b=•••"],
                    "set-cookie": ["a=•••; HttpOnly"],
                },
                "body": null,
            })
        );
    }

    #[test]
    fn a_form_is_not_shown() {
        let shown = Message::new([], b"page=a-nonce&decision=allow");
        let shown = json!(shown);
        assert_eq!(shown["body"], json!("(27 bytes that are no JSON)"));
    }
}
