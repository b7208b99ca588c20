//! Worlds for tests: start one, be a browser in it, read its mail, move its time, break its AWS.
//!
//! ```ignore
//! #[tokio::test]
//! async fn a_new_address_signs_in() {
//!     let world = TestWorld::start().await;
//!     let mut browser = world.browser();
//!     let started = browser.post("/auth/otp/initiate", json!({ "email": "ada@example.com" })).await;
//!     assert_eq!(started.status, 200);
//!     let code = world.mail_code("ada@example.com").await;
//!     let signed_in = browser
//!         .post("/auth/otp/verify", json!({ "email": "ada@example.com", "code": code, "sessionToken": started["sessionToken"] }))
//!         .await;
//!     assert_eq!(signed_in.status, 200);
//! }
//! ```
//!
//! Two things happen unasked, for every sender of requests:
//! - **The contract**: every exchange that passes the gateway is held against it. An answer that it
//!   does not describe fails the test at the next [`Browser`] answer, or when the world is dropped.
//!   A request may break it (bad input is tested too) unless it succeeds.
//! - **Secrecy**: every address, name, code and token that passes is remembered, and when the world
//!   is dropped, the test fails if one of them stands in what the functions logged.

pub(crate) mod aftermath;
pub(crate) mod authenticator_app;
pub(crate) mod authorizations;
pub(crate) mod backstage;
pub(crate) mod case;
pub(crate) mod consent;
pub(crate) mod consent_page;
#[path = "../../../cognito/tests/cognito/device.rs"]
pub(crate) mod device;
pub(crate) mod operators;
pub(crate) mod passkeys;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod public_client;
pub(crate) mod requests;
pub(crate) mod stage;
pub(crate) mod steps;
pub(crate) mod tool_results;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::{Deref, Index};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use auth_api::Contract;
use auth_local::{
    AwsCall, Fault, Mail, ObservedExchange, Options, Settings, Snapshot, Watchers, World,
};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract_checker::{Checker, Exchange, Side};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// A mail that was sent arrives within milliseconds. After this time it was never sent.
const MAIL_PATIENCE: Duration = Duration::from_secs(5);

/// Longer than a function caches secrets, signing keys and workload tokens.
const RENEWAL: Duration = Duration::from_hours(7);

/// Shorter texts occur in random ones by chance, and prove nothing.
const SHORTEST_SECRET: usize = 6;

/// Members that identify a person. They must not be logged either.
const PERSONAL_MEMBERS: [&str; 2] = ["email", "name"];

/// Members of requests and answers that must never be logged, at any depth.
const SECRET_MEMBERS: [&str; 19] = [
    "password",
    "newPassword",
    "code",
    "otp_code",
    "sessionToken",
    "session_token",
    "accessToken",
    "access_token",
    "idToken",
    "id_token",
    "refreshToken",
    "refresh_token",
    "backupCode",
    "mfaCode",
    "signature",
    "secret",
    "otpauthUri",
    "qrSvg",
    "qrPng",
];

static CHECKER: LazyLock<Checker<'static>> =
    LazyLock::new(|| Checker::new(Contract::embedded()).expect("the contract's schemas compile"));

/// A world in memory that compares its exchanges with the contract. Derefs to [`World`].
pub(crate) struct TestWorld {
    world: World,
    seen: Arc<Mutex<Seen>>,
}

/// A moment of a world.
pub(crate) struct Moment {
    snapshot: Snapshot,
    seen: Seen,
}

#[derive(Clone, Default)]
struct Seen {
    violations: Vec<String>,
    secrets: BTreeSet<String>,
    /// Addresses and names: those of the secrets that records have to hold.
    personal: BTreeSet<String>,
}

impl Deref for TestWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl TestWorld {
    /// A fresh world in memory. Answers of limited operations come without their floor, which only
    /// costs time here.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same with settings by their environment names, such as `("OTP_ATTEMPTS", "2")`.
    pub(crate) async fn with_settings(settings: &[(&str, &str)]) -> Self {
        Self::start_with(|options| {
            for (name, value) in settings {
                options.settings = options
                    .settings
                    .clone()
                    .with(name, value)
                    .expect("a setting");
            }
        })
        .await
    }

