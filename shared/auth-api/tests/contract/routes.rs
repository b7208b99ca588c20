//! Routing, as an API Gateway HTTP API does it.

use auth_api::{Contract, Method};
use serde_json::json;

use crate::changed;

fn with_parameters() -> Contract {
    let document = changed(|document| {
        let profile = document["paths"]["/me"]["get"].clone();
        for (path, id) in [
            ("/auth/session/{sessionId}", "getSessionStatus"),
            ("/auth/session/latest", "getLatestSession"),
            ("/auth/{area}/latest", "getLatest"),
            ("/{area}/session/latest", "getAnySession"),
        ] {
            let mut operation = profile.clone();
            operation["operationId"] = id.into();
            document["paths"][path] = json!({ "get": operation });
        }
    });
    Contract::read(&document).unwrap()
}

fn routed(contract: &Contract, method: &str, path: &str) -> Option<String> {
    let routed = contract.route(method, path)?;
    Some(routed.operation.operation_id.clone())
}

#[test]
fn every_operation_is_found_by_its_own_route() {
    let contract = Contract::embedded();
    for operation in contract.operations() {
        let found = routed(contract, operation.method.as_str(), &operation.path);
        assert_eq!(found.as_ref(), Some(&operation.operation_id));
    }
}

#[test]
fn the_method_is_part_of_the_route() {
    let contract = Contract::embedded();
    assert_eq!(
        routed(contract, "GET", "/me").as_deref(),
        Some("getProfile")
    );
    assert_eq!(
        routed(contract, "PATCH", "/me").as_deref(),
        Some("updateProfile")
    );
    for method in ["HEAD", "POST", "OPTIONS", "get", "", "PROPFIND"] {
        assert_eq!(routed(contract, method, "/me"), None, "{method}");
    }
    assert!("get".parse::<Method>().is_err());
}

#[test]
fn a_path_matches_whole_and_as_it_is_written() {
    let contract = Contract::embedded();
    for path in [
        "",
        "me",
        "/",
        "/me/",
        "//me",
        "/Me",
        "/%6de",
        "/me?x=1",
        "/me/..",
        "/auth/otp",
    ] {
        assert_eq!(routed(contract, "GET", path), None, "{path}");
    }
}

#[test]
fn a_parameter_takes_one_segment_and_is_decoded_after_the_choice() {
    let contract = with_parameters();
    let found = contract
        .route(
            "GET",
            "/auth/session/urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa%2Fb",
        )
        .unwrap();
    assert_eq!(found.operation.operation_id, "getSessionStatus");
    assert_eq!(
        found.path_parameters["sessionId"],
        "urn:ietf:params:oauth:request_uri:a/b"
    );

    let of = |path| {
        contract
            .route("GET", path)
            .map(|found| found.path_parameters["sessionId"].clone())
    };
    assert_eq!(of("/auth/session/a+b%20c").as_deref(), Some("a+b c"));
    assert_eq!(of("/auth/session/100%").as_deref(), Some("100%"));
    assert_eq!(of("/auth/session/%C3%A4").as_deref(), Some("ä"));
    assert_eq!(of("/auth/session/%FF").as_deref(), Some("\u{FFFD}"));
    assert_eq!(of("/auth/session/"), None);
    assert_eq!(of("/auth/session/a/b"), None);
}

#[test]
fn the_more_literal_route_wins_from_the_left() {
    let contract = with_parameters();
    let of = |path| routed(&contract, "GET", path);
    assert_eq!(
        of("/auth/session/latest").as_deref(),
        Some("getLatestSession")
    );
    assert_eq!(
        of("/auth/session/other").as_deref(),
        Some("getSessionStatus")
    );
    assert_eq!(of("/auth/other/latest").as_deref(), Some("getLatest"));
    assert_eq!(
        of("/other/session/latest").as_deref(),
        Some("getAnySession")
    );
}
