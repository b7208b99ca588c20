//! A small OAuth2 provider, written from the RFCs: code with PKCE, refresh with rotation, client
//! credentials, and users' JWTs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Query, RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

use crate::world::Clock;

pub(crate) const CLIENT_ID: &str = "client & one";
pub(crate) const CLIENT_SECRET: &str = "s3cret/+:%";

const ANY: &str = "*";

#[derive(Clone)]
pub(crate) struct TestProvider {
    pub(crate) issuer: String,
    key: Arc<EncodingKey>,
    public: Arc<Value>,
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

/// The provider's records and switches.
#[derive(Default)]
pub(crate) struct Inner {
    redirect_uris: Vec<String>,
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, String>,
    issued: usize,
    /// Every authorization request.
    pub(crate) authorizations: Vec<BTreeMap<String, String>>,
    /// Every token request.
    pub(crate) token_requests: Vec<Vec<(String, String)>>,
    /// The person says no.
    pub(crate) denies: bool,
    /// The token endpoint's status instead of an answer.
    pub(crate) token_failure: Option<u16>,
    /// Only `client_secret_post`.
    pub(crate) wants_post: bool,
    /// No refresh tokens.
    pub(crate) issues_no_refresh_token: bool,
    /// `iss` in the redirect (RFC 9207).
    pub(crate) names_itself: Option<String>,
}

struct Code {
    person: String,
    redirect_uri: String,
    challenge: String,
    scope: String,
}

impl TestProvider {
    pub(crate) async fn start(clock: Clock) -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
                .unwrap();
        // An uncompressed point: 4, x, y.
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let public = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: Arc::new(EncodingKey::from_ec_der(pkcs8.as_ref())),
            public: Arc::new(public),
            clock,
            inner: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer)
    }

    pub(crate) fn register(&self, redirect_uri: &str) {
        self.look().redirect_uris.push(redirect_uri.to_owned());
    }

    /// Takes any redirect URI from now on.
    pub(crate) fn register_anything(&self) {
        self.look().redirect_uris.push(ANY.to_owned());
    }

    pub(crate) fn look(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// A user's token, valid for an hour. `serial` distinguishes tokens of one subject.
    pub(crate) fn jwt(&self, subject: &str, serial: u32) -> String {
        self.sign(&json!({
            "iss": self.issuer, "sub": subject, "exp": self.clock.now() + 3_600, "jti": serial.to_string(),
        }))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("one".to_owned());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    /// A token with a slightly wrong signature.
    pub(crate) fn forged(token: &str) -> String {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{signed}.{other}{}", &signature[1..])
    }

    /// The user and the scopes of the access token.
    pub(crate) fn reads(access_token: &str) -> (String, String) {
        let mut parts = access_token.split('|');
        let person = parts.nth(1).unwrap().to_owned();
        (person, parts.next().unwrap().to_owned())
    }

    /// Ends the sessions of all people: refresh tokens become invalid.
    pub(crate) fn revoke_everything(&self) {
        self.look().refresh_tokens.clear();
    }
}

async fn discovery(State(provider): State<TestProvider>) -> Json<Value> {
    let methods = if provider.look().wants_post {
        vec!["client_secret_post"]
    } else {
        vec!["client_secret_basic", "client_secret_post"]
    };
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?tenant=blue"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "token_endpoint_auth_methods_supported": methods,
    }))
}

async fn jwks(State(provider): State<TestProvider>) -> Json<Value> {
    Json(json!({"keys": [*provider.public]}))
}

async fn authorize(
    State(provider): State<TestProvider>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut inner = provider.look();
    inner.authorizations.push(query.clone());
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let known = inner
        .redirect_uris
        .iter()
        .any(|uri| uri == ANY || uri == asked("redirect_uri"));
    if !known
        || asked("client_id") != CLIENT_ID
        || asked("response_type") != "code"
        || asked("code_challenge_method") != "S256"
        || asked("tenant") != "blue"
    {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut back = Url::parse(asked("redirect_uri")).unwrap();
    back.query_pairs_mut().append_pair("state", asked("state"));
    if let Some(issuer) = &inner.names_itself {
        back.query_pairs_mut().append_pair("iss", issuer);
    }
    if inner.denies {
        back.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "the person said no");
    } else {
        let cookie = headers.get("cookie").unwrap().to_str().unwrap();
        inner.issued += 1;
        let code = format!("code-{}", inner.issued);
        let consent = Code {
            person: cookie.strip_prefix("person=").unwrap().to_owned(),
            redirect_uri: asked("redirect_uri").to_owned(),
            challenge: asked("code_challenge").to_owned(),
            scope: asked("scope").to_owned(),
        };
        inner.codes.insert(code.clone(), consent);
        back.query_pairs_mut().append_pair("code", &code);
    }
    (StatusCode::FOUND, [("location", back.to_string())]).into_response()
}

async fn token(
    State(provider): State<TestProvider>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form: Vec<(String, String)> = form_urlencoded::parse(&form).into_owned().collect();
    let mut inner = provider.look();
    inner.token_requests.push(form.clone());
    if let Some(status) = inner.token_failure {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let sent = |name: &str| {
        let pair = form.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let by_basic = headers.get("authorization").map(|value| {
        let pair = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let pair = String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap();
        let (id, secret) = pair.split_once(':').unwrap();
        let decode = |text: &str| {
            let decoded = format!("x={text}");
            let pair = form_urlencoded::parse(decoded.as_bytes()).next().unwrap();
            pair.1.into_owned()
        };
        decode(id) == CLIENT_ID && decode(secret) == CLIENT_SECRET
    });
    let by_post = sent("client_id") == CLIENT_ID && sent("client_secret") == CLIENT_SECRET;
    let proved = match by_basic {
        Some(proved) => proved && !inner.wants_post,
        None => by_post,
    };
    if !proved {
        return refused("invalid_client");
    }
    match sent("grant_type") {
        "authorization_code" => {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(sent("code_verifier")));
            match inner.codes.remove(sent("code")) {
                Some(code)
                    if code.challenge == challenge && code.redirect_uri == sent("redirect_uri") =>
                {
                    inner.issue(&code.person, &code.scope)
                }
                _ => refused("invalid_grant"),
            }
        }
        "refresh_token" => match inner.refresh_tokens.remove(sent("refresh_token")) {
            Some(person) => inner.issue(&person, "renewed"),
            None => refused("invalid_grant"),
        },
        "client_credentials" if sent("scope") == "forbidden" => refused("invalid_scope"),
        "client_credentials" => {
            let scope = sent("scope").to_owned();
            inner.issue("nobody", &scope)
        }
        _ => refused("unsupported_grant_type"),
    }
}

impl Inner {
    fn issue(&mut self, person: &str, scope: &str) -> Response {
        self.issued += 1;
        let serial = self.issued;
        let mut answer = json!({
            "access_token": format!("access|{person}|{scope}|{serial}"),
            "token_type": "bearer",
            "expires_in": 3_600,
        });
        if !self.issues_no_refresh_token {
            let refresh_token = format!("refresh-{serial}");
            self.refresh_tokens
                .insert(refresh_token.clone(), person.to_owned());
            answer["refresh_token"] = json!(refresh_token);
        }
        Json(answer).into_response()
    }
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
}