    /// The same with anything changed. Watchers that `change` sets are called besides the harness's
    /// own.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            settings: Settings::default()
                .with("OTP_RESPONSE_FLOOR_MS", "0")
                .and_then(|settings| settings.with("OTP_REFUSAL_FLOOR_MS", "0"))
                .expect("a setting"),
            ..Options::default()
        };
        change(&mut options);
        let seen = Arc::<Mutex<Seen>>::default();
        options.watchers = watched(options.watchers, &seen);
        let world = World::start(options).await.expect("the world starts");
        Self { world, seen }
    }

    /// A browser with an empty cookie jar, at 127.0.0.1.
    pub(crate) fn browser(&self) -> Browser<'_> {
        self.browser_at("127.0.0.1")
    }

    /// A browser at another address of this machine, such as `127.0.0.7`: the gateway sees it as
    /// the client's IP.
    pub(crate) fn browser_at(&self, address: &str) -> Browser<'_> {
        let address: IpAddr = address.parse().expect("an IP address");
        let http = reqwest::Client::builder()
            .local_address(address)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Browser {
            world: self,
            http,
            cookies: BTreeMap::new(),
            headers: HeaderMap::new(),
            signs: false,
        }
    }

    /// Signs an address in by an emailed code: the first step of most tests.
    pub(crate) async fn sign_in(&self, email: &str) -> SignedIn<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(email).await;
        answer.expect_status(200);
        SignedIn {
            access_token: answer.text("accessToken"),
            id_token: answer.text("idToken"),
            refresh_token: answer.text("refreshToken"),
            user: answer["user"].clone(),
            browser,
        }
    }

    /// The code in the newest mail to an address; waits for the first one.
    pub(crate) async fn mail_code(&self, email: &str) -> String {
        self.mail(email).await.code.expect("a code in the mail")
    }

    /// The newest mail to an address; waits for the first one.
    pub(crate) async fn mail(&self, email: &str) -> Mail {
        let mail = self.latest_mail(email, 0, MAIL_PATIENCE).await;
        mail.unwrap_or_else(|| panic!("no mail to {email} in {MAIL_PATIENCE:?}"))
    }

    /// Resets the world some time later: no people are left, and no function uses its cache. For
    /// most tests that equals a new world, in a fraction of the time. The exchanges until now are
    /// checked first, as at the end of a world.
    pub(crate) fn renew(&self) {
        self.judge();
        *self.seen.lock().expect("no panic meanwhile") = Seen::default();
        let ahead = self.clock().ahead();
        self.reset().expect("a clean state");
        let renewed = self.world.advance(ahead + RENEWAL);
        renewed.expect("the clock moves");
    }

    /// Fails if an exchange broke the contract, or a secret was logged.
    pub(crate) fn judge(&self) {
        self.assert_contract();
        self.assert_secrecy();
    }

    /// A moment to which the world can return.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            snapshot: self.snapshot().expect("a snapshot"),
            seen: self.seen.lock().expect("no panic meanwhile").clone(),
        }
    }

    /// Returns to a moment. What came after it is judged no more.
    pub(crate) fn return_to(&self, moment: &Moment) {
        self.restore(&moment.snapshot).expect("the state of then");
        self.seen
            .lock()
            .expect("no panic meanwhile")
            .clone_from(&moment.seen);
    }

    /// The exchanges of this world are judged no more: a test has failed in it.
    pub(crate) fn forget(&self) {
        *self.seen.lock().expect("no panic meanwhile") = Seen::default();
    }

    /// Moves time ahead for everything in the world.
    pub(crate) fn advance(&self, seconds: u64) {
        self.world
            .advance(Duration::from_secs(seconds))
            .expect("the clock moves");
    }

    /// Arms a fault, such as `Fault::new(FaultKind::Lost, "cognito-idp",
    /// "AdminInitiateAuth").nth(2)`.
    pub(crate) fn fault(&self, fault: Fault) {
        self.arm(fault);
    }

    /// The functions' calls so far, as `service:Action`, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.actions_since(0)
    }

    /// The same after a call's id; see [`World::last_call`].
    pub(crate) fn actions_since(&self, since: u64) -> Vec<String> {
        let calls = self.calls(since);
        calls
            .iter()
            .map(|call| format!("{}:{}", call.service, call.action))
            .collect()
    }

    /// The calls of one function.
    pub(crate) fn calls_of(&self, function: &str) -> Vec<AwsCall> {
        self.calls(0)
            .into_iter()
            .filter(|call| call.function == function)
            .collect()
    }

    /// A call of Cognito's own endpoint that needs no credentials: unsigned,
    /// `AWSCognitoIdentityProviderService.{action}`.
    pub(crate) async fn cognito_call(&self, action: &str, input: Value) -> Answer {
        let request = reqwest::Client::new()
            .post(&self.ready().cognito)
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "x-amz-target",
                format!("AWSCognitoIdentityProviderService.{action}"),
            )
            .body(input.to_string());
        Answer::read(request.send().await.expect("Cognito answers")).await
    }

    /// Invokes a function directly, as a person at the console does.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Answer {
        self.invoke_with(function, event, &[]).await
    }

    /// Calls an agent's tool, as an `AgentCore` Gateway does.
    pub(crate) async fn call_tool(&self, function: &str, tool: &str, arguments: &Value) -> Answer {
        self.call_tool_in("a-conversation", function, tool, arguments)
            .await
    }

    /// The same in another conversation.
    pub(crate) async fn call_tool_in(
        &self,
        conversation: &str,
        function: &str,
        tool: &str,
        arguments: &Value,
    ) -> Answer {
        let context = json!({
            "bedrockAgentCoreToolName": format!("latchkey___{tool}"),
            "bedrockAgentCoreSessionId": conversation,
        });
        self.call_tool_with(context, function, arguments).await
    }

    /// The same through a gateway that names itself, but no conversation.
    pub(crate) async fn call_tool_through(
        &self,
        gateway: &str,
        function: &str,
        tool: &str,
        arguments: &Value,
    ) -> Answer {
        let context = json!({
            "bedrockAgentCoreMessageVersion": "1.0",
            "bedrockAgentCoreGatewayId": gateway,
            "bedrockAgentCoreToolName": format!("latchkey___{tool}"),
        });
        self.call_tool_with(context, function, arguments).await
    }

    async fn call_tool_with(&self, custom: Value, function: &str, arguments: &Value) -> Answer {
        let context = STANDARD.encode(json!({ "custom": custom }).to_string());
        let answer = self
            .invoke_with(function, arguments, &[("x-amz-client-context", &context)])
            .await;
        tool_results::assert_described(function, &answer.body);
        answer
    }

    /// The Invoke API with headers of the caller's choice.
    pub(crate) async fn invoke_with(
        &self,
        function: &str,
        event: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = format!(
            "{}/2015-03-31/functions/{function}/invocations",
            self.ready().lambda
        );
        let mut request = reqwest::Client::new().post(url).body(event.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.remember_secrets(event);
        let answer = Answer::read(request.send().await.expect("Lambda answers")).await;
        self.remember_secrets(&answer.body);
        answer
    }

    /// Sends raw bytes to the gateway, and returns the answer until the connection closes: ask for
    /// `Connection: close`.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let address = self.ready().gateway.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("a connection");
        stream.write_all(request).await.expect("the gateway reads");
        let mut answer = Vec::new();
        stream
            .read_to_end(&mut answer)
            .await
            .expect("the gateway answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Adds a test's own secrets, sent past the gateway, to those that must not be logged.
    pub(crate) fn remember_secrets(&self, input: &Value) {
        self.seen
            .lock()
            .expect("no panic meanwhile")
            .remember(input);
    }

    /// Fails if an exchange broke the contract.
    fn assert_contract(&self) {
        let violations =
            std::mem::take(&mut self.seen.lock().expect("no panic meanwhile").violations);
        assert!(
            violations.is_empty(),
            "the contract was broken:\n{}",
            violations.join("\n")
        );
    }

    /// Fails if an answer repeats its request's secrets, or reveals other people's.
    pub(crate) fn assert_tells_nothing(&self, answer: &Answer) {
        let text = String::from_utf8_lossy(&answer.bytes);
        let seen = self.seen.lock().expect("no panic meanwhile");
        for secret in &seen.secrets {
            assert!(!holds(&text, secret), "{secret} stands in {text}");
        }
    }

    /// Fails if a record holds a secret, or a limit an address.
    pub(crate) async fn assert_records_hold_no_secret(&self) {
        let mut records = Vec::new();
        for (table, _) in Contract::embedded().tables() {
            records.extend(self.items(&self.ready().tables[&table.name]).await);
        }
        let seen = self.seen.lock().expect("no panic meanwhile");
        for record in &records {
            let is_limit = steps::attribute(record, "pk").starts_with("limit#");
            let text = record.to_string();
            for secret in &seen.secrets {
                let may_stand_there = seen.personal.contains(secret) && !is_limit;
                assert!(
                    may_stand_there || !holds(&text, secret),
                    "{secret} stands in {text}"
                );
            }
        }
    }

    /// Fails if a secret was logged.
    fn assert_secrecy(&self) {
        let logs = self.logs();
        let seen = self.seen.lock().expect("no panic meanwhile");
        for secret in &seen.secrets {
            if let Some(line) = logs.iter().find(|line| holds(line, secret)) {
                panic!("{secret} was logged: {line}");
            }
        }
    }
}

impl Drop for TestWorld {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_contract();
            self.assert_secrecy();
        }
    }
}

