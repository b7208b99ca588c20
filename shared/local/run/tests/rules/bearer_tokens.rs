//! Bearer tokens: only an access token of this pool, for this client, in its time, opens a route.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::harness::requests::{Sample, claims, header, opens};
use crate::harness::{Browser, TestWorld};

/// A key of two thousand bits that is not the pool's: PKCS#1, made for these tests.
const FOREIGN_KEY: &[u8] = include_bytes!("foreign-key.der");

/// RFC 8725 §3.1 to §3.3 (algorithms and signatures), §3.8 (issuer), §3.10 (headers that name
/// keys); ASVS 5.0 9.1.1, 9.1.2, 9.1.3. The gateway answers, and no function runs.
#[tokio::test]
async fn a_token_that_this_pool_did_not_sign_opens_no_route() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let good = guest.access_token.as_str();
    let mut forged = changed(good);
    forged.extend(signed_by_another(good, &world.ready().gateway));
    forged.extend(signed_by_public_text(good, &published_keys(&world).await));
    // Worlds in memory share their keys, so only the issuer differs.
    let elsewhere = TestWorld::start().await;
    let theirs = elsewhere.sign_in("ada@example.com").await.access_token;
    assert_eq!(header(&theirs)["kid"], header(good)["kid"]);
    forged.push(("our key, for another issuer", theirs));
    let before = world.last_call();
    let mut browser = world.browser();
    for (how, token) in &forged {
        for sample in Sample::behind_the_authorizer() {
            browser.bearer(token);
            let refused = sample.send(&mut browser).await;
            assert_eq!(refused.status, 401, "{how} at {}", sample.name());
            assert_eq!(refused.body, json!({ "message": "Unauthorized" }));
            let challenge = refused.header("www-authenticate").unwrap();
            assert!(
                challenge.contains(r#"error="invalid_token""#),
                "{how}: {challenge}"
            );
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
    assert!(opens(&world, &guest.access_token).await);
}

/// How a token was forged, and the token.
type Forgery = (&'static str, String);

/// A token whose header or claims were changed after it was signed.
fn changed(good: &str) -> Vec<Forgery> {
    let [head, body, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let kid = &header(good)["kid"];
    let with_algorithm = |name: &str| {
        let header = json!({ "alg": name, "kid": kid }).to_string();
        format!("{}.{body}", URL_SAFE_NO_PAD.encode(header))
    };
    let with_claim = |name: &str, value: Value| {
        let mut claims = claims(good);
        claims[name] = value;
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("{head}.{claims}.{signature}")
    };
    let mut forged = vec![
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("a signature cut short", good[..good.len() - 4].to_owned()),
        ("a padded signature", format!("{good}==")),
        (
            "another's sub",
            with_claim("sub", json!("11111111-2222-4333-8444-555555555555")),
        ),
        (
            "another's address",
            with_claim("email", json!("eve@example.com")),
        ),
        ("a longer life", with_claim("exp", json!(4_102_444_800_i64))),
    ];
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = with_algorithm(name);
        forged.push((
            "no algorithm, but a signature",
            format!("{unsigned}.{signature}"),
        ));
        forged.push(("no algorithm", format!("{unsigned}.")));
    }
    for name in ["RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256"] {
        forged.push((
            "another algorithm",
            format!("{}.{signature}", with_algorithm(name)),
        ));
    }
    forged
}

/// The same claims, signed by a key of the attacker's.
fn signed_by_another(good: &str, attackers_url: &str) -> Vec<Forgery> {
    let key = EncodingKey::from_rsa_der(FOREIGN_KEY);
    let sign = |header: Header| jsonwebtoken::encode(&header, &claims(good), &key).unwrap();
    let named = |kid: &str| Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    let good_kid = header(good)["kid"].as_str().unwrap().to_owned();
    let brought = Header {
        jwk: Some(Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap()),
        ..named(&good_kid)
    };
    let fetched = Header {
        jku: Some(attackers_url.to_owned()),
        x5u: Some(attackers_url.to_owned()),
        ..named(&good_kid)
    };
    vec![
        ("another key under our id", sign(named(&good_kid))),
        ("another key under its own id", sign(named("mine"))),
        ("another key and no id", sign(Header::new(Algorithm::RS256))),
        ("an id that is a path", sign(named("../../../../dev/null"))),
        ("an id that is SQL", sign(named("' OR 1=1 --"))),
        ("a key that it brings along", sign(brought)),
        ("a place to fetch keys from", sign(fetched)),
    ]
}

/// The same claims, signed symmetrically by a public text: the public key used as a secret.
fn signed_by_public_text(good: &str, published: &Value) -> Vec<Forgery> {
    let kid = header(good)["kid"].as_str().unwrap().to_owned();
    let mut keys = published["keys"].as_array().unwrap().iter();
    let key = keys.find(|key| key["kid"] == kid.as_str()).unwrap();
    let modulus = key["n"].as_str().unwrap();
    let secrets = [
        URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        modulus.as_bytes().to_vec(),
        key.to_string().into_bytes(),
        published.to_string().into_bytes(),
        kid.as_bytes().to_vec(),
        Vec::new(),
    ];
    let sign = |secret: Vec<u8>| {
        let header = Header {
            kid: Some(kid.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(&secret);
        jsonwebtoken::encode(&header, &claims(good), &key).unwrap()
    };
    secrets
        .map(|secret| ("a symmetric signature by public text", sign(secret)))
        .into()
}

async fn published_keys(world: &TestWorld) -> Value {
    let ready = world.ready();
    let url = format!(
        "{}/{}/.well-known/jwks.json",
        ready.cognito, ready.user_pool_id
    );
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// ASVS 5.0 9.2.1.
#[tokio::test]
async fn an_access_token_lives_an_hour() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    world.advance(3590);
    browser.get("/me").await.expect_status(200);
    world.advance(10);
    for sample in Sample::behind_the_authorizer() {
        sample.send(&mut browser).await.expect_status(401);
    }
}

/// ASVS 5.0 9.2.1, RFC 7519 §4.1.5: a token counts from the very second of its `nbf`. The gateway
/// checks it; on a route with an optional token, the operation does.
#[tokio::test]
async fn a_token_counts_from_its_beginning_on() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.sign_in("ada@example.com").await;
    let now = world.clock().now().as_seconds();
    let mut browser = world.browser();
    for (begins, is_early) in [
        (json!(now - 1), false),
        (json!(now), false),
        (json!(now + 1), true),
        (json!(now + 3600), true),
        (json!((now - 1).to_string()), true),
        (Value::Null, true),
    ] {
        let token = world.signed_with(&guest.access_token, &json!({ "nbf": begins }));
        browser.bearer(&token);
        for sample in Sample::behind_the_authorizer() {
            if is_early {
                sample.send(&mut browser).await.expect_status(401);
            }
        }
        assert_eq!(
            opens_at_the_gateway(&mut browser).await,
            !is_early,
            "{begins}"
        );
        let conversation = json!({ "conversationId": "of-an-agent" });
        let begun = browser.post("/auth/oauth2/authorize", conversation).await;
        begun.expect_status(if is_early { 401 } else { 200 });
    }
    let token = world.signed_with(&guest.access_token, &json!({ "nbf": now + 1 }));
    browser.bearer(&token);
    assert!(!opens_at_the_gateway(&mut browser).await);
    world.advance(1);
    assert!(opens_at_the_gateway(&mut browser).await);
}

async fn opens_at_the_gateway(browser: &mut Browser<'_>) -> bool {
    let answer = browser.get("/me").await;
    assert!([200, 401].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

/// ASVS 5.0 9.2.2, RFC 8725 §3.12: a token for one purpose serves no other. The gateway finds no
/// scope; the direct door, without a gateway before it, checks `token_use` itself.
#[tokio::test]
async fn an_id_token_opens_no_route() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    for sample in Sample::behind_the_authorizer() {
        browser.bearer(&guest.id_token);
        let refused = sample.send(&mut browser).await;
        refused.expect_status(403);
        assert_eq!(refused.body, json!({ "message": "Forbidden" }));
        browser.bearer(&guest.refresh_token);
        sample.send(&mut browser).await.expect_status(401);
        for uses in [
            json!("id"),
            json!("refresh"),
            json!("Access"),
            Value::Null,
            json!(["access"]),
        ] {
            let mut event = sample.event();
            event["claims"] = claims(&guest.access_token);
            event["claims"]["token_use"] = uses.clone();
            let direct = world.invoke(sample.name(), &event).await;
            assert_eq!(
                direct["error"]["code"],
                "AUTH_REQUIRED",
                "{} {uses}",
                sample.name()
            );
        }
    }
}

/// ASVS 5.0 8.2.1: no route behind the authorizer answers without it, at any door.
#[tokio::test]
async fn nobody_reaches_an_operation_of_callers_without_a_caller() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    for sample in Sample::behind_the_authorizer() {
        for authorization in [
            String::new(),
            "Bearer".to_owned(),
            "Basic YTpi".to_owned(),
            format!("Basic {}", guest.access_token),
            format!("Bearer {0},{0}", guest.access_token),
        ] {
            browser.always("authorization", &authorization);
            let refused = sample.send(&mut browser).await;
            // API Gateway ignores the scheme: a good token passes under any, or none.
            if refused.status < 400 {
                assert!(!authorization.starts_with("Bearer"), "{authorization}");
            } else {
                refused.expect_status(401);
            }
        }
        browser.always("authorization", "");
        let mut body = sample.body.clone().unwrap_or_else(|| json!({}));
        body["claims"] = claims(&guest.access_token);
        sample
            .send_json(&mut browser, &body)
            .await
            .expect_status(401);
        let direct = world.invoke(sample.name(), &sample.event()).await;
        assert_eq!(
            direct["error"]["code"],
            "AUTH_REQUIRED",
            "{}",
            sample.name()
        );
    }
}
