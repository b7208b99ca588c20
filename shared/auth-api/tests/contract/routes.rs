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
fn a_path_matches_whole_and_in_its_own_letter_case() {
    let contract = Contract::embedded();
    for path in [
        "",
        "me",
        "/",
        "/me/",
        "//me",
        "/Me",
        "/me%20",
        "/me%00",
        "/me%253Fx",
        "/me/..",
        "/auth/otp",
    ] {
        assert_eq!(routed(contract, "GET", path), None, "{path}");
    }
}

#[test]
fn a_path_is_decoded_before_the_choice() {
    let contract = Contract::embedded();
    for path in ["/me", "/%6de", "/%6D%65", "%2Fme", "/me%3Fx=1"] {
        let found = contract.route("GET", path).unwrap();
        assert_eq!(found.operation.operation_id, "getProfile", "{path}");
        assert_eq!(found.path, "/me", "{path}");
    }
}

#[test]
fn a_parameter_takes_one_segment_and_is_decoded_again_after_the_choice() {
    let contract = with_parameters();
    let parameter = |path| {
        let found = contract.route("GET", path)?;
        assert_eq!(found.operation.operation_id, "getSessionStatus", "{path}");
        Some(found.path_parameters["sessionId"].clone())
    };
    for (path, value) in [
        (
            "/auth/session/urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa",
            "urn:ietf:params:oauth:request_uri:a",
        ),
        ("/auth/session/urn%253Aietf%253Aparams", "urn:ietf:params"),
        ("/auth/session/a%252Fb", "a/b"),
        ("/auth%2Fsession/a", "a"),
        ("/auth/session/a+b%20c", "a+b c"),
        ("/auth/session/a%2Bb%252Bc", "a+b+c"),
        ("/auth/session/100%", "100%"),
        ("/auth/session/100%25", "100%"),
        ("/auth/session/100%zz", "100%zz"),
        ("/auth/session/%25%37%41", "z"),
        ("/auth/session/%C3%A4", "\u{e4}"),
        ("/auth/session/%FF", "\u{FFFD}"),
        ("/auth/session/a%3Fb", "a"),
    ] {
        assert_eq!(parameter(path).as_deref(), Some(value), "{path}");
    }
    for path in [
        "/auth/session/",
        "/auth/session/a/b",
        "/auth/session/a%2Fb",
        "/auth/session/%3Fa",
    ] {
        assert_eq!(parameter(path), None, "{path}");
    }
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
