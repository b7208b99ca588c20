//! The control interface under `/_local`, and the page.

use std::path::Path;
use std::time::Duration;

use auth_local::{UnknownUser, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::people::ADA;

#[tokio::test]
async fn the_mailbox_shows_filters_waits_and_empties() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/_local/mailbox").await.body, json!([]));
    browser
        .get("/_local/mailbox/latest?to=ada@example.com")
        .await
        .expect_status(404);

    let mut other = world.browser();
    let (awaited, _) = tokio::join!(
        browser.get("/_local/mailbox/latest?to=ADA@example.com&wait=5"),
        other.post("/auth/otp/initiate", json!({ "email": ADA })),
    );
    awaited.expect_status(200);
    assert_eq!(awaited["to"], ADA);
    assert!(
        awaited["text"]
            .as_str()
            .unwrap()
            .contains(awaited["code"].as_str().unwrap())
    );
    assert!(awaited["sentAt"].as_str().unwrap().ends_with('Z'));

    other
        .post("/auth/otp/initiate", json!({ "email": "bob@example.com" }))
        .await
        .expect_status(200);
    let all = browser.get("/_local/mailbox").await;
    assert_eq!(all.body.as_array().unwrap().len(), 2);
    assert_eq!(all.body[0]["to"], "bob@example.com");
    let hers = browser.get("/_local/mailbox?to=ada%40example.com").await;
    assert_eq!(hers.body, json!([awaited.body]));
    let after = format!("/_local/mailbox/latest?to={ADA}&after={}", awaited["id"]);
    browser.get(&after).await.expect_status(404);

    // People type an address into a query without encoding its plus sign.
    other
        .post(
            "/auth/otp/initiate",
            json!({ "email": "ada+test@example.com" }),
        )
        .await
        .expect_status(200);
    for query in [
        "latest?to=ada+test@example.com",
        "latest?to=ada%2Btest@example.com",
    ] {
        let tagged = browser.get(&format!("/_local/mailbox/{query}")).await;
        tagged.expect_status(200);
        assert_eq!(tagged["to"], "ada+test@example.com");
    }

    browser.delete("/_local/mailbox").await.expect_status(204);
    assert_eq!(browser.get("/_local/mailbox").await.body, json!([]));
}

#[tokio::test]
async fn the_clock_moves_ahead_for_everything_and_expired_items_go() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let started = browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await;
    let code = world.mail_code(ADA).await;
    let before = browser.get("/_local/clock").await;
    let after = browser
        .post("/_local/clock", json!({ "advanceSeconds": 301 }))
        .await;
    after.expect_status(200);
    assert_eq!(after["aheadSeconds"], 301.0);
    assert_ne!(before["now"], after["now"]);
    let late = json!({ "email": ADA, "code": code, "sessionToken": started["sessionToken"] });
    browser
        .post("/auth/otp/verify", late)
        .await
        .expect_problem(410, "OTP_EXPIRED");
    for bad in [
        json!({ "advanceSeconds": -1 }),
        json!({ "advanceSeconds": "x" }),
        json!({}),
    ] {
        browser.post("/_local/clock", bad).await.expect_status(400);
    }
    assert!(items(&world, "latchkey-local-challenges").await > 0);
    world.advance(30 * 86_400);
    // A note of an unproved user stays until the user is removed.
    assert_eq!(items(&world, "latchkey-local-challenges").await, 1);
    world.invoke("sweep-unproved-users", &json!({})).await;
    assert_eq!(items(&world, "latchkey-local-challenges").await, 0);
}

