//! Requests as they are on the wire: paths, signatures, shapes and lengths, and the form of
//! refusals.

use agentcore_local::WorkloadIdentitySpec;
use serde_json::{Value, json};

use crate::world::{PROVIDER, WORKLOAD, World};

const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20330518/eu-west-1/bedrock-agentcore/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) body: Value,
}

/// A request with a signature that cannot be checked.
pub(crate) async fn post(world: &World, path: &str, body: &Value) -> Answer {
    send(world, path, Some(SIGNATURE), body.to_string()).await
}

async fn send(world: &World, path: &str, signature: Option<&str>, body: String) -> Answer {
    let mut request = reqwest::Client::new()
        .post(format!("{}{path}", world.url))
        .header("content-type", "application/json")
        .body(body);
    if let Some(signature) = signature {
        request = request.header("authorization", signature);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("content-type").unwrap(), "application/json");
    assert_eq!(header("cache-control").unwrap(), "no-store");
    assert_eq!(header("x-amzn-requestid").unwrap().len(), 36);
    assert_eq!(header("access-control-allow-origin"), None);
    let error = header("x-amzn-errortype").unwrap_or_default();
    let body = response.bytes().await.unwrap();
    Answer {
        status,
        error,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

#[tokio::test]
async fn a_request_without_a_signature_for_this_service_and_region_is_refused() {
    let world = World::new().await;
    let path = "/identities/GetWorkloadAccessToken";
    let body = json!({"workloadName": WORKLOAD}).to_string();
    for (signature, status, error) in [
        (None, 403, "MissingAuthenticationTokenException"),
        (Some("Bearer abc"), 400, "IncompleteSignatureException"),
        (
            Some(
                "AWS4-HMAC-SHA256 Credential=AKID/20330518/eu-west-1/bedrock-agentcore/aws4_request, SignedHeaders=host",
            ),
            400,
            "IncompleteSignatureException",
        ),
        (
            Some("AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=00"),
            400,
            "IncompleteSignatureException",
        ),
        (
            Some(
                "AWS4-HMAC-SHA256 Credential=AKID/20330518/eu-west-1/bedrock/aws4_request, SignedHeaders=host, Signature=00",
            ),
            403,
            "InvalidSignatureException",
        ),
        (
            Some(
                "AWS4-HMAC-SHA256 Credential=AKID/20330518/us-east-1/bedrock-agentcore/aws4_request, SignedHeaders=host, Signature=00",
            ),
            403,
            "InvalidSignatureException",
        ),
        (Some(SIGNATURE), 200, ""),
    ] {
        let answer = send(&world, path, signature, body.clone()).await;
        assert_eq!(
            (answer.status, answer.error.as_str()),
            (status, error),
            "{signature:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_served_is_an_unknown_operation() {
    let world = World::new().await;
    for path in [
        "/identities/api-key",
        "/identities/getworkloadaccesstoken",
        "/identities/GetWorkloadAccessToken/",
        "/runtimes/one/invocations",
        "/",
    ] {
        let answer = post(&world, path, &json!({})).await;
        let expected = (404, "UnknownOperationException");
        assert_eq!((answer.status, answer.error.as_str()), expected, "{path}");
    }
    let by_get = reqwest::get(format!("{}/identities/GetWorkloadAccessToken", world.url));
    assert_eq!(by_get.await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_body_that_is_not_the_operations_input_cannot_be_parsed() {
    let world = World::new().await;
    let path = "/identities/GetWorkloadAccessToken";
    for body in [
        "",
        "{",
        "[]",
        "\"agent\"",
        r#"{"workloadName":7}"#,
        r#"{"workloadName":"agent","WorkloadName":"agent"}"#,
    ] {
        let answer = send(&world, path, Some(SIGNATURE), body.to_owned()).await;
        let found = (
            answer.status,
            answer.error.as_str(),
            answer.body["reason"].as_str(),
        );
        assert_eq!(
            found,
            (400, "ValidationException", Some("CannotParse")),
            "{body}"
        );
    }
    let long = format!(r#"{{"workloadName":"{}"}}"#, "a".repeat(1_100_000));
    let answer = send(&world, path, Some(SIGNATURE), long).await;
    assert_eq!(answer.status, 413);
}

const WORKLOAD_TOKEN: &str = "/identities/GetWorkloadAccessToken";
const RESOURCE_TOKEN: &str = "/identities/oauth2/token";
const COMPLETE: &str = "/identities/CompleteResourceTokenAuth";

/// Compares the refusal of a bad request with its invalid members. It must not repeat a member
/// named secret.
async fn holds_breaches(world: &World, path: &str, body: Value, members: &[&str]) {
    let answer = post(world, path, &body).await;
    let found = (answer.status, answer.error.as_str());
    assert_eq!(found, (400, "ValidationException"), "{path} {body}");
    assert_eq!(answer.body["reason"], "FieldValidationFailed");
    let fields = answer.body["fieldList"].as_array().unwrap();
    let mut named: Vec<&str> = fields
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, members, "{}", answer.body);
    assert!(
        !answer.body.to_string().contains("secret"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn who_a_token_is_for_must_fit_the_model() {
    let world = World::new().await;
    let workload = |name: &str| json!({"workloadName": name});
    for body in [
        json!({}),
        json!({"workloadName": null}),
        workload("ab"),
        workload(&"a".repeat(256)),
        workload("a b c"),
    ] {
        holds_breaches(&world, WORKLOAD_TOKEN, body, &["workloadName"]).await;
    }
    for user in [String::new(), "ü".repeat(129)] {
        let path = format!("{WORKLOAD_TOKEN}ForUserId");
        let body = json!({"workloadName": WORKLOAD, "userId": user});
        holds_breaches(&world, &path, body, &["userId"]).await;
    }
    for token in [
        "secret!".to_owned(),
        format!("secret.b.{}", "c".repeat(131_072)),
    ] {
        let path = format!("{WORKLOAD_TOKEN}ForJWT");
        let body = json!({"workloadName": WORKLOAD, "userToken": token});
        holds_breaches(&world, &path, body, &["userToken"]).await;
    }
    for who in [json!({}), json!({"userId": "a", "userToken": "a.b.c"})] {
        let uri = "urn:ietf:params:oauth:request_uri:a";
        let body = json!({"userIdentifier": who, "sessionUri": uri});
        holds_breaches(&world, COMPLETE, body, &["userIdentifier"]).await;
    }
    let body = json!({"userIdentifier": {"userId": "a"}, "sessionUri": "a"});
    holds_breaches(&world, COMPLETE, body, &["sessionUri"]).await;
}

#[tokio::test]
async fn what_is_asked_for_must_fit_the_model() {
    let world = World::new().await;
    let required = [
        "resourceCredentialProviderName",
        "scopes",
        "workloadIdentityToken",
    ];
    let body = json!({"oauth2Flow": "USER_FEDERATION"});
    holds_breaches(&world, RESOURCE_TOKEN, body, &required).await;
    let long_url = format!("https://{}", "a".repeat(2_048));
    for (member, value, named) in [
        ("oauth2Flow", json!("DEVICE"), "oauth2Flow"),
        ("scopes", json!(["a", "s".repeat(129)]), "scopes.2.member"),
        ("scopes", json!([""]), "scopes.1.member"),
        ("sessionUri", json!("urn:other:a"), "sessionUri"),
        ("customState", json!("s".repeat(4_097)), "customState"),
        ("customState", json!(""), "customState"),
        (
            "customParameters",
            json!({"a b": "secret"}),
            "customParameters",
        ),
        ("customParameters", json!({"a": ""}), "customParameters.a"),
        (
            "resourceOauth2ReturnUrl",
            json!("no url"),
            "resourceOauth2ReturnUrl",
        ),
        (
            "resourceOauth2ReturnUrl",
            json!(long_url),
            "resourceOauth2ReturnUrl",
        ),
    ] {
        let mut body = json!({
            "workloadIdentityToken": "AgV4secret",
            "resourceCredentialProviderName": PROVIDER,
            "scopes": [],
            "oauth2Flow": "USER_FEDERATION",
        });
        body[member] = value;
        holds_breaches(&world, RESOURCE_TOKEN, body, &[named]).await;
    }
}

#[tokio::test]
async fn the_longest_values_that_the_model_allows_are_taken() {
    let world = World::new().await;
    let longest = "w".repeat(255);
    world
        .agentcore
        .ensure_workload_identity(WorkloadIdentitySpec {
            name: longest.clone(),
            allowed_return_urls: Vec::new(),
        })
        .unwrap();
    let body = json!({"workloadName": longest, "userId": "ü".repeat(128)});
    let answer = post(&world, "/identities/GetWorkloadAccessTokenForUserId", &body).await;
    assert_eq!(answer.status, 200);
    let spec = WorkloadIdentitySpec {
        name: "ab".to_owned(),
        allowed_return_urls: Vec::new(),
    };
    let refused = world.agentcore.ensure_workload_identity(spec).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("ValidationException: 1 validation error")
    );
}

#[tokio::test]
async fn a_page_under_another_name_is_turned_away() {
    let world = World::new().await;
    for (host, status) in [
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("localhost:8790", 400),
        ("app.localhost", 400),
        ("[::1]:8790", 400),
    ] {
        let response = reqwest::Client::new()
            .get(format!(
                "{}/identities/oauth2/authorize?request_uri=a",
                world.url
            ))
            .header("host", host)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{host}");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn what_a_browser_brings_is_never_shown_back() {
    let world = World::new().await;
    for path in [
        "authorize?request_uri=<script>",
        "authorize",
        "authorize?request_uri=a&request_uri=b",
        "callback/<script>?state=<script>&code=<script>",
        "callback/a?error=<script>",
    ] {
        let url = format!("{}/identities/oauth2/{path}", world.url);
        let response = reqwest::get(url).await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert!(!response.text().await.unwrap().contains('<'));
    }
}
