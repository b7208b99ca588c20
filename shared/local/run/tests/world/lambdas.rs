//! The built binaries, started against a Runtime API as Lambda has one; and the Invoke API as
//! agents and operators use it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use auth_api::{Contract, FunctionKind};
use auth_domain::DeviceCookie;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Parameter, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contract_checker::{Checker, Exchange, Side};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, OnceCell, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::people::{ADA, ELSEWHERE};
use crate::harness::steps::at_once;
use crate::harness::{Answer, TestWorld, holds};

/// A function without an answer by then will never answer: its own time-out is half of it.
const PATIENCE: Duration = Duration::from_secs(30);

static CHECKER: LazyLock<Checker<'static>> =
    LazyLock::new(|| Checker::new(Contract::embedded()).expect("the contract's schemas compile"));

/// A function of the contract.
#[derive(Clone, Copy)]
struct Listed {
    name: &'static str,
    memory_mb: u32,
    environment: &'static [String],
    /// Its tool's name.
    tool: Option<&'static str>,
    kind: &'static FunctionKind,
}

impl Listed {
    /// Whether it has the doors of an operation.
    fn is_operation(&self) -> bool {
        !(self.is_trigger() || self.is_scheduled() || self.hears_of_mails() || self.is_authorizer())
    }

    fn is_trigger(&self) -> bool {
        matches!(self.kind, FunctionKind::Trigger(_))
    }

    fn is_scheduled(&self) -> bool {
        matches!(self.kind, FunctionKind::Schedule { .. })
    }

    fn hears_of_mails(&self) -> bool {
        *self.kind == FunctionKind::MailFeedback
    }

    fn is_authorizer(&self) -> bool {
        *self.kind == FunctionKind::Authorizer
    }
}

fn listed() -> Vec<Listed> {
    let contract = Contract::embedded();
    let functions = contract.functions().iter().map(|one| Listed {
        name: &one.name,
        memory_mb: one.memory_mb,
        environment: &one.environment,
        tool: contract
            .operation(&one.name)
            .and_then(|operation| Some(operation.tool.as_ref()?.name.as_str())),
        kind: &one.kind,
    });
    functions.collect()
}

/// Names a folder of functions' binaries, built elsewhere, to test instead of the local build.
const OTHER_BINARIES: &str = "LATCHKEY_TESTED_BINARIES";

/// Names the command that runs such binaries if this machine cannot, its arguments after spaces.
const RUNNER: &str = "LATCHKEY_TESTED_BINARIES_RUNNER";

/// The command that starts a function's binary.
async fn command(function: &str) -> Command {
    let binary = binaries().await.join(function);
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(program) = words.next() else {
        return Command::new(binary);
    };
    let mut command = Command::new(program);
    command.args(words).arg(binary);
    command
}

/// The folder of the functions' binaries. Builds them, once for all tests, beside the test's own
/// binary and in its profile.
async fn binaries() -> &'static Path {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let built = BUILT.get_or_init(|| async {
        if let Some(folder) = std::env::var_os(OTHER_BINARIES) {
            return PathBuf::from(folder);
        }
        let folder = Path::new(env!("CARGO_BIN_EXE_auth-local"))
            .parent()
            .expect("a folder");
        let mut cargo = Command::new(env!("CARGO"));
        // The tests are among them so that all is as `cargo test --workspace` has built it, and
        // little is left to do.
        cargo.args([
            "build",
            "--quiet",
            "--locked",
            "--workspace",
            "--bins",
            "--tests",
        ]);
        cargo.arg("--target-dir");
        cargo.arg(folder.parent().expect("the target folder"));
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        // A build script of `ring` reads these, and would run again, with all that stands on it.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
                cargo.env_remove(&*name);
            }
        }
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = cargo.output().await.expect("cargo starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        folder.to_owned()
    });
    built.await
}

/// Lambda's hand-over to the process.
struct Delivery {
    request_id: String,
    event: String,
    /// The header's bytes.
    client_context: Option<Vec<u8>>,
}

/// The process's report to Lambda.
enum Report {
    Ready,
    Answer(Value),
    Error(Value),
}

/// Lambda's side of the Runtime API, for one process.
struct RuntimeApi {
    address: String,
    deliveries: mpsc::UnboundedSender<Delivery>,
    reports: mpsc::UnboundedReceiver<Report>,
    serving: JoinHandle<()>,
}

struct Shared {
    deliveries: Mutex<mpsc::UnboundedReceiver<Delivery>>,
    reports: mpsc::UnboundedSender<Report>,
}