/// How many items a table holds, asked over DynamoDB's own protocol.
async fn items(world: &World, table: &str) -> u64 {
    let answer: Value = reqwest::Client::new()
        .post(&world.ready().dynamodb)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.Scan")
        .header("x-amz-date", "20260312T190358Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=LOCAL/20260312/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(json!({ "TableName": table, "Select": "COUNT" }).to_string())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["Count"].as_u64().unwrap()
}

#[tokio::test]
async fn calls_and_logs_are_listed_from_where_the_reader_left_off() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let answer = browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await;
    let calls = browser.get("/_local/calls").await;
    let create = calls
        .body
        .as_array()
        .unwrap()
        .iter()
        .find(|call| call["action"] == "AdminCreateUser")
        .unwrap();
    assert_eq!(create["service"], "cognito-idp");
    assert_eq!(create["function"], "initiate-otp");
    assert_eq!(create["resource"], world.ready().user_pool_id);
    assert_eq!(create["status"], 200);
    assert!(create["ms"].as_f64().unwrap() >= 0.0);
    let later = browser
        .get(&format!("/_local/calls?since={}", create["id"]))
        .await;
    assert!(
        later
            .body
            .as_array()
            .unwrap()
            .iter()
            .all(|call| call["id"].as_u64() > create["id"].as_u64())
    );

    let logs = browser.get("/_local/logs").await;
    let line = logs.body.as_array().unwrap().last().unwrap().clone();
    assert_eq!(line["requestId"].as_str(), answer.header("apigw-requestid"));
    assert_eq!(line["invocationId"], create["requestId"]);
    assert_eq!(
        browser
            .get(&format!("/_local/logs?since={}", line["id"]))
            .await
            .body,
        json!([])
    );
}

#[tokio::test]
async fn worlds_side_by_side_do_not_see_each_other() {
    let (one, other) = tokio::join!(TestWorld::start(), TestWorld::start());
    let (mut first, mut second) = (one.browser(), other.browser());
    tokio::join!(
        first.post("/auth/otp/initiate", json!({ "email": ADA })),
        second.post("/auth/otp/initiate", json!({ "email": "bob@example.com" })),
    );
    assert_eq!(one.logs().len(), 1);
    assert_eq!(other.logs().len(), 1);
    assert!(one.mails("bob@example.com").is_empty());
    one.advance(1000);
    assert!(other.clock().ahead().is_zero());
}

#[tokio::test]
async fn a_reset_leaves_nothing_that_anybody_did() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    world.advance(60);
    guest
        .browser
        .post("/_local/reset", json!({}))
        .await
        .expect_status(204);
    assert!(world.clock().ahead().is_zero());
    assert!(world.mails(ADA).is_empty());
    assert!(world.calls(0).is_empty() && world.logs().is_empty());
    assert_eq!(items(&world, "latchkey-local-guests").await, 0);
    let again = world.sign_in(ADA).await;
    assert_ne!(again.user["cognitoSub"], guest.user["cognitoSub"]);
}

#[tokio::test]
async fn cognito_answers_for_unknown_users_as_it_is_told() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    for unknown_user in ["allFactors", "varying", "emailOtp"] {
        browser
            .post("/_local/cognito", json!({ "unknownUser": unknown_user }))
            .await
            .expect_status(204);
        let email = format!("{unknown_user}@example.com");
        browser.sign_in(&email).await.expect_status(200);
    }
    browser
        .post("/_local/cognito", json!({ "unknownUser": "never" }))
        .await
        .expect_status(400);
    world.set_unknown_user(UnknownUser::Varying);
}

#[tokio::test]
async fn other_sites_cannot_change_anything() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let own = world.ready().gateway.clone();
    for (headers, status) in [
        (vec![("origin", "https://evil.example")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (
            vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
            204,
        ),
        (vec![], 204),
    ] {
        let answer = browser
            .send(Method::POST, "/_local/reset", &headers, Vec::new())
            .await;
        answer.expect_status(status);
    }
    let invoke = "/_local/lambda/2015-03-31/functions/initiate-otp/invocations";
    let foreign = [("origin", "https://evil.example")];
    browser
        .send(Method::POST, invoke, &foreign, b"{}".to_vec())
        .await
        .expect_status(403);
}

#[tokio::test]
async fn the_page_is_served_whole_under_a_strict_policy() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let own_name = world.ready().page.trim_start_matches("http://");
    let own_name = [("host", own_name.trim_end_matches('/'))];
    let page = browser.send(Method::GET, "/", &own_name, Vec::new()).await;
    page.expect_status(200);
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));

    let by_address = browser.get("/").await;
    by_address.expect_status(307);
    assert_eq!(
        by_address.header("location"),
        Some(world.ready().page.as_str())
    );

    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = files_of(&sources.join("src/page"), "");
    let package = sources.join("../../auth-browser");
    let elements = files_of(&package.join("elements"), "elements/");
    let others = ["latchkey.js", "proof-of-work.js"].map(str::to_owned);
    for name in own.into_iter().chain(elements).chain(others) {
        let kind = match name.rsplit_once('.') {
            Some((_, "css")) => "text/css",
            Some((_, "js")) => "text/javascript",
            Some((_, _)) | None => continue,
        };
        let served = browser.get(&format!("/_local/page/{name}")).await;
        assert_eq!(
            served.status, 200,
            "{name} is not served: add it to FILES in src/page/mod.rs, or to MODULES of auth-browser"
        );
        assert!(served.header("content-type").unwrap().starts_with(kind));
    }
    browser
        .get("/_local/page/..%2Findex.html")
        .await
        .expect_status(404);
    let contract = browser.get("/_local/openapi.json").await;
    assert_eq!(contract["openapi"], "3.1.1");
}

