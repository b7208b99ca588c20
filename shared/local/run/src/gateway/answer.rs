//! API Gateway's translation of a function's answer, and its own answers.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A complete answer, before CORS and request id are put on it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
}

/// API Gateway cannot interpret the function's answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Answer {
    /// One of the gateway's own: a status and `{"message": …}`.
    pub(super) fn message(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: json!({ "message": message }).to_string().into_bytes(),
        }
    }

    /// The gateway's answer to a function that failed or made no sense.
    pub(super) fn internal_server_error() -> Self {
        Self::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }

    /// The authorizer's refusal, with its challenge (RFC 6750).
    pub(super) fn challenge(status: StatusCode, message: &str, challenge: &str) -> Self {
        let mut answer = Self::message(status, message);
        if let Ok(challenge) = HeaderValue::from_str(challenge) {
            answer.headers.push((WWW_AUTHENTICATE, challenge));
        }
        answer
    }

    /// Reads a function's output in payload format 2.0. JSON without a `statusCode` is the body
    /// itself.
    pub(super) fn from_output(output: &RawValue) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_str(output.get()).map_err(|_| Malformed)?;
        let Some(status) = value.get("statusCode") else {
            let body = match value {
                Value::String(text) => text.into_bytes(),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => output.get().as_bytes().to_vec(),
            };
            return Ok(Self {
                status: StatusCode::OK,
                headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                body,
            });
        };
        let status = status
            .as_u64()
            .and_then(|code| u16::try_from(code).ok())
            .and_then(|code| StatusCode::from_u16(code).ok())
            .filter(|status| (200..600).contains(&status.as_u16()))
            .ok_or(Malformed)?;
        let body = body(&value)?;
        let mut headers = headers(&value)?;
        if !body.is_empty() && !headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
            headers.push((
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            ));
        }
        headers.extend(cookies(&value)?);
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

fn body(answer: &Value) -> Result<Vec<u8>, Malformed> {
    let is_base64 = match answer.get("isBase64Encoded") {
        None | Some(Value::Null) => false,
        Some(flag) => flag.as_bool().ok_or(Malformed)?,
    };
    match answer.get("body") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) if is_base64 => STANDARD.decode(text).map_err(|_| Malformed),
        Some(Value::String(text)) => Ok(text.clone().into_bytes()),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Malformed)
        }
    }
}

fn headers(answer: &Value) -> Result<Vec<(HeaderName, HeaderValue)>, Malformed> {
    let headers = match answer.get("headers") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(headers) => headers.as_object().ok_or(Malformed)?,
    };
    headers
        .iter()
        .filter(|(name, _)| !is_the_connections(name))
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return Err(Malformed),
            };
            Ok((
                name.parse().map_err(|_| Malformed)?,
                value.parse().map_err(|_| Malformed)?,
            ))
        })
        .collect()
}

/// Headers that belong to the connection and that the gateway sets itself.
fn is_the_connections(name: &str) -> bool {
    [
        "connection",
        "content-length",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
    ]
    .iter()
    .any(|own| name.eq_ignore_ascii_case(own))
}

/// Several cookies travel only here: a header map has one value a name.
fn cookies(answer: &Value) -> Result<Vec<(HeaderName, HeaderValue)>, Malformed> {
    let cookies = match answer.get("cookies") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(cookies) => cookies.as_array().ok_or(Malformed)?,
    };
    cookies
        .iter()
        .map(|cookie| {
            let value = cookie
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or(Malformed)?;
            Ok((SET_COOKIE, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &Value) -> Result<Answer, Malformed> {
        Answer::from_output(&serde_json::value::to_raw_value(output).unwrap())
    }

    #[test]
    fn json_without_a_status_code_is_the_body() {
        let answer = read(&json!({ "hello": "world" })).ok().unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, br#"{"hello":"world"}"#);
        assert_eq!(
            answer.headers,
            [(CONTENT_TYPE, HeaderValue::from_static("application/json"))]
        );
        assert_eq!(read(&json!("hello")).ok().unwrap().body, b"hello");
    }

    #[test]
    fn every_cookie_gets_a_field_of_its_own_and_base64_is_decoded() {
        let answer = read(&json!({
            "statusCode": 201,
            "headers": { "Content-Type": "image/png", "Content-Length": "999" },
            "cookies": ["a=1", "b=2"],
            "body": "AAEC",
            "isBase64Encoded": true,
        }))
        .ok()
        .unwrap();
        assert_eq!(answer.body, [0, 1, 2]);
        let response = answer.into_response();
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
        assert!(!response.headers().contains_key("content-length"));
    }

    #[test]
    fn what_makes_no_sense_is_malformed() {
        for output in [
            json!({ "statusCode": "200" }),
            json!({ "statusCode": 99 }),
            json!({ "statusCode": 200, "body": {} }),
            json!({ "statusCode": 200, "headers": [] }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "headers": { "a": "b\r\nc: d" } }),
            json!({ "statusCode": 200, "cookies": "a=1" }),
            json!({ "statusCode": 200, "body": "?", "isBase64Encoded": true }),
        ] {
            assert!(read(&output).is_err(), "{output}");
        }
    }
}