impl RuntimeApi {
    async fn start() -> Self {
        let (deliveries, delivered) = mpsc::unbounded_channel();
        let (reporting, reports) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            deliveries: Mutex::new(delivered),
            reports: reporting,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(answered),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed_at_start))
            .with_state(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            address,
            deliveries,
            reports,
            serving,
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let _nobody_listens = shared.reports.send(Report::Ready);
    let Some(delivery) = shared.deliveries.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let mut response = delivery.event.into_response();
    let mut header = |name: &'static str, value: &[u8]| {
        let value = HeaderValue::from_bytes(value).expect("a header's value");
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    };
    header("content-type", b"application/json");
    header(
        "lambda-runtime-aws-request-id",
        delivery.request_id.as_bytes(),
    );
    header("lambda-runtime-deadline-ms", b"4102444800000");
    header(
        "lambda-runtime-invoked-function-arn",
        b"arn:aws:lambda:eu-west-1:000000000000:function:latchkey-test-function:live",
    );
    header(
        "lambda-runtime-trace-id",
        b"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
    );
    if let Some(context) = &delivery.client_context {
        header("lambda-runtime-client-context", context);
    }
    response
}

async fn answered(
    State(shared): State<Arc<Shared>>,
    Parameter(_id): Parameter<String>,
    body: Bytes,
) -> StatusCode {
    report(&shared, &body, Report::Answer)
}

async fn failed(
    State(shared): State<Arc<Shared>>,
    Parameter(_id): Parameter<String>,
    body: Bytes,
) -> StatusCode {
    report(&shared, &body, Report::Error)
}

async fn failed_at_start(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    report(&shared, &body, Report::Error)
}

fn report(shared: &Shared, body: &[u8], report: fn(Value) -> Report) -> StatusCode {
    let body = serde_json::from_slice(body).expect("JSON");
    let _nobody_listens = shared.reports.send(report(body));
    StatusCode::ACCEPTED
}

/// The environment in which Lambda starts a function of a world: the contract's variables, and
/// Lambda's own.
fn environment(world: &TestWorld, function: Listed, runtime_api: &str) -> BTreeMap<String, String> {
    let ready = world.ready();
    let memory = function.memory_mb.to_string();
    let lambda = [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_REGION", &ready.region),
        ("AWS_ACCESS_KEY_ID", "LOCAL"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", &ready.agentcore),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &ready.cognito),
        ("AWS_ENDPOINT_URL_DYNAMODB", &ready.dynamodb),
        ("AWS_ENDPOINT_URL_KMS", &ready.kms),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &ready.secretsmanager),
        ("AWS_ENDPOINT_URL_SESV2", &ready.ses),
    ];
    let own = function
        .environment
        .iter()
        .map(|name| (name.clone(), value(world, name)));
    let lambda = lambda.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.chain(lambda).collect()
}

/// A setting's value in this world.
fn value(world: &TestWorld, name: &str) -> String {
    let ready = world.ready();
    if let Some(table) = name.strip_suffix("_TABLE_NAME") {
        return ready.tables[&*table.to_lowercase().replace('_', "-")].to_owned();
    }
    match name {
        "COGNITO_USER_POOL_ID" => ready.user_pool_id.clone(),
        "COGNITO_ISSUER" => format!("{}/{}", ready.cognito, ready.user_pool_id),
        "COGNITO_CLIENT_ID" => world.operations_client_id().to_owned(),
        // The events of the operations' folders name a client of their own.
        "API_CLIENT_IDS" => {
            format!(
                "{},4t1examplec0nf1dentialcl1ent",
                world.operations_client_id()
            )
        }
        "SECRETS_ID" => "latchkey-local/secrets".to_owned(),
        "KMS_KEY_ID" => "alias/latchkey-local-sealing".to_owned(),
        "MAIL_SENDER" => "no-reply@latchkey.example".to_owned(),
        "MAIL_REPLY_TO" => "help@latchkey.example".to_owned(),
        "MAIL_CONFIGURATION_SET" => "latchkey-local".to_owned(),
        "FRONTEND_URL" => "https://app.example.com".to_owned(),
        "DYNAMODB_OAUTH2_SESSIONS_TABLE" => ready.tables["sessions"].to_owned(),
        "OAUTH2_CALLBACK_URL" => format!("{}auth/callback", ready.page),
        "COGNITO_HOSTED_URL" => ready.cognito.clone(),
        "AGENTCORE_WORKLOAD_NAME" => "latchkey-local-agent".to_owned(),
        "AGENTCORE_IDENTITY_PROVIDER_NAME" => "latchkey-local-cognito".to_owned(),
        "ENVIRONMENT" => "test".to_owned(),
        // The floors only cost time here.
        "OTP_RESPONSE_FLOOR_MS" | "OTP_REFUSAL_FLOOR_MS" => "0".to_owned(),
        other => {
            let settings = Contract::embedded().settings();
            let setting = settings.iter().find(|setting| setting.name == other);
            let default = setting.and_then(|setting| setting.default.clone());
            default.unwrap_or_else(|| panic!("no value for {other}"))
        }
    }
}

/// A function's process, killed when dropped.
struct Process {
    runtime_api: RuntimeApi,
    child: Child,
    stdout: File,
    stderr: File,
    invocations: u32,
}

/// How a start ended.
enum Start {
    Ready,
    Failed { code: Option<i32> },
}

