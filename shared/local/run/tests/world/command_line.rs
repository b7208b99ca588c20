//! The program itself: its ready line, its errors, its end, and the state that survives it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running program, killed when dropped.
struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready: Value,
}

impl Program {
    fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-local"));
        command
            .current_dir(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["--port", "0", "--json"], arguments].concat();
        let mut child = Self::command(folder, &arguments)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self {
            child,
            stdout,
            ready,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.ready["gateway"].as_str().unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        reqwest::get(self.url(path))
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new().post(self.url(path)).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Sends a signal, and returns the exit code, the standard output, and the duration of the end.
    fn end_by(mut self, signal: &str) -> (Option<i32>, String, Duration) {
        let started = Instant::now();
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let code = self.child.wait().unwrap().code();
        let took = started.elapsed();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (code, rest, took)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has already ended if a test has ended it.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test]
async fn the_ready_line_says_where_everything_is_and_signals_end_it_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    for signal in ["-TERM", "-INT"] {
        let program = Program::start(folder.path(), &["--memory"]);
        for url in [
            "gateway",
            "cognito",
            "dynamodb",
            "agentcore",
            "kms",
            "secretsmanager",
            "ses",
            "lambda",
            "mailbox",
            "page",
        ] {
            // Passkeys belong to a name.
            let host = if url == "page" {
                "localhost"
            } else {
                "127.0.0.1"
            };
            let address = program.ready[url].as_str().unwrap();
            assert!(address.starts_with(&format!("http://{host}:")), "{url}");
        }
        assert_eq!(program.ready["region"], "eu-west-1");
        assert!(
            program.ready["userPoolId"]
                .as_str()
                .unwrap()
                .starts_with("eu-west-1_")
        );
        assert!(program.ready["clientId"].is_string());
        for table in [
            "guests",
            "challenges",
            "sessions",
            "user-sessions",
            "activity",
        ] {
            assert!(program.ready["tables"][table].is_string(), "{table}");
        }
        program
            .post("/auth/otp/initiate", json!({ "email": "ada@example.com" }))
            .await;
        let (code, rest, took) = program.end_by(signal);
        assert_eq!(code, Some(0));
        assert_eq!(rest, "", "one line and nothing else");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is kept"
    );
}

#[tokio::test]
async fn what_was_done_survives_kill_9_and_not_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let email = "ada@example.com";
    let program = Program::start(folder.path(), &[]);
    let started = program
        .post("/auth/otp/initiate", json!({ "email": email }))
        .await;
    program
        .post("/_local/clock", json!({ "advanceSeconds": 60 }))
        .await;
    let (pool, client) = (
        program.ready["userPoolId"].clone(),
        program.ready["clientId"].clone(),
    );
    program.end_by("-KILL");

    let program = Program::start(folder.path(), &[]);
    assert_eq!(
        (&program.ready["userPoolId"], &program.ready["clientId"]),
        (&pool, &client)
    );
    assert_eq!(program.get("/_local/clock").await["aheadSeconds"], 60.0);
    let mail = program
        .get(&format!("/_local/mailbox/latest?to={email}"))
        .await;
    let proof =
        json!({ "email": email, "code": mail["code"], "sessionToken": started["sessionToken"] });
    let signed_in = program.post("/auth/otp/verify", proof).await;
    assert_eq!(signed_in["user"]["email"], email, "{signed_in}");
    program.end_by("-KILL");

    let program = Program::start(folder.path(), &["--fresh"]);
    assert_eq!(program.get("/_local/mailbox").await, json!([]));
    assert_ne!(program.ready["userPoolId"], pool);
}

#[test]
fn state_of_an_older_shape_is_refused_in_one_line_that_names_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join(".latchkey");
    std::fs::create_dir(&state).unwrap();
    let file = state.join("dynamodb.sqlite");
    let older = dynoxide::Database::new(&file.to_string_lossy()).unwrap();
    let keyed_by_address = json!({
        "TableName": "latchkey-local-guests",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "email", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "email", "AttributeType": "S" }],
    });
    let request = serde_json::from_value(keyed_by_address).unwrap();
    older.create_table(request).unwrap();
    drop(older);
    let refused = failure(folder.path(), &["--port", "0"]);
    assert!(refused.contains("older shape"), "{refused}");
    assert!(refused.contains("--fresh"), "{refused}");
    drop(Program::start(folder.path(), &["--fresh"]));
    // Tables alike, and items of another shape.
    drop(Program::start(folder.path(), &[]));
    std::fs::write(state.join("shape"), "1").unwrap();
    let refused = failure(folder.path(), &["--port", "0"]);
    assert!(refused.contains("older shape"), "{refused}");
    drop(Program::start(folder.path(), &["--fresh"]));
    drop(Program::start(folder.path(), &[]));
}

