//! The senders that the HTTP door trusts, and for which claims.

use auth_lambda::Function;
use serde_json::{Value, json};

use crate::{
    answer_to,
    harness::{self, CLIENT, Echo, ORIGIN_SECRET, post},
    opened, refusal,
};

const EMAIL: &str = r#"{"email":"ada@example.com"}"#;
const SUB: &str = "5f1c2a9e-7b1d-4c52-9a51-0d4be2f6a7c3";

async fn body_with_headers(headers: Value) -> Value {
    let mut event = post(EMAIL);
    for (name, value) in headers.as_object().unwrap() {
        event["headers"][name] = value.clone();
    }
    opened(&answer_to(event).await).1
}

async fn answer_to_caller(claims: Value, body: &str) -> (Value, Value) {
    let mut event = post(body);
    event["requestContext"]["authorizer"] =
        json!({ "jwt": { "claims": claims, "scopes": ["latchkey/session"] } });
    let function = Function::operation(Echo::<true>, harness::deployment());
    let answer = harness::invoke(&function, harness::raw(&event), harness::invocation()).await;
    let body = opened(&answer).1;
    (answer, body)
}

#[tokio::test]
async fn forwarding_fields_change_nothing() {
    let body = body_with_headers(json!({
        "x-forwarded-for": "198.51.100.1",
        "forwarded": "for=198.51.100.1",
        "x-real-ip": "198.51.100.1",
        "true-client-ip": "198.51.100.1",
    }))
    .await;
    assert_eq!(body["ipAddress"], "203.0.113.7");
}

pub(crate) fn from_viewer(viewer: &str, proof: Option<&str>) -> Value {
    let mut event = post(EMAIL);
    event["headers"]["cloudfront-viewer-address"] = viewer.into();
    if let Some(proof) = proof {
        event["headers"]["x-origin-verify"] = proof.into();
    }
    event
}

async fn answer_behind_cloudfront(event: &Value) -> Value {
    let function = Function::operation(Echo::<false>, harness::behind_cloudfront());
    harness::invoke(&function, harness::raw(event), harness::invocation()).await
}

#[tokio::test]
async fn behind_cloudfront_its_viewer_is_the_sender() {
    for (viewer, ip) in [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("2001:db8::7:4711", "2001:db8::7"),
        ("not an address", "203.0.113.7"),
    ] {
        let answer = answer_behind_cloudfront(&from_viewer(viewer, Some(ORIGIN_SECRET))).await;
        assert_eq!(opened(&answer).1["ipAddress"], ip, "{viewer}");
    }
}