impl Process {
    /// Starts a function's binary with its environment, as far as `change` leaves it.
    async fn start(
        world: &TestWorld,
        function: Listed,
        change: impl FnOnce(&mut BTreeMap<String, String>),
    ) -> (Self, Start) {
        let runtime_api = RuntimeApi::start().await;
        let mut environment = environment(world, function, &runtime_api.address);
        change(&mut environment);
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let child = command(function.name)
            .await
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let mut process = Self {
            runtime_api,
            child,
            stdout,
            stderr,
            invocations: 0,
        };
        let started = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                report = process.runtime_api.reports.recv() => match report {
                    Some(Report::Ready) => Start::Ready,
                    Some(Report::Error(_) | Report::Answer(_)) | None => panic!("a report before the first event"),
                },
                ended = process.child.wait() => Start::Failed { code: ended.expect("an end").code() },
            }
        });
        let started = started.await.expect("it is ready, or it ends");
        (process, started)
    }

    async fn ready(world: &TestWorld, function: Listed) -> Self {
        let (mut process, started) = Self::start(world, function, |_| {}).await;
        match started {
            Start::Ready => process,
            Start::Failed { .. } => panic!("{}: {}", function.name, process.errors()),
        }
    }

    /// Sends an event, and returns the answer or the function's error.
    async fn invoke(&mut self, event: &str, client_context: Option<Value>) -> Result<Value, Value> {
        let context = client_context.map(|context| context.to_string().into_bytes());
        self.invoke_beside(event, context).await
    }

    /// The same with any bytes as the client context.
    async fn invoke_beside(
        &mut self,
        event: &str,
        client_context: Option<Vec<u8>>,
    ) -> Result<Value, Value> {
        self.invocations += 1;
        let delivery = Delivery {
            request_id: format!("8476a536-e9f4-11e8-9739-{:012}", self.invocations),
            event: event.to_owned(),
            client_context,
        };
        self.runtime_api
            .deliveries
            .send(delivery)
            .unwrap_or_else(|_| panic!("the Runtime API runs"));
        let answer = async {
            loop {
                match self.runtime_api.reports.recv().await.expect("a report") {
                    Report::Ready => {}
                    Report::Answer(answer) => return Ok(answer),
                    Report::Error(error) => return Err(error),
                }
            }
        };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .expect("an answer in time")
    }

    /// The text on standard output.
    fn output(&mut self) -> String {
        text(&mut self.stdout)
    }

    /// The text on standard error.
    fn errors(&mut self) -> String {
        text(&mut self.stderr)
    }
}

fn text(file: &mut File) -> String {
    use std::io::{Seek as _, SeekFrom};
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// The events of a function's folder, by file name.
fn events(function: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../crates")
        .join(function)
        .join("events");
    let files = std::fs::read_dir(&folder).expect("a folder of events");
    files
        .map(|file| {
            let file = file.unwrap().path();
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&file).unwrap())
        })
        .collect()
}

/// The client context by which an `AgentCore` Gateway names a tool.
fn tool_context(tool: &str) -> Value {
    json!({ "custom": { "bedrockAgentCoreToolName": format!("latchkey___{tool}") } })
}

#[tokio::test]
async fn every_built_function_answers_every_event_of_its_folder_as_its_door_does() {
    let world = TestWorld::start().await;
    for function in listed() {
        let mut process = Process::ready(&world, function).await;
        let mut secrets = BTreeSet::new();
        for (name, event) in events(function.name) {
            let parsed: Value = serde_json::from_str(&event).unwrap();
            collect_secrets(&parsed, &mut secrets);
            let is_tool = name.starts_with("tool");
            let context = is_tool.then(|| tool_context(function.tool.expect("a tool")));
            let answer = process.invoke(&event, context).await;
            let answer = answer.unwrap_or_else(|error| panic!("{} {name}: {error}", function.name));
            collect_secrets(&answer, &mut secrets);
            let place = format!("{} {name}", function.name);
            if function.is_scheduled() {
                assert!(answer["removed"].is_u64(), "{place}: {answer}");
            } else if function.hears_of_mails() {
                assert_eq!(answer, json!({}), "{place}");
            } else if function.is_trigger() {
                assert_is_trigger_answer(function.name, &parsed, &answer);
            } else if function.is_authorizer() {
                let passes = if name == "rest-api" {
                    answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
                } else {
                    answer["isAuthorized"].as_bool().expect("an answer")
                };
                assert!(!passes, "{place}: nobody has signed its token");
            } else if name.starts_with("http") {
                assert_is_http_answer(&place, &parsed, &answer);
            } else if is_tool {
                assert!(answer["success"].is_boolean(), "{place}: {answer}");
            } else {
                assert!(name.starts_with("direct"), "{place}: no door is called so");
                assert_is_direct_answer(&place, &answer);
            }
        }
        assert_logs(function.name, &mut process, &secrets);
    }
}

