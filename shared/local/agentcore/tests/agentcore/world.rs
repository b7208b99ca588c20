//! AgentCore Identity on a free port, with its own clock, a credential provider, and browsers that
//! follow redirects.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use agentcore_local::{
    AgentCore, Behaviour, CredentialProvider, CredentialProviderSpec, Discovery, Options, Secret,
    WorkloadIdentitySpec,
};
use aws_credential_types::Credentials;
use aws_sdk_bedrockagentcore as sdk;
use sdk::config::retry::RetryConfig;
use sdk::config::{BehaviorVersion, Region};
use sdk::error::{ProvideErrorMetadata, SdkError};
use sdk::operation::complete_resource_token_auth::{
    CompleteResourceTokenAuthError, CompleteResourceTokenAuthOutput,
};
use sdk::operation::get_resource_oauth2_token::GetResourceOauth2TokenOutput;
use sdk::operation::get_resource_oauth2_token::builders::GetResourceOauth2TokenFluentBuilder;
use sdk::types::{Oauth2FlowType, UserIdentifier};
use tokio::net::TcpListener;
use url::Url;

use crate::provider::{CLIENT_ID, CLIENT_SECRET, TestProvider};

/// 2033-05-18: anything that went by the system's clock would show.
const BEGINNING: u64 = 2_000_000_000;

pub(crate) const WORKLOAD: &str = "agent";
pub(crate) const PROVIDER: &str = "mail";
pub(crate) const RETURN_URL: &str = "https://app.example/oauth2/callback?tenant=7";

/// Moves when a test says so.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// A clock that stands still at the system's time, for code in another process.
    #[expect(
        clippy::disallowed_methods,
        reason = "that process goes by the system's clock"
    )]
    pub(crate) fn of_the_system() -> Self {
        let now = std::time::SystemTime::now();
        let now = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self(Arc::new(AtomicU64::new(now)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    pub(crate) agentcore: AgentCore,
    pub(crate) url: String,
    pub(crate) sdk: sdk::Client,
    pub(crate) clock: Clock,
    pub(crate) provider: TestProvider,
    pub(crate) registered: CredentialProvider,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Clock(Arc::new(AtomicU64::new(BEGINNING)));
        let provider = TestProvider::start(clock.clone()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut options = Options::new(&url);
        let hands = clock.clone();
        options.clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(hands.now()));
        change(&mut options);
        let agentcore = AgentCore::open(options).unwrap();
        agentcore
            .ensure_workload_identity(WorkloadIdentitySpec {
                name: WORKLOAD.to_owned(),
                allowed_return_urls: vec![RETURN_URL.to_owned()],
            })
            .unwrap();
        let registered = agentcore
            .ensure_credential_provider(CredentialProviderSpec {
                name: PROVIDER.to_owned(),
                vendor: "CustomOauth2".to_owned(),
                discovery: Discovery::Url(provider.discovery_url()),
                client_id: CLIENT_ID.to_owned(),
                client_secret: Secret::new(CLIENT_SECRET),
                client_authentication: None,
            })
            .unwrap();
        provider.register(&registered.callback_url);
        let router = agentcore.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            sdk: sdk_for(&url),
            agentcore,
            url,
            clock,
            provider,
            registered,
            server,
        }
    }

    /// Changes the stand-in's answers at points where AWS's behaviour is unknown.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = self.agentcore.behaviour();
        change(&mut behaviour);
        self.agentcore.set_behaviour(behaviour);
    }

    pub(crate) async fn token_for_user_id(&self, user: &str) -> String {
        self.sdk
            .get_workload_access_token_for_user_id()
            .workload_name(WORKLOAD)
            .user_id(user)
            .send()
            .await
            .unwrap()
            .workload_access_token
    }

    pub(crate) async fn token_for_jwt(&self, jwt: &str) -> String {
        self.sdk
            .get_workload_access_token_for_jwt()
            .workload_name(WORKLOAD)
            .user_token(jwt)
            .send()
            .await
            .unwrap()
            .workload_access_token
    }

    /// The request for a token as an application makes it; tests add to it.
    pub(crate) fn ask(&self, workload_token: &str) -> GetResourceOauth2TokenFluentBuilder {
        self.sdk
            .get_resource_oauth2_token()
            .workload_identity_token(workload_token)
            .resource_credential_provider_name(PROVIDER)
            .scopes("openid")
            .scopes("mail.read")
            .oauth2_flow(Oauth2FlowType::UserFederation)
            .resource_oauth2_return_url(RETURN_URL)
    }

    pub(crate) async fn begin(&self, workload_token: &str) -> Begun {
        Begun::from(self.ask(workload_token).send().await.unwrap())
    }

    pub(crate) async fn complete(
        &self,
        who: UserIdentifier,
        session_uri: &str,
    ) -> Result<CompleteResourceTokenAuthOutput, SdkError<CompleteResourceTokenAuthError>> {
        self.sdk
            .complete_resource_token_auth()
            .user_identifier(who)
            .session_uri(session_uri)
            .send()
            .await
    }

    /// The whole flow for a user id: the access token at its end.
    pub(crate) async fn consent(&self, user: &str) -> String {
        let workload_token = self.token_for_user_id(user).await;
        let begun = self.begin(&workload_token).await;
        let landed = Browser::of(user).visit(&begun.url).await;
        assert_eq!(landed.session_id(), begun.session);
        self.complete(user_id(user), &begun.session).await.unwrap();
        let answer = self.ask(&workload_token).send().await.unwrap();
        answer.access_token.unwrap()
    }
}