/// The names of a folder's files, behind a prefix.
fn files_of(folder: &Path, prefix: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.map(|name| format!("{prefix}{name}")).collect()
}

#[tokio::test]
async fn a_request_is_shown_with_what_it_did_and_without_its_secrets() {
    let world = TestWorld::start().await;
    let signed_in = world.sign_in(ADA).await;
    let mut browser = world.browser();
    let listed = browser.get("/_local/requests").await;
    let lines = listed.body.as_array().unwrap();
    assert!(lines.iter().all(|line| line.get("request").is_none()));
    let of_it = |line: &&Value| line["operationId"] == "verifyOtp";
    let line = lines.iter().find(of_it).unwrap();
    assert_eq!(line["asked"], "POST /auth/otp/verify");
    assert_eq!(line["status"], 200);
    let since = browser
        .get(&format!("/_local/requests?since={}", line["id"]))
        .await;
    assert!(!since.body.as_array().unwrap().contains(line));

    let opened = browser
        .get(&format!("/_local/requests/{}", line["id"]))
        .await;
    assert_eq!(opened["request"]["body"]["email"], ADA);
    let calls = opened["calls"].as_array().unwrap();
    assert_eq!(
        u64::try_from(calls.len()).unwrap(),
        line["awsCalls"].as_u64().unwrap()
    );
    assert!(!opened["logs"].as_array().unwrap().is_empty());
    let text = opened.body.to_string();
    for secret in [
        &signed_in.access_token,
        &signed_in.id_token,
        &signed_in.refresh_token,
    ] {
        assert!(!text.contains(secret.as_str()));
    }
    browser.get("/_local/requests/0").await.expect_status(404);

    world
        .invoke("get-authenticated-guest", &json!({ "conversationId": "c" }))
        .await;
    let listed = browser.get("/_local/requests").await;
    let last = listed.body.as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["door"], &last["code"]),
        (&json!("direct"), &json!("AUTH_REQUIRED"))
    );
}

#[tokio::test]
async fn a_mails_html_is_shown_where_it_can_do_nothing() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await
        .expect_status(200);
    let mail = world
        .latest_mail(ADA, 0, Duration::from_secs(5))
        .await
        .unwrap();
    let shown = browser
        .get(&format!("/_local/mailbox/{}/html", mail.id))
        .await;
    shown.expect_status(200);
    assert_eq!(String::from_utf8(shown.bytes.clone()).unwrap(), mail.html);
    let policy = shown.header("content-security-policy").unwrap();
    for rule in ["sandbox;", "default-src 'none'", "frame-ancestors 'self'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    browser
        .get("/_local/mailbox/0/html")
        .await
        .expect_status(404);
}

#[tokio::test]
async fn the_ready_line_and_the_prices_can_be_read() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let ready = browser.get("/_local/ready").await;
    assert_eq!(ready.body, serde_json::to_value(world.ready()).unwrap());
    let prices = browser.get("/_local/prices.json").await;
    assert!(prices["prices"]["ses-mail"]["usd"].is_number());
}

#[tokio::test]
async fn every_function_of_the_contract_is_mounted_and_nothing_else() {
    let world = TestWorld::start().await;
    let functions = auth_api::Contract::embedded().functions().iter();
    let mut listed: Vec<&str> = functions.map(|function| function.name.as_str()).collect();
    listed.sort_unstable();
    assert_eq!(world.functions().collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn a_world_ends_in_order_and_takes_its_waiting_readers_along() {
    let world = World::start(auth_local::Options::default()).await.unwrap();
    let url = format!(
        "{}/latest?to=nobody@example.com&wait=0",
        world.ready().mailbox
    );
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 404);
    tokio::time::timeout(Duration::from_secs(2), world.shutdown())
        .await
        .expect("an orderly end");
    assert!(reqwest::get(&url).await.is_err());
}