impl Seen {
    fn remember(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_str() {
                        Some(text) if PERSONAL_MEMBERS.contains(&name.as_str()) => {
                            self.remember_personal(text);
                        }
                        Some(text) if is_secret(name, text) => self.remember_text(text),
                        None if name == "backupCodes" => {
                            for code in member.as_array().into_iter().flatten() {
                                self.remember_text(code.as_str().unwrap_or_default());
                            }
                        }
                        Some(_) | None => self.remember(member),
                    }
                }
            }
            Value::Array(several) => several.iter().for_each(|one| self.remember(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn remember_personal(&mut self, text: &str) {
        self.remember_text(text);
        self.personal.insert(text.trim().to_owned());
    }

    fn remember_text(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.len() >= SHORTEST_SECRET {
            self.secrets.insert(secret.to_owned());
        }
    }

    fn observe(&mut self, exchange: &ObservedExchange) {
        for body in [&exchange.request_body, &exchange.response_body] {
            if let Ok(body) = serde_json::from_slice(body) {
                self.remember(&body);
            }
        }
        for cookie in exchange.response_headers.get_all("set-cookie") {
            let pair = cookie
                .to_str()
                .unwrap_or_default()
                .split(';')
                .next()
                .unwrap_or_default();
            self.remember_text(pair.split_once('=').map_or("", |(_, value)| value));
        }
        let found = CHECKER.check(&Exchange {
            method: &exchange.method,
            path: &exchange.path,
            query: &exchange.query,
            request_headers: &exchange.request_headers,
            request_body: &exchange.request_body,
            status: exchange.status,
            response_headers: &exchange.response_headers,
            response_body: &exchange.response_body,
        });
        let counts = |side: Side| side != Side::Request || exchange.status < 400;
        let counting = found.iter().filter(|violation| counts(violation.side));
        self.violations.extend(counting.map(ToString::to_string));
    }
}

/// Whether a line contains a secret. Six digits also occur by chance, within an instant, a duration
/// or the hexadecimal digits of an id: those count only if they are separate.
pub(crate) fn holds(line: &str, secret: &str) -> bool {
    if !secret.bytes().all(|byte| byte.is_ascii_digit()) {
        return line.contains(secret);
    }
    let is_of_a_number = |character: char| character.is_ascii_digit() || character == '.';
    let is_of_an_id = |character: &char| character.is_ascii_hexdigit();
    line.match_indices(secret).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + secret.len()..]);
        let beside = before.chars().rev().take_while(is_of_an_id).count()
            + after.chars().take_while(is_of_an_id).count();
        // A word may end in one of these letters, as `type` does.
        beside < 2
            && !before.ends_with(is_of_a_number)
            && !after.starts_with(|next: char| next.is_ascii_digit())
    })
}

