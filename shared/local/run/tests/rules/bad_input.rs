//! Every bad body gets a clear refusal: never a 5xx, never a call to AWS, and no count.
//!
//! ASVS 5.0 1.5.3 (one reading of a text by all), 2.2.1 and 2.2.2 (checked at the service), 16.5.1
//! (errors reveal nothing internal).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::requests::{Sample, authorize, claims, named_fields};
use crate::harness::{Answer, SignedIn, TestWorld};

/// The largest body that an operation takes.
const LARGEST_BODY: usize = 16 * 1024;

/// Operations that take a present password.
const TAKES_A_PASSWORD: [&str; 9] = [
    "login-user",
    "change-password",
    "change-email",
    "export-account",
    "delete-account",
    "setup-mfa",
    "disable-mfa",
    "setup-passkey",
    "delete-passkey",
];

/// A world with a guest, and a browser that authenticates for operations that require it.
async fn signed_in(world: &TestWorld) -> SignedIn<'_> {
    world.sign_in("grace@example.com").await
}

#[track_caller]
fn expect_named(answer: &Answer, fields: &[&str]) {
    answer.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(named_fields(&answer.body), fields, "{}", answer.body);
}

/// Bodies that are not one JSON object in UTF-8, and short enough to be parsed.
fn bodies_that_are_no_object() -> Vec<Vec<u8>> {
    let deep = |open: &str, close: &str, times: usize| {
        format!("{}{}", open.repeat(times), close.repeat(times))
    };
    let texts = [
        "{",
        "}",
        "{}{}",
        "{} {}",
        "{}x",
        "nonsense",
        "null",
        "true",
        "7",
        "-0",
        "1e999",
        "\"text\"",
        "\"{}\"",
        "[]",
        "[{}]",
        " ",
        "\n",
        "{\"a\":}",
        "{\"a\":1,}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":1e999}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"line\nbreak\"}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\":1}\u{0}",
        "\u{0}{}",
        "{/* comment */}",
        "{} // comment",
        "\u{feff}{}",
        "\u{a0}{}",
        "a=b&c=d",
        "<xml/>",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"email\":\"a@example.com\",\"\\u0065mail\":\"b@example.com\"}",
        "{\"a\":{\"b\":[{\"c\":1,\"c\":1}]}}",
        "{\"__proto__\":1,\"__proto__\":2}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
    bodies.extend([
        deep("[", "]", 8000).into_bytes(),
        "[".repeat(10_000).into_bytes(),
        format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000)).into_bytes(),
        format!("{{\"a\":{}", "{\"a\":".repeat(2000)).into_bytes(),
        format!("{{\"a\":{}}}", deep("[", "]", 17)).into_bytes(),
        b"\xff\xfe{\0}\0".to_vec(),
        b"\xfe\xff\0{\0}".to_vec(),
        b"{\"a\":\"\xff\"}".to_vec(),
        b"{\"a\":\"\xc0\xaf\"}".to_vec(),
        b"{\"a\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"a\":\"\xf4\x90\x80\x80\"}".to_vec(),
        b"{\"a\":\"\xe2\x82\"}".to_vec(),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec(),
        vec![0; 100],
    ]);
    bodies
}

/// Slows requests down to the rate of the tightest route.
struct Pace(u32);

