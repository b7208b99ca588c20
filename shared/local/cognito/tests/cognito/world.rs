//! A pool on a free port, with its own mailbox and clock.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sdk_cognitoidentityprovider as sdk;
use cognito_local::{Client, ClientSpec, Cognito, Mail, Options, PoolSpec};
use sdk::config::retry::RetryConfig;
use sdk::config::{BehaviorVersion, Region};
use sdk::error::{ProvideErrorMetadata, SdkError};
use sdk::operation::admin_create_user::AdminCreateUserOutput;
use sdk::operation::admin_initiate_auth::{AdminInitiateAuthError, AdminInitiateAuthOutput};
use sdk::operation::admin_respond_to_auth_challenge::{
    AdminRespondToAuthChallengeError, AdminRespondToAuthChallengeOutput,
};
use sdk::operation::admin_set_user_password::{
    AdminSetUserPasswordError, AdminSetUserPasswordOutput,
};
use sdk::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType, MessageActionType,
};
use tokio::net::TcpListener;

/// 2033-05-18: later than now, so that a JOSE library with the real clock accepts the tokens'
/// times.
const BEGINNING: u64 = 2_000_000_000;

pub(crate) const PASSWORD: &str = "Correct-Horse-7";

/// Moves when a test says so.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    pub(crate) cognito: Cognito,
    pub(crate) url: String,
    pub(crate) pool: String,
    pub(crate) client: Client,
    pub(crate) sdk: sdk::Client,
    pub(crate) clock: Clock,
    pub(crate) mails: Arc<Mutex<Vec<Mail>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A test's changes before its world begins.
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) pool: PoolSpec,
    pub(crate) client: ClientSpec,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = Clock(Arc::new(AtomicU64::new(BEGINNING)));
        let mails = Arc::new(Mutex::new(Vec::new()));
        let mut plan = Plan {
            options: Options::new(&url),
            pool: PoolSpec::passwordless("tests"),
            client: ClientSpec::new("tests"),
        };
        let hands = clock.clone();
        plan.options.clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(hands.now()));
        let mailbox = Arc::clone(&mails);
        plan.options.mail = Arc::new(move |mail| mailbox.lock().unwrap().push(mail));
        plan.client.explicit_auth_flows = [
            "ALLOW_USER_AUTH",
            "ALLOW_USER_PASSWORD_AUTH",
            "ALLOW_ADMIN_USER_PASSWORD_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
        ]
        .map(str::to_owned)
        .to_vec();
        change(&mut plan);
        let cognito = Cognito::open(plan.options).unwrap();
        let pool = cognito.ensure_pool(plan.pool).unwrap();
        let client = cognito.ensure_client(&pool, plan.client).unwrap();
        let router = cognito.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            sdk: sdk_for(&url),
            cognito,
            url,
            pool,
            client,
            clock,
            mails,
            server,
        }
    }

    /// A confirmed user without a password.
    pub(crate) async fn passwordless_user(&self, email: &str) -> AdminCreateUserOutput {
        self.sdk
            .admin_create_user()
            .user_pool_id(&self.pool)
            .username(email)
            .message_action(MessageActionType::Suppress)
            .user_attributes(attribute("email", email))
            .user_attributes(attribute("email_verified", "true"))
            .send()
            .await
            .unwrap()
    }

    /// A confirmed user with the password [`PASSWORD`].
    pub(crate) async fn user_with_password(&self, email: &str) {
        self.passwordless_user(email).await;
        self.sdk
            .admin_set_user_password()
            .user_pool_id(&self.pool)
            .username(email)
            .password(PASSWORD)
            .permanent(true)
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn begin(
        &self,
        email: &str,
    ) -> Result<AdminInitiateAuthOutput, SdkError<AdminInitiateAuthError>> {
        self.sdk
            .admin_initiate_auth()
            .user_pool_id(&self.pool)
            .client_id(&self.client.client_id)
            .auth_flow(AuthFlowType::UserAuth)
            .auth_parameters("USERNAME", email)
            .auth_parameters("PREFERRED_CHALLENGE", "EMAIL_OTP")
            .send()
            .await
    }

    pub(crate) async fn begin_session(&self, email: &str) -> String {
        self.begin(email).await.unwrap().session.unwrap()
    }

    pub(crate) async fn answer(
        &self,
        email: &str,
        session: &str,
        code: &str,
    ) -> Result<AdminRespondToAuthChallengeOutput, SdkError<AdminRespondToAuthChallengeError>> {
        self.sdk
            .admin_respond_to_auth_challenge()
            .user_pool_id(&self.pool)
            .client_id(&self.client.client_id)
            .challenge_name(ChallengeNameType::EmailOtp)
            .session(session)
            .challenge_responses("USERNAME", email)
            .challenge_responses("EMAIL_OTP_CODE", code)
            .send()
            .await
    }

    pub(crate) async fn sign_in(&self, email: &str) -> AuthenticationResultType {
        let session = self.begin_session(email).await;
        let code = self.last_code(email);
        let answer = self.answer(email, &session, &code).await.unwrap();
        answer.authentication_result.unwrap()
    }

    pub(crate) async fn password_sign_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<AdminInitiateAuthOutput, SdkError<AdminInitiateAuthError>> {
        self.sdk
            .admin_initiate_auth()
            .user_pool_id(&self.pool)
            .client_id(&self.client.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", email)
            .auth_parameters("PASSWORD", password)
            .send()
            .await
    }

    /// `AdminSetUserPassword`.
    pub(crate) async fn set_password(
        &self,
        email: &str,
        password: &str,
        permanent: bool,
    ) -> Result<AdminSetUserPasswordOutput, SdkError<AdminSetUserPasswordError>> {
        self.sdk
            .admin_set_user_password()
            .user_pool_id(&self.pool)
            .username(email)
            .password(password)
            .permanent(permanent)
            .send()
            .await
    }

    pub(crate) fn mails_to(&self, email: &str) -> Vec<Mail> {
        let mails = self.mails.lock().unwrap();
        mails
            .iter()
            .filter(|mail| mail.to == email)
            .cloned()
            .collect()
    }

    pub(crate) fn last_code(&self, email: &str) -> String {
        self.mails_to(email).last().unwrap().code.clone()
    }

    /// A raw request, with a signature that cannot be verified.
    pub(crate) async fn raw(
        &self,
        operation: &str,
        body: &serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let response = reqwest::Client::new()
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "x-amz-target",
                format!("AWSCognitoIdentityProviderService.{operation}"),
            )
            .header("authorization", SIGNATURE)
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }
}

pub(crate) const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20330518/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=00";

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

pub(crate) fn attribute(name: &str, value: &str) -> AttributeType {
    AttributeType::builder()
        .name(name)
        .value(value)
        .build()
        .unwrap()
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