/// A sign-in on a new device may end in a notice. Its connection is made while the proof is
/// evaluated.
#[tokio::test]
async fn a_sign_in_on_a_new_device_opens_the_connection_for_mails_beside_its_first_calls() {
    let world = TestWorld::start().await;
    let signs_in = ["login-user", "verify-mfa", "verify-otp", "verify-passkey"];
    for function in listed() {
        if !signs_in.contains(&function.name) {
            continue;
        }
        let mails = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = mails.local_addr().expect("an address");
        let (mut process, _) = Process::start(&world, function, |environment| {
            let url = format!("http://{address}");
            environment.insert("AWS_ENDPOINT_URL_SESV2".to_owned(), url);
        })
        .await;
        let connected = async |patience| timeout(patience, mails.accept()).await.is_ok();

        let unknown = events(function.name).remove("http").expect("an event");
        let mut known: Value = serde_json::from_str(&unknown).unwrap();
        known["cookies"] = json!([format!("{}00000001=any", DeviceCookie::PREFIX)]);
        process
            .invoke(&known.to_string(), None)
            .await
            .expect("an answer");
        assert!(!connected(Duration::ZERO).await, "{}", function.name);

        process.invoke(&unknown, None).await.expect("an answer");
        assert!(connected(PATIENCE).await, "{}", function.name);
        process.invoke(&unknown, None).await.expect("an answer");
        assert!(!connected(Duration::ZERO).await, "{}", function.name);
    }
}

#[tokio::test]
async fn bad_events_are_answered_and_the_process_lives_on() {
    let world = TestWorld::start().await;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for function in listed() {
        let mut process = Process::ready(&world, function).await;
        for event in [
            "[]",
            "\"text\"",
            "null",
            "12",
            "true",
            deep.as_str(),
            "{\"a\":1,\"a\":2}",
        ] {
            let answer = process.invoke(event, None).await;
            if function.is_scheduled() || function.hears_of_mails() {
                // It contains nothing that the work would read.
                answer.unwrap_or_else(|error| panic!("{} {event}: {error}", function.name));
            } else if function.is_trigger() {
                let error = answer.expect_err("no event of Cognito's");
                assert_eq!(error["errorType"], "TriggerRefused", "{event}");
            } else if function.is_authorizer() {
                let error = answer.expect_err("no authorizer's event");
                assert_eq!(error["errorType"], "NotAnAuthorizersEvent", "{event}");
            } else {
                let answer =
                    answer.unwrap_or_else(|error| panic!("{} {event}: {error}", function.name));
                assert_is_direct_answer(function.name, &answer);
                assert!(
                    answer["error"]["status"].as_u64().unwrap() < 500,
                    "{event}: {answer}"
                );
            }
        }
        let http = events(function.name).remove("http");
        for body in http
            .iter()
            .flat_map(|_| ["{", "[]", "\u{0}", "{\"email\":\"a\",\"email\":\"b\"}"])
        {
            let mut event: Value = serde_json::from_str(http.as_deref().unwrap()).unwrap();
            event["body"] = json!(body);
            event["headers"]["content-type"] = json!("application/json");
            let answer = process
                .invoke(&event.to_string(), None)
                .await
                .expect("an answer");
            let status = answer["statusCode"].as_u64().expect("a status");
            assert!(
                (200..500).contains(&status),
                "{} {body}: {answer}",
                function.name
            );
        }
        assert_logs(function.name, &mut process, &BTreeSet::new());
    }
}

