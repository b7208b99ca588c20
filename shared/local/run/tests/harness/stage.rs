//! A stage: everything before a request is done, and the request is ready to be sent.

use auth_api::{Contract, Tool};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::harness::authenticator_app::App;
use crate::harness::consent_page::{ConsentPage, FORM};
use crate::harness::device::Device;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::requests::Sample;
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

/// Longer than a function caches the secrets.
pub(crate) const UNTIL_COLD_SECONDS: u64 = 301;

/// Longer than the wait between two mails.
pub(crate) const UNTIL_RESEND_SECONDS: u64 = 31;

/// A request, and its sender's knowledge.
#[derive(Clone)]
pub(crate) struct Stage<'world> {
    pub(crate) world: &'world TestWorld,
    pub(crate) browser: Browser<'world>,
    door: Door,
    /// Sent as JSON; `null` for no body.
    pub(crate) body: Value,
    /// The token of the current sign-in. Empty without one.
    pub(crate) session_token: String,
    /// The code that proves it, if `body` has a wrong one.
    pub(crate) right_code: String,
    /// The token of the current session, or of the one to end. Empty without one.
    pub(crate) refresh_token: String,
    /// The guest's authenticator, present or future, if there is one.
    pub(crate) app: Option<App<'world>>,
    /// The unused backup codes.
    pub(crate) backup_codes: Vec<String>,
    /// The device with the guest's passkey, if there is one.
    pub(crate) device: Option<Device>,
}

