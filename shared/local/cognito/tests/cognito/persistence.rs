//! State in a file.

use cognito_local::{Cognito, State};

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::world::{PASSWORD, World, attribute, sdk_for};

const NINA: &str = "nina@example.com";

#[tokio::test]
async fn everything_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.sqlite");
    let open = async || {
        let file = file.clone();
        World::with(move |plan| plan.options.state = State::File(file)).await
    };
    let before = open().await;
    before.user_with_password(NINA).await;
    let tokens = before.sign_in(NINA).await;
    let session = before.begin_session(NINA).await;
    let code = before.last_code(NINA);
    let keys = async |world: &World| {
        let url = format!("{}/{}/.well-known/jwks.json", world.url, world.pool);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    };
    let published = keys(&before).await;
    // The first world still runs, without a close or a flush, as after a crash.
    let after = open().await;
    assert_eq!(after.pool, before.pool);
    assert_eq!(after.client.client_id, before.client.client_id);
    assert_eq!(keys(&after).await, published);
    after.answer(NINA, &session, &code).await.unwrap();
    after.password_sign_in(NINA, PASSWORD).await.unwrap();
    after
        .sdk
        .get_tokens_from_refresh_token()
        .client_id(&after.client.client_id)
        .refresh_token(tokens.refresh_token().unwrap())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_file_holds_no_password_token_session_or_code_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.sqlite");
    let opened = file.clone();
    let world = World::with(move |plan| plan.options.state = State::File(opened)).await;
    world.user_with_password(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let session = world.begin_session(NINA).await;
    let code = world.last_code(NINA);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend(std::fs::read(folder.path().join("pool.sqlite-wal")).unwrap());
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds(NINA), "the search finds what is there");
    for secret in [
        PASSWORD,
        tokens.refresh_token().unwrap(),
        tokens.access_token().unwrap(),
        &session,
        &code,
    ] {
        assert!(!holds(secret));
    }
}

#[test]
fn a_file_that_is_no_database_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(
        &file,
        "not a database at all, but long enough to be read as one",
    )
    .unwrap();
    let mut options = cognito_local::Options::new("http://127.0.0.1:1");
    options.state = State::File(file);
    assert!(Cognito::open(options).is_err());
}

/// The program, as a person starts it.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    url: String,
    pool: String,
    client: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(state: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cognito-local"))
            .args(["--port", "0", "--state"])
            .arg(state)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let [url, pool, client] = [(); 3].map(|()| {
            let line = Self::line(&mut output);
            line.split_whitespace().next_back().unwrap().to_owned()
        });
        Self {
            child,
            output,
            url,
            pool,
            client,
        }
    }

    fn line(output: &mut BufReader<ChildStdout>) -> String {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line
    }

    /// The code in the next printed mail.
    fn code(&mut self) -> String {
        loop {
            let line = Self::line(&mut self.output);
            if let Some((_, code)) = line.trim().split_once("code is ") {
                return code.to_owned();
            }
        }
    }
}

#[tokio::test]
async fn a_program_that_is_killed_forgets_nothing_that_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.sqlite");
    let mut before = Program::start(&file);
    let sdk = sdk_for(&before.url);
    sdk.admin_create_user()
        .user_pool_id(&before.pool)
        .username(NINA)
        .message_action("SUPPRESS".into())
        .user_attributes(attribute("email_verified", "true"))
        .send()
        .await
        .unwrap();
    let session = sdk
        .initiate_auth()
        .client_id(&before.client)
        .auth_flow("USER_AUTH".into())
        .auth_parameters("USERNAME", NINA)
        .send()
        .await
        .unwrap()
        .session
        .unwrap();
    let code = before.code();
    let (pool, client) = (before.pool.clone(), before.client.clone());
    drop(before);

    let after = Program::start(&file);
    assert_eq!((&after.pool, &after.client), (&pool, &client));
    let tokens = sdk_for(&after.url)
        .respond_to_auth_challenge()
        .client_id(&client)
        .challenge_name("EMAIL_OTP".into())
        .session(session)
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("EMAIL_OTP_CODE", code)
        .send()
        .await
        .unwrap()
        .authentication_result
        .unwrap();
    drop(after);

    let last = Program::start(&file);
    sdk_for(&last.url)
        .get_tokens_from_refresh_token()
        .client_id(&client)
        .refresh_token(tokens.refresh_token().unwrap())
        .send()
        .await
        .unwrap();
}

#[cfg(unix)]
#[test]
fn the_program_stops_cleanly_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(&folder.path().join("pool.sqlite"));
    let asked = Command::new("kill")
        .args(["-TERM", &program.child.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    assert!(program.child.wait().unwrap().success());
}