/// A client context is the caller's, and gateways put any content into it.
#[tokio::test]
async fn any_client_context_reaches_the_function_and_the_process_lives_on() {
    let world = TestWorld::start().await;
    for function in listed() {
        let mut process = Process::ready(&world, function).await;
        let (_, event) = events(function.name)
            .into_iter()
            .find(|(name, _)| name.starts_with("direct") || !function.is_operation())
            .expect("an event");
        let plain = process.invoke(&event, None).await.map(|_| ());
        for beside in [
            r#"{"x-tenant-id":"acme"}"#,
            "[1,[2]]",
            "null",
            "7.5",
            "true",
            r#""\ud800""#,
        ] {
            for (custom, names_tool) in [
                (beside.to_owned(), false),
                (format!(r#"{{"a":{beside}}}"#), false),
                (
                    format!(
                        r#"{{"bedrockAgentCoreToolName":"t___{}","bedrockAgentCorePropagatedHeaders":{beside}}}"#,
                        function.tool.unwrap_or("none")
                    ),
                    true,
                ),
            ] {
                let context =
                    format!(r#"{{"client":{beside},"custom":{custom},"environment":{beside}}}"#);
                let answer = process
                    .invoke_beside(&event, Some(context.clone().into_bytes()))
                    .await;
                if !function.is_operation() || !names_tool {
                    assert_eq!(answer.is_ok(), plain.is_ok(), "{} {context}", function.name);
                    continue;
                }
                let answer = answer.expect("an answer");
                assert!(answer["success"].is_boolean(), "{context}: {answer}");
                let is_known = answer["error_code"] != "NOT_FOUND";
                assert!(is_known || function.tool.is_none(), "{context}: {answer}");
            }
        }
        for broken in [
            &b"{"[..],
            b"e30=",
            b"\xff",
            br#"{"custom":{"bedrockAgentCoreToolName":7}}"#,
            br#"{"custom":{"bedrockAgentCoreToolName":["t___one"]}}"#,
        ] {
            let answer = process.invoke_beside(&event, Some(broken.to_vec())).await;
            if function.tool.is_some() {
                assert_failure(&answer.expect("an answer"), "VALIDATION_FAILED");
            } else {
                assert_eq!(answer.is_ok(), plain.is_ok(), "{}", function.name);
            }
        }
        let again = process.invoke(&event, None).await.map(|_| ());
        assert_eq!(again.is_ok(), plain.is_ok(), "{}", function.name);
    }
}

#[tokio::test]
async fn a_person_signs_in_through_the_built_functions() {
    let world = TestWorld::start().await;
    let function = |name| listed().into_iter().find(|one| one.name == name).unwrap();
    let mut initiate = Process::ready(&world, function("initiate-otp")).await;
    let mut verify = Process::ready(&world, function("verify-otp")).await;
    let mut refresh = Process::ready(&world, function("refresh-token")).await;
    let start = json!({ "email": ADA });
    let started = initiate.invoke(&start.to_string(), None).await.unwrap();
    let code = world.mail_code(ADA).await;
    let proof = json!({ "email": ADA, "code": code, "sessionToken": started["sessionToken"] });
    let mut event: Value = serde_json::from_str(&events("verify-otp")["http"]).unwrap();
    event["body"] = json!(proof.to_string());
    let answer = verify.invoke(&event.to_string(), None).await.unwrap();
    assert_is_http_answer("verify-otp", &event, &answer);
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let tokens: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(tokens["user"]["email"], ADA);
    let exchange = json!({ "refreshToken": tokens["refreshToken"] });
    let renewed = refresh.invoke(&exchange.to_string(), None).await.unwrap();
    assert!(renewed["accessToken"].is_string(), "{renewed}");
    let mut secrets = BTreeSet::new();
    for said in [&start, &proof, &started, &tokens, &renewed] {
        collect_secrets(said, &mut secrets);
    }
    for (name, process) in [
        ("initiate-otp", &mut initiate),
        ("verify-otp", &mut verify),
        ("refresh-token", &mut refresh),
    ] {
        assert_logs(name, process, &secrets);
    }
}

/// The refusal comes before anything is counted or used up.
#[tokio::test]
async fn an_address_does_not_change_where_no_mail_can_be_sent() {
    let world = TestWorld::start().await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let proof = ada.browser.mailed_proof(ADA, "email").await;
    let change = json!({ "email": ELSEWHERE, "proof": proof });
    let mut input = change.clone();
    input["claims"] = claims(&ada.access_token);

    let function = listed().into_iter().find(|one| one.name == "change-email");
    let without_sender = |variables: &mut BTreeMap<String, String>| {
        variables.insert("MAIL_SENDER".to_owned(), "none".to_owned());
    };
    let (mut process, _) = Process::start(&world, function.unwrap(), without_sender).await;
    let refused = process.invoke(&input.to_string(), None).await.unwrap();
    let code = &refused["error"]["code"];
    assert_eq!(code, "EMAIL_DELIVERY_FAILED", "{refused}");

    let asked = ada.browser.post("/me/email", change).await;
    asked.expect_status(200);
}

/// A function's start shows which variables it reads: it refuses an empty one, and ignores those
/// that it does not read.
#[tokio::test]
async fn a_function_reads_the_variables_that_the_contract_lists_and_names_the_one_that_is_missing()
{
    let world = TestWorld::start().await;
    for function in listed() {
        // Without a level, or with an invalid one, the log has its default.
        let settings = Contract::embedded().settings().iter();
        let settings = settings.filter(|setting| setting.name != "LOG_LEVEL");
        let (read, unread): (Vec<_>, Vec<_>) =
            settings.partition(|setting| function.environment.contains(&setting.name));
        let empty = |variables: &mut BTreeMap<String, String>| {
            variables.extend(unread.iter().map(|one| (one.name.clone(), String::new())));
        };
        let (mut process, started) = Process::start(&world, function, empty).await;
        if let Start::Failed { .. } = started {
            panic!(
                "{} reads what it does not list: {}",
                function.name,
                process.errors()
            );
        }
        let refusals = read.iter().map(|setting| async {
            let name = setting.name.as_str();
            let empty = |variables: &mut BTreeMap<String, String>| {
                variables.insert(name.to_owned(), String::new());
            };
            assert_refuses(&world, function, name, empty).await;
            // Without a sender, no notices are sent.
            if setting.default.is_none() && name != "MAIL_SENDER" {
                let missing = |variables: &mut BTreeMap<String, String>| {
                    variables.remove(name);
                };
                assert_refuses(&world, function, name, missing).await;
            }
        });
        at_once(refusals).await;
    }
}

/// A function does not start, and names the variable that stopped it.
async fn assert_refuses(
    world: &TestWorld,
    function: Listed,
    variable: &str,
    change: impl FnOnce(&mut BTreeMap<String, String>),
) {
    let (mut process, started) = Process::start(world, function, change).await;
    let Start::Failed { code } = started else {
        panic!("{} starts without {variable}", function.name);
    };
    let errors = process.errors();
    assert_ne!(code, Some(0));
    assert!(errors.contains(variable), "{}: {errors}", function.name);
}

/// Texts that must not be logged, in events, in the JSON of their bodies and in answers.
fn collect_secrets(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if is_secret(name, text) => {
                        secrets.insert(text.to_owned());
                    }
                    Some(body) if name == "body" => {
                        let body: Value = serde_json::from_str(body).unwrap_or_default();
                        collect_secrets(&body, secrets);
                    }
                    Some(_) | None => collect_secrets(member, secrets),
                }
            }
        }
        Value::Array(several) => several.iter().for_each(|one| collect_secrets(one, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A problem has a `code` too, but in words.
fn is_secret(member: &str, text: &str) -> bool {
    const SECRET: [&str; 13] = [
        "email",
        "name",
        "code",
        "otp_code",
        "sessionToken",
        "session_token",
        "accessToken",
        "access_token",
        "authToken",
        "idToken",
        "id_token",
        "refreshToken",
        "refresh_token",
    ];
    SECRET.contains(&member)
        && (member != "code" || text.starts_with(|first: char| first.is_ascii_digit()))
}

/// Standard output is JSON, an object a line, with none of the secrets; standard error is empty.
fn assert_logs(name: &str, process: &mut Process, secrets: &BTreeSet<String>) {
    assert_eq!(process.errors(), "", "{name}");
    let output = process.output();
    for line in output.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}, {error}: {line}"));
        assert!(line.is_object(), "{name}: {line}");
    }
    for secret in secrets.iter().filter(|secret| secret.len() > 5) {
        assert!(!holds(&output, secret), "{name} logs {secret}: {output}");
    }
}

/// The form of an answer for API Gateway, and its rules in the contract.
fn assert_is_http_answer(place: &str, event: &Value, answer: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let known = [
        "statusCode",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
        "cookies",
    ];
    let members = answer.as_object().expect("an object");
    assert!(
        members.keys().all(|name| known.contains(&name.as_str())),
        "{place}: {answer}"
    );
    let status = answer["statusCode"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    assert_ne!(answer["isBase64Encoded"], true, "{place}");
    let mut headers = header_map(answer["headers"].as_object());
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append("set-cookie", text(cookie).parse().unwrap());
    }
    // The gateway's own.
    headers.insert(
        "apigw-requestid",
        HeaderValue::from_static("JKJaXmPLvHcESHA="),
    );
    let mut request_headers = header_map(event["headers"].as_object());
    if !event["requestContext"]["authorizer"].is_null() {
        request_headers.insert(
            "authorization",
            HeaderValue::from_static("Bearer e30.e30.e30"),
        );
    }
    for cookie in event["cookies"].as_array().into_iter().flatten() {
        request_headers.append("cookie", text(cookie).parse().unwrap());
    }
    let status = status.expect("a status");
    let violations = CHECKER.check(&Exchange {
        method: &text(&event["requestContext"]["http"]["method"]),
        path: &text(&event["rawPath"]),
        query: &text(&event["rawQueryString"]),
        request_headers: &request_headers,
        request_body: text(&event["body"]).as_bytes(),
        status,
        response_headers: &headers,
        response_body: text(&answer["body"]).as_bytes(),
    });
    let ours: Vec<String> = violations
        .iter()
        .filter(|violation| violation.side != Side::Request || status < 400)
        .map(ToString::to_string)
        .collect();
    assert!(ours.is_empty(), "{place}: {}", ours.join("\n"));
}

fn header_map(headers: Option<&Map<String, Value>>) -> HeaderMap {
    let headers = headers.into_iter().flatten();
    headers
        .map(|(name, value)| {
            let value = value.as_str().expect("a header's value");
            (
                name.parse::<HeaderName>().unwrap(),
                value.parse::<HeaderValue>().unwrap(),
            )
        })
        .collect()
}

/// The operation's output, or a problem under `error`.
fn assert_is_direct_answer(place: &str, answer: &Value) {
    assert!(answer.is_object(), "{place}: {answer}");
    let error = &answer["error"];
    if !error.is_null() {
        for member in ["type", "title", "detail", "code", "requestId"] {
            assert!(error[member].is_string(), "{place} {member}: {answer}");
        }
        assert!(error["status"].is_u64(), "{place}: {answer}");
    }
}

/// The original event, with the response filled in.
fn assert_is_trigger_answer(function: &str, event: &Value, answer: &Value) {
    let mut unchanged = answer.clone();
    unchanged["response"] = event["response"].clone();
    assert_eq!(&unchanged, event);
    if function == "custom-message" {
        let message = answer["response"]["emailMessage"].as_str().unwrap();
        assert_eq!(message.matches("{####}").count(), 1, "{message}");
        return;
    }
    let details = &answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
    assert_eq!(details["scopesToAdd"], json!(["latchkey/session"]));
    assert_eq!(
        details["scopesToSuppress"],
        json!(["aws.cognito.signin.user.admin"])
    );
}

/// The Invoke API as AWS's own SDK speaks it.
struct Sdk<'world> {
    world: &'world TestWorld,
    lambda: aws_sdk_lambda::Client,
}

