//! The binary: its output, and its state after it is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use agentcore_local::{
    AgentCore, CredentialProviderSpec, Discovery, Options, Secret, State, WorkloadIdentitySpec,
};

use crate::provider::{CLIENT_ID, CLIENT_SECRET, TestProvider};
use crate::world::{Browser, Clock, PROVIDER, RETURN_URL, WORKLOAD, sdk_for, user_id};

/// The binary on a port; killed, as by `kill -9`, when the test is done with it.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(state: &Path, port: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_agentcore-local"))
            .args(["--port", port, "--state"])
            .arg(state)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE=");
        let url = url.unwrap().to_owned();
        line.clear();
        said.read_line(&mut line).unwrap();
        Self { child, url }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn configure(agentcore: &AgentCore, provider: &TestProvider) -> String {
    agentcore
        .ensure_workload_identity(WorkloadIdentitySpec {
            name: WORKLOAD.to_owned(),
            allowed_return_urls: vec![RETURN_URL.to_owned()],
        })
        .unwrap();
    agentcore
        .ensure_credential_provider(CredentialProviderSpec {
            name: PROVIDER.to_owned(),
            vendor: "CustomOauth2".to_owned(),
            discovery: Discovery::Url(provider.discovery_url()),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Secret::new(CLIENT_SECRET),
            client_authentication: None,
        })
        .unwrap()
        .callback_url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_goes_on_where_it_was_when_the_process_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("agentcore.sqlite");
    let provider = TestProvider::start(Clock::of_the_system()).await;

    let first = Process::start(&state, "0");
    let url = first.url.clone();
    let port = url.rsplit_once(':').unwrap().1.to_owned();
    let mut options = Options::new(&url);
    options.state = State::File(state.clone());
    provider.register(&configure(&AgentCore::open(options).unwrap(), &provider));

    let sdk = sdk_for(&url);
    let token = sdk
        .get_workload_access_token_for_user_id()
        .workload_name(WORKLOAD)
        .user_id("nina")
        .send()
        .await
        .unwrap()
        .workload_access_token;
    let ask = || {
        sdk.get_resource_oauth2_token()
            .workload_identity_token(&token)
            .resource_credential_provider_name(PROVIDER)
            .scopes("openid")
            .oauth2_flow("USER_FEDERATION".into())
            .resource_oauth2_return_url(RETURN_URL)
            .send()
    };
    let begun = ask().await.unwrap();
    let session = begun.session_uri.unwrap();
    let browser = Browser::of("nina");

    drop(first);
    let second = Process::start(&state, &port);
    let (_, to_provider) = browser.step(&begun.authorization_url.unwrap()).await;

    drop(second);
    let third = Process::start(&state, &port);
    let landed = browser.visit(to_provider.unwrap().as_str()).await;
    assert_eq!(landed.session_id(), session);

    drop(third);
    let fourth = Process::start(&state, &port);
    sdk.complete_resource_token_auth()
        .user_identifier(user_id("nina"))
        .session_uri(&session)
        .send()
        .await
        .unwrap();

    drop(fourth);
    let _fifth = Process::start(&state, &port);
    let access_token = ask().await.unwrap().access_token.unwrap();
    assert_eq!(TestProvider::reads(&access_token).0, "nina");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_and_holds_no_workload_token() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agentcore.sqlite");
    let world =
        crate::world::World::with(|options| options.state = State::File(file.clone())).await;
    let token = world.token_for_user_id("nina").await;
    for name in ["agentcore.sqlite", "agentcore.sqlite-wal"] {
        let path = folder.path().join(name);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let bytes = std::fs::read(path).unwrap();
        assert!(
            !bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes())
        );
    }
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_agentcore-local"))
        .args(["--memory", "--port", &port])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        complained.contains(&format!("port {port} cannot be used")),
        "{complained}"
    );
}