#[test]
fn a_code_is_found_where_it_is_told_and_not_where_chance_writes_it() {
    for told in [
        "is 400235.",
        "\"400235\"",
        "type400235",
        "code=400235&",
        "400235",
    ] {
        assert!(holds(told, "400235"), "{told}");
    }
    for chance in [
        "5ec068fd2c400235",
        "400235fd-6f2a",
        "a7400235b1c2",
        "0.400235",
        "1400235",
        "4002351",
    ] {
        assert!(!holds(chance, "400235"), "{chance}");
    }
}

/// A problem has a `code` too, but in words.
fn is_secret(member: &str, text: &str) -> bool {
    SECRET_MEMBERS.contains(&member)
        && (member != "code" || text.starts_with(|first: char| first.is_ascii_digit()))
}

/// Puts the harness's eyes beside those that a test brings.
fn watched(theirs: Watchers, seen: &Arc<Mutex<Seen>>) -> Watchers {
    let (exchanges, mails) = (seen.clone(), seen.clone());
    let (their_observer, their_mail) = (theirs.observer, theirs.mail);
    Watchers {
        observer: Some(Arc::new(move |exchange| {
            exchanges
                .lock()
                .expect("no panic meanwhile")
                .observe(exchange);
            if let Some(observer) = &their_observer {
                observer(exchange);
            }
        })),
        mail: Some(Arc::new(move |mail| {
            let mut seen = mails.lock().expect("no panic meanwhile");
            seen.remember_personal(&mail.to);
            seen.remember_text(mail.code.as_deref().unwrap_or_default());
            drop(seen);
            if let Some(watcher) = &their_mail {
                watcher(mail);
            }
        })),
        served: theirs.served,
        event: theirs.event,
        log_line: theirs.log_line,
    }
}