impl<'world> Sdk<'world> {
    fn new(world: &'world TestWorld) -> Self {
        let config = aws_sdk_lambda::Config::builder()
            .behavior_version(aws_sdk_lambda::config::BehaviorVersion::latest())
            .region(aws_sdk_lambda::config::Region::new("eu-west-1"))
            .credentials_provider(aws_sdk_lambda::config::Credentials::new(
                "LOCAL", "local", None, None, "test",
            ))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&world.ready().lambda)
            .build();
        Self {
            world,
            lambda: aws_sdk_lambda::Client::from_conf(config),
        }
    }

    async fn invoke(&self, function: &str, input: &Value) -> Value {
        self.invoke_in(function, input, None).await
    }

    async fn call_tool(&self, function: &str, tool: &str, arguments: &Value) -> Value {
        self.invoke_in(function, arguments, Some(tool_context(tool)))
            .await
    }

    async fn invoke_in(&self, function: &str, input: &Value, context: Option<Value>) -> Value {
        self.world.remember_secrets(input);
        let output = self
            .lambda
            .invoke()
            .function_name(format!("latchkey-local-{function}"))
            .set_client_context(context.map(|context| STANDARD.encode(context.to_string())))
            .payload(input.to_string().into_bytes().into())
            .send()
            .await
            .expect("Lambda answers");
        assert_eq!((output.status_code(), output.function_error()), (200, None));
        let answer = serde_json::from_slice(output.payload().expect("a payload").as_ref()).unwrap();
        self.world.remember_secrets(&answer);
        answer
    }
}

