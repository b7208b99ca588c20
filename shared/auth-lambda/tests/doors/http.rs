//! The requests that the HTTP door accepts, and those that it refuses.

use serde_json::{Value, json};

use crate::{
    answer_to,
    harness::{http_event, post, post_bytes},
    opened, refusal,
};

const EMAIL: &str = r#"{"email":"ada@example.com"}"#;

/// The largest body taken, in bytes.
const LIMIT: usize = 16 * 1024;

async fn refused(event: Value) -> (u64, String, Vec<String>) {
    let (status, body) = opened(&answer_to(event).await);
    let (code, errors) = refusal(&body);
    (status, code, errors)
}

fn bad_input(errors: &[&str]) -> (u64, String, Vec<String>) {
    let errors = errors.iter().map(|&error| error.to_owned()).collect();
    (400, "VALIDATION_FAILED".to_owned(), errors)
}

/// A body of exactly this length, with a valid address.
fn padded(length: usize) -> String {
    let start = r#"{"email":"ada@example.com","padding":""#;
    format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
}

#[tokio::test]
async fn every_kind_of_field_is_read() {
    let body = json!({
        "email": "Ada@Example.com",
        "code": "12345678",
        "sessionToken": "A".repeat(43),
        "refreshToken": "abc.def-ghi_jkl",
        "tokenDelivery": "cookie",
        "name": "Ada",
        "everywhere": true,
        "unknown": [{}],
    });
    let (status, body) = opened(&answer_to(post(&body.to_string())).await);
    assert_eq!(status, 200);
    assert_eq!(body["email"], "ada@example.com");
    assert_eq!(body["secrets"], json!([true, true, true]));
    assert_eq!(body["byCookie"], true);
    assert_eq!(body["name"], json!({ "set": "Ada" }));
    assert_eq!(body["everywhere"], true);
}

#[tokio::test]
async fn absent_and_null_are_two_things_in_a_patch_and_one_elsewhere() {
    let (_, absent) = opened(&answer_to(post(EMAIL)).await);
    assert_eq!(absent["name"], "kept");
    let nulls = r#"{"email":"ada@example.com","name":null,"code":null,"everywhere":null}"#;
    let (_, null) = opened(&answer_to(post(nulls)).await);
    assert_eq!(null["name"], Value::Null);
    assert_eq!(
        (&null["secrets"], &null["everywhere"]),
        (&json!([false, false, false]), &json!(false))
    );
}

#[tokio::test]
async fn every_broken_field_is_named_at_once() {
    let body =
        r#"{"email":7,"code":"12x","name":["Ada"],"everywhere":"yes","tokenDelivery":"pigeon"}"#;
    let errors = [
        "email:type",
        "code:invalid",
        "tokenDelivery:invalid",
        "name:type",
        "everywhere:type",
    ];
    assert_eq!(refused(post(body)).await, bad_input(&errors));
}

#[tokio::test]
async fn no_body_at_all_is_missing_fields_and_not_a_media_type() {
    let mut event = http_event();
    event["headers"] = json!({});
    assert_eq!(refused(event).await, bad_input(&["email:required"]));
}

#[tokio::test]
async fn a_body_has_to_call_itself_json() {
    for media_type in [
        "application/json",
        "APPLICATION/JSON",
        "application/json ; charset=utf-8",
    ] {
        let mut event = post(EMAIL);
        event["headers"]["content-type"] = media_type.into();
        assert_eq!(opened(&answer_to(event).await).0, 200, "{media_type}");
    }
    let unsupported = (415, "UNSUPPORTED_MEDIA_TYPE".to_owned(), Vec::new());
    // A form of another site can send the first three without a preflight (ASVS 5.0 3.5.2).
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application/jsonp",
        "",
    ] {
        let mut event = post(EMAIL);
        event["headers"]["content-type"] = media_type.into();
        assert_eq!(refused(event).await, unsupported, "{media_type}");
    }
    let mut event = post(EMAIL);
    event["headers"] = json!({});
    assert_eq!(refused(event).await, unsupported);
}

#[tokio::test]
async fn a_body_in_base64_is_the_same_body() {
    let (status, body) = opened(&answer_to(post_bytes(EMAIL.as_bytes())).await);
    assert_eq!((status, &body["email"]), (200, &json!("ada@example.com")));
    let mut event = post(EMAIL);
    event["isBase64Encoded"] = true.into();
    assert_eq!(refused(event).await, bad_input(&["body:type"]));
}