/// The door of the request.
#[derive(Clone)]
enum Door {
    /// A route.
    Http(Method, String),
    /// A button on a start link's page.
    Form(ConsentPage, &'static str),
    /// An agent's tool.
    Tool(&'static str, &'static Tool),
    /// A function that is no operation, invoked as by its schedule or a gateway.
    Invocation(&'static str),
    /// Cognito's own endpoint, open to all callers.
    Cognito(&'static str),
}

impl<'world> Stage<'world> {
    /// A new browser posts JSON.
    pub(crate) fn post(world: &'world TestWorld, path: &str, body: Value) -> Self {
        Self {
            body,
            ..Self::new(world.browser(), Door::Http(Method::POST, path.to_owned()))
        }
    }

    /// A new browser sends an operation's example of the contract.
    #[allow(dead_code, reason = "a case that new-operation writes begins with it")]
    pub(crate) fn example(world: &'world TestWorld, function: &str) -> Self {
        let mut samples = Sample::all().into_iter();
        let sample = samples.find(|sample| sample.name() == function);
        let sample = sample.expect("an operation");
        let mut stage = Self::new(world.browser(), Door::Http(sample.method, sample.path));
        stage.body = sample.body.unwrap_or_default();
        stage
    }

    /// A browser opens an address.
    pub(crate) fn get(browser: Browser<'world>, path: &str) -> Self {
        Self::new(browser, Door::Http(Method::GET, path.to_owned()))
    }

    /// A browser presses a button on a link's page.
    pub(crate) fn press(
        browser: Browser<'world>,
        page: ConsentPage,
        decision: &'static str,
    ) -> Self {
        Self::new(browser, Door::Form(page, decision))
    }

    /// An agent posts JSON, and signs it.
    pub(crate) fn agent(world: &'world TestWorld, path: &str, body: Value) -> Self {
        let mut stage = Self::post(world, path, body);
        stage.browser.signs = true;
        stage
    }

    /// An operator sends JSON, and signs it.
    pub(crate) fn operator(
        world: &'world TestWorld,
        method: Method,
        path: &str,
        body: Value,
    ) -> Self {
        Self {
            body,
            ..Self::new(world.operator(), Door::Http(method, path.to_owned()))
        }
    }

    /// A public client calls Cognito itself.
    pub(crate) fn cognito(world: &'world TestWorld, action: &'static str, body: Value) -> Self {
        Self {
            body,
            ..Self::new(world.browser(), Door::Cognito(action))
        }
    }

    /// A schedule or a gateway invokes a function with an event.
    pub(crate) fn invocation(
        world: &'world TestWorld,
        function: &'static str,
        event: Value,
    ) -> Self {
        Self {
            body: event,
            ..Self::new(world.browser(), Door::Invocation(function))
        }
    }

    /// A guest sends a request within a session.
    pub(crate) fn signed_in(
        session: SignedIn<'world>,
        method: Method,
        path: &str,
        body: Value,
    ) -> Self {
        let mut browser = session.browser;
        browser.bearer(&session.access_token);
        Self {
            body,
            refresh_token: session.refresh_token,
            ..Self::new(browser, Door::Http(method, path.to_owned()))
        }
    }

    /// A guest posts within a session, and proves themselves by their password.
    pub(crate) async fn proved_by_password(
        world: &'world TestWorld,
        path: &str,
        mut body: Value,
    ) -> Self {
        world.registered(ADA, PASSWORD).await;
        let session = world.sign_in(ADA).await;
        body["password"] = PASSWORD.into();
        Self::signed_in(session, Method::POST, path, body)
    }

    /// The same by a mailed code.
    pub(crate) async fn proved_by_mail(world: &'world TestWorld, path: &str) -> Self {
        let session = world.sign_in(ADA).await;
        let body = json!({ "proof": {} });
        let mut stage = Self::signed_in(session, Method::POST, path, body);
        stage.renew_proofs().await;
        stage
    }

    /// The same by a passkey, which stands for the guest's authenticator.
    pub(crate) async fn proved_by_passkey(
        world: &'world TestWorld,
        path: &str,
        mut body: Value,
    ) -> Self {
        world.registered(ADA, PASSWORD).await;
        let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
        let mut device = world.device();
        let proofs = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
        let browser = &mut guest.session.browser;
        browser
            .add_passkey(proofs, &mut device)
            .await
            .expect_status(201);
        body["proof"] = json!({});
        let mut stage = Self::signed_in(guest.session, Method::POST, path, body);
        stage.device = Some(device);
        stage.renew_proofs().await;
        stage
    }

    /// The same by a mailed code and an authenticator.
    pub(crate) async fn proved_by_both(
        world: &'world TestWorld,
        path: &str,
        mut body: Value,
    ) -> Self {
        (body["proof"], body["mfaCode"]) = (json!({}), json!(""));
        let mut stage = Self::guarded(world, path, body).await;
        stage.renew_proofs().await;
        stage
    }

    /// The same by the password and an authenticator, long after its set-up.
    pub(crate) async fn proved_with_authenticator(world: &'world TestWorld, path: &str) -> Self {
        let body = json!({ "password": PASSWORD, "mfaCode": "" });
        let mut stage = Self::guarded(world, path, body).await;
        world.advance(UNTIL_COLD_SECONDS);
        stage.body["mfaCode"] = stage.next_code().into();
        stage
    }

    /// The same with a wrong code of the authenticator.
    pub(crate) async fn proved_with_wrong_code(world: &'world TestWorld, path: &str) -> Self {
        let mut stage = Self::proved_with_authenticator(world, path).await;
        stage.body["mfaCode"] = "404170".into();
        stage
    }

    /// A guest with a password and an authenticator posts within a session.
    async fn guarded(world: &'world TestWorld, path: &str, body: Value) -> Self {
        world.registered(ADA, PASSWORD).await;
        let guest = world.guarded_by_password(ADA, PASSWORD).await;
        let mut stage = Self::signed_in(guest.session, Method::POST, path, body);
        stage.app = Some(guest.app);
        stage
    }

    fn new(browser: Browser<'world>, door: Door) -> Self {
        Self {
            world: browser.world,
            browser,
            door,
            body: Value::Null,
            session_token: String::new(),
            right_code: String::new(),
            refresh_token: String::new(),
            app: None,
            backup_codes: Vec::new(),
            device: None,
        }
    }

    /// ADA asks for a code.
    pub(crate) fn start(world: &'world TestWorld) -> Self {
        Self::start_in(world.browser())
    }

    /// The same in a browser that may be a known device.
    pub(crate) fn start_in(browser: Browser<'world>) -> Self {
        let door = Door::Http(Method::POST, "/auth/otp/initiate".to_owned());
        Self {
            body: json!({ "email": ADA }),
            ..Self::new(browser, door)
        }
    }

    /// ADA has asked for a code, and is about to prove it.
    pub(crate) async fn proof(world: &'world TestWorld) -> Self {
        Self::proof_in(world.browser()).await
    }

    /// The same in a browser that may be a known device.
    pub(crate) async fn proof_in(browser: Browser<'world>) -> Self {
        let mut stage = Self::start_in(browser);
        stage.session_token = stage.browser.started(ADA).await;
        let code = stage.world.mail_code(ADA).await;
        stage.becomes_proof(&code);
        stage
    }

    /// ADA has asked for a code, and is about to ask for another one of the same sign-in.
    pub(crate) async fn second_mail(world: &'world TestWorld) -> Self {
        Self::second_mail_in(world.browser()).await
    }

    /// The same in a browser that may be a known device.
    pub(crate) async fn second_mail_in(browser: Browser<'world>) -> Self {
        let mut stage = Self::start_in(browser);
        stage.session_token = stage.browser.started(ADA).await;
        stage.world.advance(UNTIL_RESEND_SECONDS);
        let body = json!({ "sessionToken": stage.session_token });
        stage.becomes("/auth/otp/resend", body);
        stage
    }

    /// ADA is about to log in.
    pub(crate) fn login(world: &'world TestWorld, password: &str) -> Self {
        let body = json!({ "email": ADA, "password": password });
        Self::post(world, "/auth/login", body)
    }

    /// ADA is about to register.
    pub(crate) fn registration(world: &'world TestWorld) -> Self {
        let body = json!({ "email": ADA, "password": PASSWORD });
        Self::post(world, "/auth/register", body)
    }

    /// Another request of the same browser.
    pub(crate) fn becomes(&mut self, path: &str, body: Value) {
        self.door = Door::Http(Method::POST, path.to_owned());
        self.body = body;
    }

    /// The proof of a code.
    pub(crate) fn becomes_proof(&mut self, code: &str) {
        let body = json!({ "email": ADA, "code": code, "sessionToken": self.session_token });
        self.becomes("/auth/otp/verify", body);
    }

    /// Makes the code wrong, and remembers the right one.
    pub(crate) fn spoil_code(&mut self) {
        let right = self.body["code"].as_str().expect("a code").to_owned();
        // Not a round number: logged durations contain those by chance.
        let (first, rest) = right.split_at(1);
        let wrong = format!("{}{rest}", if first == "1" { "2" } else { "1" });
        self.body["code"] = json!(wrong);
        self.right_code = right;
    }

    /// Makes a spoilt code right again.
    pub(crate) fn mend_code(&mut self) {
        self.body["code"] = json!(self.right_code);
    }

    /// The same request from an agent, to a function with a tool.
    pub(crate) fn goes_by_tool(&mut self, function: &str) {
        let operation = Contract::embedded().operation(function);
        let operation = operation.expect("in the contract");
        let tool = operation.tool.as_ref().expect("a tool");
        self.door = Door::Tool(&operation.name, tool);
    }

    /// Sends the request; the same one each time.
    pub(crate) async fn act(&mut self) -> Answer {
        match &self.door {
            Door::Http(method, path) if self.body.is_null() => {
                let (method, path) = (method.clone(), path.clone());
                self.browser.send(method, &path, &[], Vec::new()).await
            }
            Door::Http(method, path) => {
                let (method, path) = (method.clone(), path.clone());
                self.browser.send_json(method, &path, &self.body).await
            }
            Door::Form(page, decision) => {
                let body = format!("page={}&decision={decision}", page.field);
                let headers = [("content-type", FORM), ("sec-fetch-site", "same-origin")];
                let body = body.into_bytes();
                self.browser
                    .send(Method::POST, &page.path, &headers, body)
                    .await
            }
            Door::Tool(function, tool) => {
                let arguments = arguments(&self.body);
                let result = self.world.call_tool(function, &tool.name, &arguments).await;
                as_http(result)
            }
            Door::Invocation(function) => {
                let result = self.world.invoke(function, &self.body).await;
                as_refusal(result)
            }
            Door::Cognito(action) => self.world.cognito_call(action, self.body.clone()).await,
        }
    }

    /// The code that the authenticator shows next.
    pub(crate) fn next_code(&self) -> String {
        self.app.as_ref().expect("an authenticator").next_code()
    }

    /// Unused proofs, of each kind that the request has.
    pub(crate) async fn renew_proofs(&mut self) {
        if self.body["proof"].is_object() {
            let waits = self.body["sessionToken"].is_string();
            self.body["proof"] = match &mut self.device {
                _ if waits => self.world.mailed_sign_in(ADA).await,
                Some(device) => {
                    let purpose = purpose(&self.door);
                    self.browser.passkey_proof(purpose, device).await
                }
                None => {
                    let purpose = purpose(&self.door);
                    self.browser.mailed_proof(ADA, purpose).await
                }
            };
        }
        for member in ["code", "mfaCode"] {
            if self.body[member].is_string() {
                self.body[member] = json!(self.next_code());
            }
        }
    }

    /// The device answers a new challenge of a sign-in by passkey.
    pub(crate) async fn shows_passkey(&mut self, email: &str) {
        let started = self.world.browser().start_passkey(email).await;
        let device = self.device.as_mut().expect("a device");
        let credential = device.get(&started["options"]).await;
        let body = json!({ "sessionToken": started["sessionToken"], "credential": credential });
        self.becomes("/auth/passkey/verify", body);
    }

    /// Asks for another mail of the current sign-in, after the wait between two mails.
    pub(crate) async fn resend(&mut self) -> Answer {
        self.world.advance(UNTIL_RESEND_SECONDS);
        let token = self.session_token.clone();
        self.browser.resend(&token).await
    }

    /// Proves the newest code of the current sign-in.
    pub(crate) async fn prove_newest(&mut self) -> Answer {
        let code = self.world.mail_code(ADA).await;
        let token = self.session_token.clone();
        self.browser.verify(ADA, &code, &token).await
    }
}

/// The purpose of a request's proof.
fn purpose(door: &Door) -> &'static str {
    let Door::Http(_, path) = door else {
        panic!("no proof goes this way");
    };
    match path.as_str() {
        "/me/password" => "password",
        "/me/email" => "email",
        "/me/delete" => "delete",
        "/me/export" => "export",
        path if path.starts_with("/me/passkeys") => "passkey",
        _ => "authenticator",
    }
}

/// A body as a tool's arguments.
fn arguments(body: &Value) -> Value {
    let members = body.as_object().cloned().unwrap_or_default();
    let renamed = members.into_iter().map(|(name, value)| {
        let name = match name.as_str() {
            "code" => "otp_code".to_owned(),
            name => snake_case(name),
        };
        (name, value)
    });
    Value::Object(renamed.collect())
}

/// A tool's result as the same operation answers over HTTP. Fails unless a refusal has
/// instructions.
fn as_http(result: Answer) -> Answer {
    result.expect_status(200);
    let members = result.body.as_object().expect("an object");
    let mut body: Map<String, Value> = members
        .iter()
        .map(|(name, value)| (camel_case(name), value.clone()))
        .collect();
    let mut status = 200;
    // A sign-in that waits for a second factor is no failure over HTTP.
    if result["success"] == false && result["mfa_required"].is_null() {
        for member in ["message", "recovery", "request_id"] {
            assert!(result[member].is_string(), "{}", result.body);
        }
        let code = result.text("error_code");
        status = status_of(&code);
        body.insert("code".to_owned(), code.into());
    }
    Answer {
        status,
        body: Value::Object(body),
        ..result
    }
}

/// A function's error as a refusal by a type, as AWS's services have them. Lambda answers 200.
fn as_refusal(result: Answer) -> Answer {
    match result["errorType"].as_str() {
        Some(error) => Answer {
            status: 500,
            body: json!({ "__type": error }),
            ..result
        },
        None => result,
    }
}

/// The status of a problem's code, from the contract's examples.
fn status_of(code: &str) -> u16 {
    match code {
        "VALIDATION_FAILED" | "INVALID_SESSION" => 400,
        "AUTH_REQUIRED" | "INVALID_OTP" => 401,
        "USER_MISMATCH" => 403,
        "SIGN_IN_COMPLETED" => 409,
        "OTP_EXPIRED" | "SESSION_EXPIRED" => 410,
        "MAX_ATTEMPTS_EXCEEDED" | "RATE_LIMITED" => 429,
        "INTERNAL" => 500,
        "EMAIL_DELIVERY_FAILED" => 502,
        "SERVICE_UNAVAILABLE" => 503,
        other => panic!("no status of {other}"),
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

fn camel_case(name: &str) -> String {
    let mut camel = String::new();
    let mut is_first_of_word = false;
    for character in name.chars() {
        match character {
            '_' => is_first_of_word = true,
            character if is_first_of_word => {
                camel.push(character.to_ascii_uppercase());
                is_first_of_word = false;
            }
            character => camel.push(character),
        }
    }
    camel
}