fn members(answer: &Value) -> BTreeSet<&str> {
    answer
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn an_agent_signs_a_person_in_with_the_two_tools() {
    let world = TestWorld::start().await;
    let sdk = Sdk::new(&world);
    let started = sdk
        .call_tool(
            "initiate-otp",
            "initiate_cognito_login",
            &json!({ "email": ADA }),
        )
        .await;
    assert_eq!(
        members(&started),
        BTreeSet::from([
            "success",
            "session_token",
            "otp_sent_at",
            "expires_in",
            "message"
        ])
    );
    assert_eq!(
        (&started["success"], &started["expires_in"]),
        (&json!(true), &json!(300))
    );
    // Older agents send remembered values; the function ignores them.
    let proof = json!({
        "email": ADA,
        "otp_code": world.mail_code(ADA).await,
        "session_token": started["session_token"],
        "otp_sent_at": "2001-01-01T00:00:00Z",
        "attempts": 99,
    });
    let event = sdk
        .call_tool("verify-otp", "verify_cognito_otp", &proof)
        .await;
    assert_eq!(
        members(&event),
        BTreeSet::from([
            "event_type",
            "success",
            "id_token",
            "access_token",
            "refresh_token",
            "expires_in",
            "guest_id",
            "email",
            "cognito_sub"
        ])
    );
    assert_eq!(
        (&event["event_type"], &event["success"]),
        (&json!("auth_tokens"), &json!(true))
    );
    assert_eq!(
        (&event["email"], &event["expires_in"]),
        (&json!(ADA), &json!(3600))
    );
    let mut browser = world.browser();
    browser.bearer(event["access_token"].as_str().unwrap());
    let profile = browser.get("/me").await;
    assert_eq!(profile["guestId"], event["guest_id"], "{}", profile.body);
    assert_eq!(profile["cognitoSub"], event["cognito_sub"]);
}

#[tokio::test]
async fn a_tools_failure_says_what_it_is_and_what_to_do() {
    let world = TestWorld::start().await;
    let sdk = Sdk::new(&world);
    let started = sdk
        .call_tool(
            "initiate-otp",
            "initiate_cognito_login",
            &json!({ "email": ADA }),
        )
        .await;
    let right = world.mail_code(ADA).await;
    let wrong = if right.starts_with('1') {
        "20202020"
    } else {
        "10101010"
    };
    let proof =
        json!({ "email": ADA, "otp_code": wrong, "session_token": started["session_token"] });
    for (attempts, remaining) in [(1, 2), (2, 1), (3, 0)] {
        let failed = sdk
            .call_tool("verify-otp", "verify_cognito_otp", &proof)
            .await;
        assert_failure(&failed, "INVALID_OTP");
        assert_eq!(
            (&failed["attempts"], &failed["attempts_remaining"]),
            (&json!(attempts), &json!(remaining))
        );
    }
    let spent = sdk
        .call_tool("verify-otp", "verify_cognito_otp", &proof)
        .await;
    assert_failure(&spent, "MAX_ATTEMPTS_EXCEEDED");
    let other_tool = sdk
        .call_tool("verify-otp", "initiate_cognito_login", &proof)
        .await;
    assert_failure(&other_tool, "NOT_FOUND");
    let no_tool = sdk
        .call_tool("get-profile", "get_profile", &json!({}))
        .await;
    assert_failure(&no_tool, "AUTH_REQUIRED");
}

fn assert_failure(failed: &Value, code: &str) {
    assert_eq!(
        (&failed["success"], &failed["error_code"]),
        (&json!(false), &json!(code)),
        "{failed}"
    );
    assert!(
        failed["message"].is_string() && failed["recovery"].is_string(),
        "{failed}"
    );
}

/// A caller that may invoke a function may name the user: IAM guards this door.
#[tokio::test]
async fn every_operation_is_open_to_whoever_may_invoke_it() {
    let world = TestWorld::start().await;
    let sdk = Sdk::new(&world);
    let started = sdk.invoke("initiate-otp", &json!({ "email": ADA })).await;
    world.advance(31);
    let again = json!({ "sessionToken": started["sessionToken"] });
    let resent = sdk.invoke("resend-otp", &again).await;
    assert_eq!(resent["sessionToken"], started["sessionToken"], "{resent}");
    let code = world.mail_code(ADA).await;
    let proof = json!({ "email": ADA, "code": code, "sessionToken": started["sessionToken"] });
    let tokens = sdk.invoke("verify-otp", &proof).await;
    assert_eq!(tokens["user"]["email"], ADA, "{tokens}");
    let exchange = json!({ "refreshToken": tokens["refreshToken"] });
    let renewed = sdk.invoke("refresh-token", &exchange).await;
    assert!(renewed["accessToken"].is_string(), "{renewed}");

    let claims = claims(tokens["accessToken"].as_str().unwrap());
    let profile = sdk
        .invoke("get-profile", &json!({ "claims": claims }))
        .await;
    for (name, value) in tokens["user"].as_object().expect("a user") {
        assert_eq!(profile[name], *value, "{name}");
    }
    let renamed = sdk
        .invoke(
            "update-profile",
            &json!({ "name": "Ada Lovelace", "claims": claims }),
        )
        .await;
    assert_eq!(renamed["name"], "Ada Lovelace", "{renamed}");
    let this_session = json!({ "refreshToken": renewed["refreshToken"], "claims": claims });
    assert_eq!(sdk.invoke("logout-user", &this_session).await, json!({}));
    let other = world.sign_in(ADA).await;
    let of_other = crate::harness::requests::claims(&other.access_token);
    let everywhere = json!({ "everywhere": true, "claims": of_other });
    assert_eq!(sdk.invoke("logout-user", &everywhere).await, json!({}));
    for (function, input) in [
        ("get-profile", json!({ "claims": claims })),
        ("get-profile", json!({})),
        ("update-profile", json!({ "name": "Eve" })),
        ("logout-user", json!({ "everywhere": true })),
    ] {
        let refused = sdk.invoke(function, &input).await;
        assert_eq!(
            refused["error"]["code"], "AUTH_REQUIRED",
            "{function}: {refused}"
        );
    }
}

/// An access token's claims, as the authorizer passes them on.
fn claims(access_token: &str) -> Value {
    let payload = access_token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn the_three_doors_answer_with_the_same_codes() {
    let world = TestWorld::start().await;
    let sdk = Sdk::new(&world);
    let unknown = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let starts = [
        (json!({}), "VALIDATION_FAILED"),
        (json!({ "email": 7 }), "VALIDATION_FAILED"),
        (json!({ "email": "no address" }), "VALIDATION_FAILED"),
    ];
    for (input, code) in starts {
        let http = world
            .browser()
            .post("/auth/otp/initiate", input.clone())
            .await;
        let direct = sdk.invoke("initiate-otp", &input).await;
        let tool = sdk
            .call_tool("initiate-otp", "initiate_cognito_login", &input)
            .await;
        assert_codes(code, &http, &direct, &tool);
    }
    let proofs = [
        (json!({}), "VALIDATION_FAILED"),
        (
            json!({ "email": ADA, "code": "12", "sessionToken": unknown }),
            "VALIDATION_FAILED",
        ),
        (
            json!({ "email": ADA, "code": "10101010", "sessionToken": unknown }),
            "INVALID_SESSION",
        ),
    ];
    for (input, code) in proofs {
        let http = world
            .browser()
            .post("/auth/otp/verify", input.clone())
            .await;
        let direct = sdk.invoke("verify-otp", &input).await;
        let arguments = json!({ "email": input["email"], "otp_code": input["code"], "session_token": input["sessionToken"] });
        let tool = sdk
            .call_tool("verify-otp", "verify_cognito_otp", &arguments)
            .await;
        assert_codes(code, &http, &direct, &tool);
    }
}

fn assert_codes(code: &str, http: &Answer, direct: &Value, tool: &Value) {
    assert_eq!(http["code"], code, "{}", http.body);
    assert_eq!(direct["error"]["code"], code, "{direct}");
    assert_eq!(tool["error_code"], code, "{tool}");
    assert_eq!(direct["error"]["status"], http.status);
    assert_eq!(direct["error"]["detail"], tool["message"]);
}