#[tokio::test]
async fn a_body_ends_at_16_kb_however_it_is_written() {
    let too_large = (413, "PAYLOAD_TOO_LARGE".to_owned(), Vec::new());
    let (largest, larger) = (padded(LIMIT), padded(LIMIT + 1));
    assert_eq!(opened(&answer_to(post(&largest)).await).0, 200);
    assert_eq!(
        opened(&answer_to(post_bytes(largest.as_bytes())).await).0,
        200
    );
    assert_eq!(refused(post(&larger)).await, too_large);
    assert_eq!(refused(post_bytes(larger.as_bytes())).await, too_large);
    assert_eq!(refused(post(&padded(1 << 20))).await, too_large);
    // Measured before anything else is looked at.
    let mut event = post_bytes(&vec![0xff; 1 << 20]);
    event["headers"] = json!({});
    assert_eq!(refused(event).await, too_large);
}

#[tokio::test]
async fn a_body_is_one_json_object_in_utf_8() {
    for (body, error) in [
        (&b"\xff\xfe"[..], "body:type"),
        (b"{\"email\":\"\xc3\x28\"}", "body:type"),
        (b"\xef\xbb\xbf{}", "body:byte_order_mark"),
    ] {
        assert_eq!(refused(post_bytes(body)).await, bad_input(&[error]));
    }
    for (body, error) in [
        ("[]", "body:type"),
        ("null", "body:type"),
        ("7", "body:type"),
        ("\"text\"", "body:type"),
        ("{", "body:not_json"),
        ("{}{}", "body:not_json"),
        ("{'email':1}", "body:not_json"),
        (" ", "body:not_json"),
        ("\0", "body:not_json"),
        (r#"{"email":"\ud800@example.com"}"#, "body:not_json"),
        (r#"{"email":1e400}"#, "body:not_json"),
    ] {
        assert_eq!(refused(post(body)).await, bad_input(&[error]), "{body:?}");
    }
}

#[tokio::test]
async fn nesting_ends_at_16_levels_even_where_nobody_looks() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        post(&format!(
            r#"{{"email":"ada@example.com","ignored":{open}{close}}}"#
        ))
    };
    assert_eq!(opened(&answer_to(nested(16)).await).0, 200);
    assert_eq!(refused(nested(17)).await, bad_input(&["body:too_deep"]));
    let bottomless = post(&"[".repeat(10_000));
    assert_eq!(refused(bottomless).await, bad_input(&["body:too_deep"]));
}

#[tokio::test]
async fn a_key_stands_once() {
    for body in [
        r#"{"email":"ada@example.com","email":"eve@example.com"}"#,
        r#"{"email":"ada@example.com","\u0065mail":"eve@example.com"}"#,
        r#"{"email":"ada@example.com","ignored":[{"a":1,"a":1}]}"#,
    ] {
        let refused = refused(post(body)).await;
        assert_eq!(refused, bad_input(&["body:duplicate"]), "{body}");
    }
}

#[tokio::test]
async fn an_address_is_ascii_and_holds_no_controls() {
    for email in [
        "ada\u{0}@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "\u{430}da@example.com",
        "ada\u{ff20}example.com",
        "\"ada\"@example.com",
        "ada@[203.0.113.7]",
        &format!("ada@{}example.com", "a.".repeat(122)),
    ] {
        let body = json!({ "email": email }).to_string();
        let refused = refused(post(&body)).await;
        assert_eq!(refused, bad_input(&["email:invalid"]), "{email:?}");
    }
}

#[tokio::test]
async fn the_query_of_a_get_and_every_path_are_input_and_the_path_wins() {
    let mut event = http_event();
    event["requestContext"]["http"]["method"] = json!("GET");
    event["queryStringParameters"] = json!({ "email": "query@example.com", "name": "Ada" });
    let (status, body) = opened(&answer_to(event.clone()).await);
    assert_eq!((status, &body["email"]), (200, &json!("query@example.com")));
    assert_eq!(body["name"], json!({ "set": "Ada" }));
    event["pathParameters"] = json!({ "email": "path@example.com" });
    let (_, body) = opened(&answer_to(event).await);
    assert_eq!(body["email"], "path@example.com");
}

#[tokio::test]
async fn the_query_of_a_post_says_nothing() {
    let mut event = post(EMAIL);
    event["queryStringParameters"] = json!({ "email": "query@example.com", "name": "Eve" });
    let (status, body) = opened(&answer_to(event).await);
    assert_eq!((status, &body["email"]), (200, &json!("ada@example.com")));
    assert_eq!(body["name"], "kept");
}

#[tokio::test]
async fn an_event_that_api_gateway_would_not_send_is_refused() {
    let mut event = post(EMAIL);
    event["headers"] = json!({ "not a name": "x" });
    assert_eq!(refused(event).await, bad_input(&[]));
    let mut event = post(EMAIL);
    event["body"] = json!({ "email": "ada@example.com" });
    assert_eq!(refused(event).await, bad_input(&[]));
}