/// A session that began.
pub(crate) struct Begun {
    pub(crate) url: String,
    pub(crate) session: String,
}

impl From<GetResourceOauth2TokenOutput> for Begun {
    fn from(answer: GetResourceOauth2TokenOutput) -> Self {
        assert_eq!(answer.access_token, None);
        assert_eq!(answer.session_status.unwrap().as_str(), "IN_PROGRESS");
        Self {
            url: answer.authorization_url.unwrap(),
            session: answer.session_uri.unwrap(),
        }
    }
}

/// A browser. It follows redirects until they lead out of this machine, and carries a cookie that
/// identifies its person.
pub(crate) struct Browser {
    client: reqwest::Client,
    person: String,
}

impl Browser {
    pub(crate) fn of(person: &str) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            person: person.to_owned(),
        }
    }

    /// One step: the status and the next address.
    pub(crate) async fn step(&self, url: &str) -> (u16, Option<Url>) {
        let response = self
            .client
            .get(url)
            .header("cookie", format!("person={}", self.person))
            .send()
            .await
            .unwrap();
        let location = response.headers().get("location");
        let location = location.map(|value| Url::parse(value.to_str().unwrap()).unwrap());
        (response.status().as_u16(), location)
    }

    /// Follows redirects. They end at the application, or at a page with a refusal.
    pub(crate) async fn visit(&self, url: &str) -> Landed {
        let mut url = Url::parse(url).unwrap();
        loop {
            let (status, location) = self.step(url.as_str()).await;
            let Some(location) = location else {
                return Landed { status, url };
            };
            assert_eq!(status, 302);
            url = location;
            if url.host_str() != Some("127.0.0.1") {
                return Landed { status, url };
            }
        }
    }
}

/// The browser's final address.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) status: u16,
    pub(crate) url: Url,
}

impl Landed {
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.url, name)
    }

    pub(crate) fn session_id(&self) -> String {
        self.parameter("session_id").unwrap_or_default()
    }

    /// The return URL's query, without its registered part.
    pub(crate) fn added(&self) -> Vec<(String, String)> {
        let pairs = self.url.query_pairs().into_owned();
        pairs.filter(|(name, _)| name != "tenant").collect()
    }
}

pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn user_id(user: &str) -> UserIdentifier {
    UserIdentifier::UserId(user.to_owned())
}

pub(crate) fn user_token(token: &str) -> UserIdentifier {
    UserIdentifier::UserToken(token.to_owned())
}

pub(crate) fn sdk_for(url: &str) -> sdk::Client {
    let config = sdk::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::from_keys("AKID", "secret", None))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    sdk::Client::from_conf(config)
}

/// The exception and its message, as the SDK read them.
pub(crate) fn refusal<T: Debug, E: ProvideErrorMetadata + Debug>(
    outcome: Result<T, SdkError<E>>,
) -> String {
    let error = outcome.expect_err("the operation refuses");
    format!(
        "{}: {}",
        error.code().unwrap_or_default(),
        error.message().unwrap_or_default()
    )
}

pub(crate) const SESSION_ENDED: &str = "ValidationException: Invalid or expired session";
pub(crate) const WRONG_USER: &str =
    "AccessDeniedException: The user identifier is not the one that began this session";