#[tokio::test]
async fn behind_cloudfront_nothing_is_there_for_who_walks_round_it() {
    for proof in [Some("guessed"), Some(""), None] {
        let answer = answer_behind_cloudfront(&from_viewer("198.51.100.1:4711", proof)).await;
        assert_eq!(answer["statusCode"], 403, "{proof:?}");
        assert_eq!(answer["body"], r#"{"message":"Forbidden"}"#);
    }
    // An IAM signature covers the API's own host, which CloudFront would replace.
    let mut event = from_viewer("198.51.100.1:4711", None);
    event["requestContext"]["authorizer"] = json!({ "iam": { "accountId": "123456789012" } });
    let answer = answer_behind_cloudfront(&event).await;
    assert_eq!(answer["statusCode"], 200);
}

#[tokio::test]
async fn without_cloudfront_nobody_is_its_viewer() {
    for proof in [Some(ORIGIN_SECRET), Some(""), None] {
        let answer = answer_to(from_viewer("198.51.100.1:4711", proof)).await;
        assert_eq!(opened(&answer).1["ipAddress"], "203.0.113.7", "{proof:?}");
    }
}

#[tokio::test]
async fn a_cookie_is_found_by_its_whole_name_and_keeps_its_equals_signs() {
    let mut event = post(EMAIL);
    event["cookies"] = json!(["crumb=no", "__Host-crumbs=no", "junk", "__Host-crumb=a=b=="]);
    assert_eq!(opened(&answer_to(event).await).1["cookie"], "a=b==");
    // API Gateway passes cookies beside the headers. A header named `cookie` is not one of them.
    let body = body_with_headers(json!({ "cookie": "__Host-crumb=header" })).await;
    assert_eq!(body["cookie"], Value::Null);
}

/// Any host of the site can set a cookie whose name has such a space before the prefix: to a
/// browser it has no prefix.
#[tokio::test]
async fn white_space_that_browsers_keep_belongs_to_a_cookies_name() {
    for space in ["\u{a0}", "\u{85}", "\u{2000}", "\u{3000}", "\u{b}"] {
        let mut event = post(EMAIL);
        event["cookies"] = json!([format!("{space}__Host-crumb=planted")]);
        let answer = answer_to(event).await;
        assert_eq!(opened(&answer).1["cookie"], Value::Null, "{space:?}");
    }
    let mut event = post(EMAIL);
    event["cookies"] = json!([" __Host-crumb =\tkept "]);
    assert_eq!(opened(&answer_to(event).await).1["cookie"], "kept");
}

#[tokio::test]
async fn two_cookies_of_one_name_are_none() {
    let mut event = post(EMAIL);
    event["cookies"] = json!(["__Host-crumb=planted", "__Host-crumb=real"]);
    assert_eq!(opened(&answer_to(event).await).1["cookie"], Value::Null);
}

#[tokio::test]
async fn an_access_token_names_the_caller() {
    let mut claims =
        json!({ "sub": SUB, "client_id": CLIENT, "token_use": "access", "iat": "1795239650" });
    let (_, body) = answer_to_caller(claims.clone(), EMAIL).await;
    assert_eq!(body["caller"], SUB);
    assert_eq!(body["signedInAt"], "2026-11-21T05:40:50.000Z");
    claims["latchkey_iat_ms"] = "1795239650123".into();
    let (_, body) = answer_to_caller(claims, EMAIL).await;
    assert_eq!(body["signedInAt"], "2026-11-21T05:40:50.123Z");
}

/// A session never begins later than its sign-in's second. A refreshed token knows no more than
/// that second.
#[tokio::test]
async fn a_session_begins_with_its_sign_in_and_not_with_a_refresh() {
    let token = |millis: Option<&str>, authenticated: &str| {
        let mut claims = json!({ "sub": SUB, "client_id": CLIENT, "token_use": "access",
            "iat": "1795239650", "auth_time": authenticated });
        if let Some(millis) = millis {
            claims["latchkey_iat_ms"] = millis.into();
        }
        claims
    };
    for (claims, signed_in_at) in [
        (
            token(Some("1795239650123"), "1795239650"),
            "2026-11-21T05:40:50.123Z",
        ),
        (
            token(Some("1795239650123"), "1795239649"),
            "2026-11-21T05:40:49.999Z",
        ),
        (token(None, "1795239650"), "2026-11-21T05:40:50.000Z"),
        (token(None, "1795239001"), "2026-11-21T05:30:01.000Z"),
    ] {
        let (_, body) = answer_to_caller(claims, EMAIL).await;
        assert_eq!(body["signedInAt"], signed_in_at);
    }
}

#[tokio::test]
async fn any_other_claims_are_no_caller_and_hear_how_to_sign_in() {
    for claims in [
        json!({ "sub": SUB, "client_id": CLIENT, "token_use": "id", "iat": "1795239650" }),
        json!({ "sub": SUB, "client_id": CLIENT, "iat": "1795239650" }),
        json!({ "client_id": CLIENT, "token_use": "access", "iat": "1795239650" }),
        json!({ "sub": SUB, "client_id": CLIENT, "token_use": "access" }),
        json!({ "sub": SUB, "client_id": CLIENT, "token_use": "access", "iat": "yesterday" }),
        json!({ "sub": "", "client_id": CLIENT, "token_use": "access", "iat": "1795239650" }),
        json!({ "sub": SUB, "token_use": "access", "iat": "1795239650" }),
        json!({ "sub": SUB, "client_id": "", "token_use": "access", "iat": "1795239650" }),
        json!({ "sub": SUB, "client_id": "an0therclient", "token_use": "access", "iat": "1795239650" }),
        // An ID token's audience is no client of an access token.
        json!({ "sub": SUB, "aud": CLIENT, "token_use": "access", "iat": "1795239650" }),
    ] {
        // A rejected caller does not learn about invalid input either.
        let (answer, body) = answer_to_caller(claims.clone(), "{}").await;
        assert_eq!(answer["statusCode"], 401, "{claims}");
        assert_eq!(refusal(&body), ("AUTH_REQUIRED".to_owned(), Vec::new()));
        assert_eq!(answer["headers"]["www-authenticate"], "Bearer");
    }
    let function = Function::operation(Echo::<true>, harness::deployment());
    let event = harness::raw(&post(EMAIL));
    let answer = harness::invoke(&function, event, harness::invocation()).await;
    assert_eq!(answer["statusCode"], 401);
}

#[tokio::test]
async fn claims_in_an_http_body_are_one_more_unknown_field() {
    let body = json!({
        "email": "ada@example.com",
        "claims": { "sub": SUB, "client_id": CLIENT, "token_use": "access", "iat": "1795239650" },
    });
    let (_, answered) = opened(&answer_to(post(&body.to_string())).await);
    assert_eq!(answered["caller"], Value::Null);
}