#[test]
fn state_that_cannot_be_read_is_refused_in_one_line_that_names_the_file_and_fresh() {
    for name in [
        "cognito.sqlite",
        "dynamodb.sqlite",
        "agentcore.sqlite",
        "aws.json",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join(".latchkey");
        std::fs::create_dir(&state).unwrap();
        std::fs::write(state.join(name), "no such state\n".repeat(500)).unwrap();
        let refused = failure(folder.path(), &["--port", "0"]);
        assert!(refused.contains(name), "{refused}");
        assert!(refused.contains("--fresh"), "{refused}");
        drop(Program::start(folder.path(), &["--fresh"]));
    }
}

/// Runs to the end, which must be a failure with one line on standard error.
fn failure(folder: &Path, arguments: &[&str]) -> String {
    let output = Program::command(folder, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

#[test]
fn a_taken_port_is_one_line_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let gateway = failure(folder.path(), &["--memory", "--port", &port.to_string()]);
    assert!(
        gateway.contains(&format!("port {port}, for the gateway, is taken")),
        "{gateway}"
    );
    let cognito = failure(
        folder.path(),
        &["--memory", "--json", "--port", &(port - 1).to_string()],
    );
    assert!(cognito.contains("is taken"), "{cognito}");
    assert!(failure(folder.path(), &["--memory", "--port", "65535"]).contains("65535"));
}

#[test]
fn one_process_at_a_time_has_the_state_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Program::start(folder.path(), &[]);
    let second = failure(folder.path(), &["--port", "0"]);
    assert!(second.contains("in use by another process"), "{second}");
}

#[tokio::test]
async fn a_configuration_file_sets_limits_and_wrong_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("limits.conf");
    std::fs::write(&file, "# quicker\nOTP_LIFETIME_SECONDS = 120\n").unwrap();
    let program = Program::start(folder.path(), &["--memory", "--config", "limits.conf"]);
    let started = program
        .post("/auth/otp/initiate", json!({ "email": "ada@example.com" }))
        .await;
    assert_eq!(started["expiresIn"], 120);

    std::fs::write(&file, "OTP_LIFETIME = 120\n").unwrap();
    let unknown = failure(
        folder.path(),
        &["--memory", "--port", "0", "--config", "limits.conf"],
    );
    assert!(
        unknown.contains("OTP_LIFETIME is not a setting"),
        "{unknown}"
    );
    for (line, setting) in [
        ("OTP_RESPONSE_FLOOR_MS = 40000", "OTP_RESPONSE_FLOOR_MS"),
        ("OTP_REFUSAL_FLOOR_MS = 4294967295", "OTP_REFUSAL_FLOOR_MS"),
        ("TOTP_ISSUER = Latchkey: dev", "TOTP_ISSUER"),
        ("TOTP_ISSUER = Latch\u{202e}key", "TOTP_ISSUER"),
        (&format!("TOTP_ISSUER = {}", "a".repeat(200)), "TOTP_ISSUER"),
        ("AGENT_NAME = \u{3164}", "AGENT_NAME"),
    ] {
        std::fs::write(&file, line).unwrap();
        let refused = failure(
            folder.path(),
            &["--memory", "--port", "0", "--config", "limits.conf"],
        );
        assert!(refused.contains(setting), "{line}: {refused}");
    }
    let missing = failure(
        folder.path(),
        &["--memory", "--port", "0", "--config", "nowhere.conf"],
    );
    assert!(missing.contains("nowhere.conf"), "{missing}");
}

#[test]
fn usage_is_explained_and_mistakes_in_it_are_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let help = Program::command(folder.path(), &["--help"])
        .output()
        .unwrap();
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for option in [
        "--port",
        "--memory",
        "--fresh",
        "--json",
        "--quiet",
        "--log",
        "--config",
        "--frontend",
        "--version",
    ] {
        assert!(text.contains(option), "{option}");
    }
    for mistake in [
        &["--nonsense"][..],
        &["--port", "x"],
        &["--quiet", "--log", "info"],
        &["--frontend", "localhost:5173"],
        &["--frontend", "ftp://localhost"],
        &["--log", "a=b=c"],
    ] {
        assert_eq!(
            Program::command(folder.path(), mistake)
                .output()
                .unwrap()
                .status
                .code(),
            Some(2),
            "{mistake:?}"
        );
    }
}

#[tokio::test]
async fn a_person_sees_urls_requests_and_mails() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Program::command(folder.path(), &["--memory", "--port", "0"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut until = |wanted: &str| {
        lines
            .find(|line| line.contains(wanted))
            .expect("the line appears")
    };
    assert!(until("page").contains("http://localhost:"));
    let api = until("API");
    let gateway = api
        .split_whitespace()
        .last()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    assert!(until("public client").contains("Amplify"));
    assert!(until("curl").contains(&gateway));
    until("localhost and 127.0.0.1 for two sites");
    let request = reqwest::Client::new().post(format!("{gateway}/auth/otp/initiate"));
    request
        .json(&json!({ "email": "ada@example.com" }))
        .send()
        .await
        .unwrap();
    assert!(until("mail to").contains("ada@example.com"));
    until("Your Latchkey code");
    let line = until("POST");
    assert!(
        line.contains("/auth/otp/initiate") && line.contains("200") && line.contains("AWS calls"),
        "{line}"
    );
    assert!(
        !line.contains('\u{1b}'),
        "no colours where nobody sees them"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