/// A guest who has just signed in.
pub(crate) struct SignedIn<'world> {
    /// The browser that did it, with its device cookie.
    pub(crate) browser: Browser<'world>,
    pub(crate) access_token: String,
    pub(crate) id_token: String,
    pub(crate) refresh_token: String,
    pub(crate) user: Value,
}

/// An HTTP client with its own cookie jar and headers. It follows no redirects.
#[derive(Clone)]
pub(crate) struct Browser<'world> {
    pub(crate) world: &'world TestWorld,
    http: reqwest::Client,
    /// The jar's cookies, by name.
    pub(crate) cookies: BTreeMap<String, String>,
    headers: HeaderMap,
    /// Whether it signs its requests, as agents do. A browser does not; all else is the same.
    pub(crate) signs: bool,
}

impl Browser<'_> {
    /// Sends a header with every request from now on; an empty value removes it.
    pub(crate) fn always(&mut self, name: &str, value: &str) {
        let name: HeaderName = name.parse().expect("a header name");
        if value.is_empty() {
            self.headers.remove(name);
        } else {
            self.headers
                .insert(name, value.parse().expect("a header value"));
        }
    }

    /// Sends an access token with every request from now on.
    pub(crate) fn bearer(&mut self, token: &str) {
        self.always("authorization", &format!("Bearer {token}"));
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Vec::new()).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send_json(Method::POST, path, &body).await
    }

    /// Patches with JSON.
    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send_json(Method::PATCH, path, &body).await
    }

    /// Sends JSON.
    pub(crate) async fn send_json(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string().into_bytes())
            .await
    }

    /// Sends anything, and fails the test if the exchange broke the contract.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("{}{path}", self.world.ready().gateway);
        let signature = if self.signs {
            signature(self.world, method.as_str(), &url, &body)
        } else {
            Vec::new()
        };
        let mut request = self.http.request(method, url).headers(self.headers.clone());
        for (name, value) in signature {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let answer = Answer::read(request.send().await.expect("the gateway answers")).await;
        self.keep_cookies(&answer.headers);
        self.world.assert_contract();
        answer
    }

    /// Begins a sign-in, reads the code and proves it; returns the answer to the proof.
    pub(crate) async fn sign_in(&mut self, email: &str) -> Answer {
        self.sign_in_with(email, json!({})).await
    }

    /// The same with more members in the last request, such as `{"tokenDelivery": "cookie"}`.
    pub(crate) async fn sign_in_with(&mut self, email: &str, more: Value) -> Answer {
        let started = self
            .post("/auth/otp/initiate", json!({ "email": email }))
            .await;
        started.expect_status(200);
        let mut proof = json!({
            "email": email,
            "code": self.world.mail_code(email).await,
            "sessionToken": started["sessionToken"],
        });
        if let (Value::Object(proof), Value::Object(more)) = (&mut proof, more) {
            proof.extend(more);
        }
        self.post("/auth/otp/verify", proof).await
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.to_str().ok())
        {
            let mut parts = cookie.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The headers of a signature by an identity that may invoke every route.
fn signature(world: &TestWorld, method: &str, url: &str, body: &[u8]) -> Vec<(String, String)> {
    let identity: Identity = Credentials::from_keys("LOCAL", "local", None).into();
    let signing = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("execute-api")
        .time(world.clock().system_time())
        .settings(SigningSettings::default())
        .build()
        .expect("everything is said")
        .into();
    let request = SignableRequest::new(method, url, std::iter::empty(), SignableBody::Bytes(body));
    let (signed, _) = sign(request.expect("a request"), &signing)
        .expect("a signature")
        .into_parts();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    signed.headers().map(owned).collect()
}

/// An answer, with its body parsed if it is JSON. Index it by member: `answer["code"]`.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `null` if the body is not JSON.
    pub(crate) body: Value,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole body").to_vec();
        Self {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            bytes,
        }
    }

    /// Fails with the body if the status is another.
    pub(crate) fn expect_status(&self, status: u16) {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
    }

    /// Fails unless each member of `expected` is here. There may be more.
    pub(crate) fn expect_members(&self, expected: &Value) {
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(self.body[name], *value, "{name}");
        }
    }

    /// Fails unless this is the problem with that status and code. The refusal by a limit names the
    /// limit and its duration.
    pub(crate) fn expect_problem(&self, status: u16, code: &str) {
        self.expect_status(status);
        assert_eq!(self["code"], code, "{}", self.body);
        if status == 429 {
            for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
                assert!(self.header(name).is_some(), "{code} without {name}");
            }
        }
    }

    /// Its status and outcome: `401 INVALID_OTP`, or `302 success`.
    pub(crate) fn in_short(&self) -> String {
        let location = self.header("location").map(destination);
        let said = [&self["code"], &self["__type"]].into_iter();
        let said = said.filter_map(Value::as_str).map(str::to_owned).next();
        match location.or(said) {
            Some(said) => format!("{} {said}", self.status),
            None => self.status.to_string(),
        }
    }

    /// A member that must be text.
    pub(crate) fn text(&self, member: &str) -> String {
        let text = self[member].as_str();
        text.unwrap_or_else(|| panic!("no text {member} in {}", self.body))
            .to_owned()
    }

    /// The value of a header that occurs once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(HeaderValue::to_str)?.ok();
        value.filter(|_| values.next().is_none())
    }

    /// `Retry-After` in seconds.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.header("retry-after")?.parse().ok()
    }
}

/// The destination of a browser's redirect: success, a code with its reason, or the path.
fn destination(location: &str) -> String {
    let url = Url::parse(location).expect("an absolute address");
    let parameter = |wanted: &str| {
        let mut pairs = url.query_pairs();
        let found = pairs.find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    match (parameter("auth").as_deref(), parameter("code")) {
        (Some("success"), _) => "success".to_owned(),
        (_, Some(code)) => match parameter("reason") {
            Some(reason) => format!("{code} {reason}"),
            None => code,
        },
        (_, None) => url.path().to_owned(),
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.body[member]
    }
}