impl Pace {
    fn step(&mut self, world: &TestWorld) {
        self.0 += 1;
        if self.0.is_multiple_of(8) {
            world.advance(1);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_one_object_is_refused_as_a_whole() {
    let world = TestWorld::start().await;
    let guest = signed_in(&world).await;
    let mut browser = world.browser();
    let mut pace = Pace(0);
    let before = world.last_call();
    for sample in Sample::with_a_body() {
        authorize(&mut browser, &sample, &guest);
        for body in bodies_that_are_no_object() {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            let answer = sample.send_bytes(&mut browser, body).await;
            pace.step(&world);
            assert_eq!(answer.status, 400, "{} {shown:?}", sample.name());
            expect_named(&answer, &["body"]);
        }
        world.advance(10);
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_unread() {
    let world = TestWorld::start().await;
    let guest = signed_in(&world).await;
    let mut browser = world.browser();
    let before = world.last_call();
    let large = [
        vec![b' '; LARGEST_BODY + 1],
        vec![b'['; 1024 * 1024],
        vec![0xff; 1024 * 1024],
        "{\"a\":".repeat(10_000).into_bytes(),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
        json!({ "email": "a".repeat(1024 * 1024) })
            .to_string()
            .into_bytes(),
    ];
    for sample in Sample::with_a_body() {
        authorize(&mut browser, &sample, &guest);
        for body in &large {
            let answer = sample.send_bytes(&mut browser, body.clone()).await;
            answer.expect_problem(413, "PAYLOAD_TOO_LARGE");
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

/// The limit is at the same byte, whether API Gateway passes a body as text or in Base64.
#[tokio::test]
async fn the_largest_body_is_taken() {
    let world = TestWorld::start().await;
    let mut guest = signed_in(&world).await;
    guest.browser.bearer(&guest.access_token);
    let patch = |length: usize| {
        let mut body = br#"{"name":"Grace"}"#.to_vec();
        body.resize(length, b' ');
        body
    };
    let event = |body: &[u8]| {
        json!({
            "version": "2.0",
            "headers": { "content-type": "application/json" },
            "requestContext": {
                "http": { "method": "PATCH", "path": "/me" },
                "authorizer": { "jwt": { "claims": text_claims(&guest.access_token), "scopes": ["latchkey/session"] } },
            },
            "body": STANDARD.encode(body),
            "isBase64Encoded": true,
        })
    };
    for (length, status) in [(LARGEST_BODY, 200), (LARGEST_BODY + 1, 413)] {
        let in_base64 = world.invoke("update-profile", &event(&patch(length))).await;
        assert_eq!(in_base64["statusCode"], status, "{}", in_base64.body);
    }
    let json = [("content-type", "application/json")];
    for (length, status) in [(LARGEST_BODY, 200), (LARGEST_BODY + 1, 413)] {
        let answer = guest
            .browser
            .send(Method::PATCH, "/me", &json, patch(length))
            .await;
        answer.expect_status(status);
    }
}

/// Claims as API Gateway passes them: all of them text.
fn text_claims(token: &str) -> Value {
    let Value::Object(mut claims) = claims(token) else {
        panic!("claims are an object")
    };
    for claim in claims.values_mut() {
        if !claim.is_string() {
            *claim = claim.to_string().into();
        }
    }
    Value::Object(claims)
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let world = TestWorld::start().await;
    let guest = signed_in(&world).await;
    let mut browser = world.browser();
    let mut pace = Pace(0);
    let before = world.last_call();
    let values = [
        ("null", json!(null)),
        ("boolean", json!(true)),
        ("boolean", json!(false)),
        ("string", json!("true")),
        ("number", json!(0)),
        ("number", json!(12_345_678)),
        ("number", json!(-1)),
        ("number", json!(u64::MAX)),
        ("number", json!(1.5)),
        ("number", json!(1e300)),
        ("array", json!([])),
        ("array", json!(["ada@example.com"])),
        ("array", json!([[[[[[]]]]]])),
        ("object", json!({})),
        ("object", json!({ "$ne": null })),
        ("object", json!({ "S": "ada@example.com" })),
    ];
    for sample in Sample::with_a_body() {
        authorize(&mut browser, &sample, &guest);
        for field in &sample.fields {
            for (kind, value) in &values {
                if field.may_be(kind) {
                    continue;
                }
                let mut body = sample.body.clone().unwrap();
                body[field.name] = value.clone();
                let answer = sample.send_json(&mut browser, &body).await;
                pace.step(&world);
                assert_eq!(
                    answer.status,
                    400,
                    "{} {}: {value}",
                    sample.name(),
                    field.name
                );
                expect_named(&answer, &[field.name]);
                let wanted = if value.is_null() { "required" } else { "type" };
                assert_eq!(answer["errors"][0]["code"], wanted);
            }
        }
        world.advance(10);
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn a_text_that_no_field_can_hold_is_named() {
    let world = TestWorld::start().await;
    let guest = signed_in(&world).await;
    let mut browser = world.browser();
    let mut pace = Pace(0);
    let before = world.last_call();
    let texts = [
        "a".repeat(5000),
        "\u{0}".to_owned(),
        "x\u{0}y".to_owned(),
        "\u{1f}\r\n".to_owned(),
        "\u{202e}".to_owned(),
        "\u{fdfd}".repeat(5000),
        "\u{ff21}\n\u{ff22}".to_owned(),
    ];
    for sample in Sample::with_a_body() {
        authorize(&mut browser, &sample, &guest);
        for field in sample.fields.iter().filter(|field| field.may_be("string")) {
            for text in &texts {
                let mut body = sample.body.clone().unwrap();
                body[field.name] = text.as_str().into();
                // A present password may have this form: only a new one must be longer.
                if TAKES_A_PASSWORD.contains(&sample.name())
                    && (field.name, text.as_str()) == ("password", "\u{202e}")
                {
                    continue;
                }
                let answer = sample.send_json(&mut browser, &body).await;
                pace.step(&world);
                answer.expect_problem(400, "VALIDATION_FAILED");
                let mut named = named_fields(&answer.body);
                // A new password may break several rules at once.
                named.dedup();
                assert_eq!(named, [field.name], "{}", answer.body);
                let message = answer["errors"][0]["message"].as_str().unwrap();
                assert!(!message.contains(text.as_str()) && message.len() < 120);
            }
        }
        world.advance(10);
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn every_missing_field_is_named_at_once() {
    let world = TestWorld::start().await;
    let guest = signed_in(&world).await;
    let mut browser = world.browser();
    let before = world.last_call();
    for sample in Sample::with_a_body() {
        let mut required: Vec<&str> = sample
            .fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
        if required.is_empty() {
            continue;
        }
        authorize(&mut browser, &sample, &guest);
        for answer in [
            sample.send_bytes(&mut browser, Vec::new()).await,
            sample.send_json(&mut browser, &json!({})).await,
            sample
                .send_json(
                    &mut browser,
                    &json!({ "Email": "x", "CODE": "x", "session_token": "x" }),
                )
                .await,
        ] {
            answer.expect_problem(400, "VALIDATION_FAILED");
            let mut named = named_fields(&answer.body);
            named.sort_unstable();
            required.sort_unstable();
            assert_eq!(named, required, "{}", sample.name());
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

/// Addresses that two systems could read differently, or that Cognito cannot take for a user's
/// name.
fn addresses_that_are_refused() -> Vec<String> {
    let long_domain = format!("{0}.{0}.{0}.example", "d".repeat(57));
    let texts = [
        "",
        " ",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "ada@eve@example.com",
        "ada @example.com",
        "ada@ example.com",
        "ada@example .com",
        "ada@example..com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@.example.com",
        "ada@example.com.",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exam_ple.com",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        "ada@127.0.0.1",
        "ada@localhost",
        "\"ada\"@example.com",
        "\"ada lovelace\"@example.com",
        "\"ada@evil\"@example.com",
        "\"\"@example.com",
        "ada\\@evil@example.com",
        "ada(comment)@example.com",
        "ada@(comment)example.com",
        "ada@example.com(comment)",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "mailto:ada@example.com",
        "ada@example.com,eve@example.com",
        "ada@example.com;eve@example.com",
        "ada@example.com eve@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nTo: eve@example.com",
        "ada\r\n@example.com",
        "ada%0d%0aBcc:eve@example.com\r\n",
        "ada@example.com\u{0}",
        "ada\u{0}@example.com",
        "ada@example.com\u{0}.evil.example",
        "ada\u{7f}@example.com",
        "ada\u{200b}@example.com",
        "ada@exam\u{ad}ple.com",
        "ada\u{ff20}example.com",
        "ada\u{fe6b}example.com",
        "ada@example\u{ff0e}com",
        "ada@example\u{3002}com",
        "\u{430}da@example.com",
        "ad\u{e0}@example.com",
        "ada@\u{435}xample.com",
        "ada@ex\u{e4}mple.com",
        "\u{ff41}\u{ff44}\u{ff41}@example.com",
        "\u{1d41a}da@example.com",
        "\u{202e}moc.elpmaxe@ada",
        "\u{131}van@example.com",
        "\u{212a}ate@example.com",
        "../../etc/passwd@example.com\u{0}",
        "guestId#GST-2026-7K3QXB",
    ];
    let mut addresses: Vec<String> = texts.map(str::to_owned).into();
    for length in [129, 130, 200, 254, 255, 256, 320, 5000] {
        let fill = length - long_domain.len().min(length - 2) - 1;
        let domain = &long_domain[long_domain.len().saturating_sub(length - 2)..];
        addresses.push(format!("{}@{domain}", "a".repeat(fill)));
    }
    addresses.push(format!("{}@example.com", "a".repeat(65)));
    addresses.push(format!("ada@{}.com", "d".repeat(64)));
    addresses
}

/// NIST SP 800-63B-4 §3.1.3: a code goes to one mailbox, and all systems agree on it.
#[tokio::test]
async fn an_address_that_could_be_read_in_two_ways_is_refused() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let before = world.last_call();
    let session = json!("3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs");
    for (index, address) in addresses_that_are_refused().into_iter().enumerate() {
        if index % 50 == 49 {
            world.advance(2);
        }
        for (path, body) in [
            ("/auth/otp/initiate", json!({ "email": address })),
            (
                "/auth/otp/verify",
                json!({ "email": address, "code": "12345678", "sessionToken": session }),
            ),
        ] {
            let answer = browser.post(path, body).await;
            assert_eq!(answer.status, 400, "{address:?} {}", answer.body);
            expect_named(&answer, &["email"]);
            let message = answer["errors"][0]["message"].as_str().unwrap();
            let example = "name@example.com".contains(address.trim());
            assert!(example || !message.contains(address.trim()), "{message}");
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn an_address_is_the_same_in_any_letter_case() {
    let world = TestWorld::start().await;
    let first = world.sign_in("ada.lovelace+x@example.com").await;
    let typed = "ADA.Lovelace+X@EXAMPLE.com";
    let mut browser = world.browser();
    let started = browser
        .post("/auth/otp/initiate", json!({ "email": typed }))
        .await;
    started.expect_status(200);
    let proof = json!({
        "email": "Ada.Lovelace+X@Example.COM",
        "code": world.mail_code("ada.lovelace+x@example.com").await,
        "sessionToken": started["sessionToken"],
    });
    let answer = browser.post("/auth/otp/verify", proof).await;
    answer.expect_status(200);
    assert_eq!(answer["user"], first.user);
}

/// Cognito takes user names of 128 characters.
#[tokio::test]
async fn the_longest_address_signs_in() {
    let world = TestWorld::start().await;
    let domain = format!("{0}.{0}.example", "d".repeat(50));
    let address = format!("{}@{domain}", "a".repeat(128 - domain.len() - 1));
    assert_eq!(address.len(), 128);
    assert_eq!(
        world.sign_in(&address).await.user["email"],
        address.as_str()
    );
}

#[tokio::test]
async fn codes_and_session_tokens_of_another_form_are_named() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let before = world.last_call();
    let session = "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs";
    for code in [
        "",
        "12345",
        "123456789",
        "12 34 5",
        "1234567a",
        "+1234567",
        "1234567.",
        "0x123456",
        "1e7000",
        "\u{ff11}\u{ff12}\u{ff13}\u{ff14}5",
        "123\u{664}\u{665}\u{666}a",
        "123456\u{0}",
        "12345678 OR 1=1",
        "\u{2460}23456",
    ] {
        let body = json!({ "email": "ada@example.com", "code": code, "sessionToken": session });
        expect_named(&browser.post("/auth/otp/verify", body).await, &["code"]);
    }
    for token in [
        "",
        "x",
        &session[1..],
        &format!("{session}A"),
        &format!("{session}="),
        &session.replace('-', "+"),
        &session.replace('-', "/"),
        &session.replace('-', " "),
        &format!("{}\u{0}", &session[1..]),
        &format!("{}!", &session[1..]),
        "../../../../../../../../../../../../etc/pass",
        &"\u{ff21}".repeat(43),
    ] {
        let body = json!({ "email": "ada@example.com", "code": "12345678", "sessionToken": token });
        expect_named(
            &browser.post("/auth/otp/verify", body).await,
            &["sessionToken"],
        );
        expect_named(
            &browser
                .post("/auth/otp/resend", json!({ "sessionToken": token }))
                .await,
            &["sessionToken"],
        );
    }
    let delivery = json!({ "email": "ada@example.com", "code": "12345678", "sessionToken": session, "tokenDelivery": "Cookie" });
    expect_named(
        &browser.post("/auth/otp/verify", delivery).await,
        &["tokenDelivery"],
    );
    let everything =
        json!({ "email": "ada", "code": "1", "sessionToken": "x", "tokenDelivery": "pigeon" });
    let answer = browser.post("/auth/otp/verify", everything).await;
    expect_named(&answer, &["email", "code", "sessionToken", "tokenDelivery"]);
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn unknown_fields_change_nothing() {
    let mut nested = json!(1);
    for _ in 0..15 {
        nested = json!([nested]);
    }
    for sample in Sample::with_a_body() {
        // Mails and wrong passwords count, and those of all operations would be too many.
        let world = TestWorld::start().await;
        let mut guest = signed_in(&world).await;
        let mut browser = world.browser();
        authorize(&mut browser, &sample, &guest);
        let mut body = sample.body.clone().unwrap();
        let plain = sample.send_json(&mut browser, &body).await;
        if sample.name() == "logout-user" {
            guest = signed_in(&world).await;
            authorize(&mut browser, &sample, &guest);
        }
        for (name, value) in [
            ("", json!("")),
            ("x", nested.clone()),
            ("__proto__", json!({ "admin": true })),
            ("constructor", json!({ "prototype": {} })),
            (
                "claims",
                json!({ "sub": "11111111-2222-4333-8444-555555555555", "token_use": "access", "iat": 9_999_999_999_u64 }),
            ),
            ("requestContext", json!({ "http": {} })),
            ("version", json!("2.0")),
            ("attempts", json!(-100)),
            ("otpSentAt", json!("2099-01-01T00:00:00Z")),
            ("body", json!("{}")),
            ("EMAIL", json!("eve@example.com")),
        ] {
            body[name] = value;
        }
        if sample.name() == "register-user" {
            body["email"] = "grace.hopper@example.com".into();
        }
        let decorated = sample.send_json(&mut browser, &body).await;
        assert_eq!(
            decorated.status,
            plain.status,
            "{} {}",
            sample.name(),
            decorated.body
        );
        assert_eq!(decorated["code"], plain["code"]);
    }
}

/// A malformed request spends no budget of the address or of the sender.
#[tokio::test]
async fn nothing_malformed_counts_against_a_limit() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    for body in [
        json!({ "email": ["grace@example.com"] }),
        json!({ "email": "grace@example" }),
        json!([]),
        json!({}),
    ] {
        for _ in 0..10 {
            browser
                .post("/auth/otp/initiate", body.clone())
                .await
                .expect_status(400);
        }
    }
    let headers = [("content-type", "text/plain")];
    let plain = br#"{"email":"grace@example.com"}"#.to_vec();
    browser
        .send(Method::POST, "/auth/otp/initiate", &headers, plain)
        .await
        .expect_status(415);
    let started = browser
        .post(
            "/auth/otp/initiate",
            json!({ "email": "grace@example.com" }),
        )
        .await;
    started.expect_status(200);
    let limits = started.header("ratelimit").unwrap();
    assert!(
        limits.contains("r=4;") && limits.contains("r=29;"),
        "{limits}"
    );

    let session = started.text("sessionToken");
    for body in [
        json!({ "email": "grace@example.com", "code": "1", "sessionToken": session }),
        json!({ "email": "grace@example.com", "code": 12_345_678, "sessionToken": session }),
        json!({ "email": "grace@example.com", "sessionToken": session }),
        json!({ "email": "grace", "code": "12345678", "sessionToken": session }),
    ] {
        browser
            .post("/auth/otp/verify", body)
            .await
            .expect_status(400);
    }
    let wrong =
        json!({ "email": "grace@example.com", "code": "13572468", "sessionToken": session });
    let wrong = browser.post("/auth/otp/verify", wrong).await;
    wrong.expect_problem(401, "INVALID_OTP");
    assert_eq!(wrong["attemptsRemaining"], 2);
}
