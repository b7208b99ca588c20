//! The SDK's clients: one a service for each function, shared by all its capabilities.
//!
//! Building clients takes most of a function's start, because each SDK parses its own list of AWS's
//! partitions. So the first request that needs a client builds it, unless every request needs it.
//!
//! Each has its own retry budget. The SDK's default budget is the process's. That is right in a
//! Lambda, which has one function. In the local run, one function's failures would use up the
//! retries of the others.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
use std::{ops::Deref, sync::LazyLock};

use crate::{ConfigurationError, Platform, Secrets, transactions::Conflicts};

/// The name is arbitrary: a custom partition is never shared.
const PARTITION: &str = "client";

/// The parts that all capabilities of one function share.
#[derive(Clone, Default)]
pub(crate) struct Clients(Arc<Shared>);

#[derive(Default)]
struct Shared {
    agentcore: OnceLock<aws_sdk_bedrockagentcore::Client>,
    cognito: OnceLock<aws_sdk_cognitoidentityprovider::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    kms: OnceLock<Deferred<aws_sdk_kms::Client>>,
    ses: OnceLock<Deferred<aws_sdk_sesv2::Client>>,
    is_mail_expected: AtomicBool,
    secrets: OnceLock<Secrets>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
}

/// A service whose connections a function opens before it uses them.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    Cognito,
    DynamoDb,
    Ses,
}

impl Service {
    /// The name, as its endpoint has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cognito => "cognito-idp",
            Self::DynamoDb => "dynamodb",
            Self::Ses => "email",
        }
    }

    /// The variable with another endpoint.
    pub(crate) fn endpoint_variable(self) -> &'static str {
        match self {
            Self::Cognito => "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
        }
    }
}

impl Clients {
    /// Whether no mail has been expected before. A mail is expected from now on.
    pub(crate) fn is_first_expected_mail(&self) -> bool {
        !self.0.is_mail_expected.swap(true, Ordering::Relaxed)
    }

    /// The services whose clients every invocation uses, as the function's capabilities have made
    /// them.
    pub(crate) fn made(&self) -> impl Iterator<Item = Service> {
        let cognito = self.0.cognito.get().map(|_| Service::Cognito);
        let dynamodb = self.0.dynamodb.get().map(|_| Service::DynamoDb);
        [dynamodb, cognito].into_iter().flatten()
    }

    /// The secrets, if a capability needs them.
    pub(crate) fn known_secrets(&self) -> Option<Secrets> {
        self.0.secrets.get().cloned()
    }

    /// The secrets. A function reads them once, for all its capabilities.
    pub(crate) fn secrets(
        &self,
        make: impl FnOnce() -> Result<Secrets, ConfigurationError>,
    ) -> Result<Secrets, ConfigurationError> {
        if let Some(known) = self.0.secrets.get() {
            return Ok(known.clone());
        }
        let secrets = make()?;
        Ok(self.0.secrets.get_or_init(|| secrets).clone())
    }
}

/// A client that its first use makes.
pub(crate) struct Deferred<Client>(Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>);

impl<Client> Deferred<Client> {
    fn new(make: impl FnOnce() -> Client + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }
}

impl<Client> Clone for Deferred<Client> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Client> Deref for Deferred<Client> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

macro_rules! client {
    ($name:ident, $sdk:ident, $endpoint:literal, $type:ty, $make:expr) => {
        pub(crate) fn $name(platform: &Platform) -> Result<$type, ConfigurationError> {
            let shared = &platform.clients().0.$name;
            if let Some(client) = shared.get() {
                return Ok(client.clone());
            }
            let partition = $sdk::config::retry::RetryPartition::custom(PARTITION).build();
            let config = $sdk::config::Builder::from(&platform.aws($endpoint)?);
            let config = config.retry_partition(partition).build();
            Ok(shared.get_or_init(|| $make(config)).clone())
        }
    };
}

client!(
    agentcore,
    aws_sdk_bedrockagentcore,
    "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE",
    aws_sdk_bedrockagentcore::Client,
    aws_sdk_bedrockagentcore::Client::from_conf
);
client!(
    cognito,
    aws_sdk_cognitoidentityprovider,
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
    aws_sdk_cognitoidentityprovider::Client,
    aws_sdk_cognitoidentityprovider::Client::from_conf
);
client!(
    dynamodb,
    aws_sdk_dynamodb,
    "AWS_ENDPOINT_URL_DYNAMODB",
    aws_sdk_dynamodb::Client,
    |config: aws_sdk_dynamodb::Config| aws_sdk_dynamodb::Client::from_conf(
        config.to_builder().retry_classifier(Conflicts).build()
    )
);
client!(
    kms,
    aws_sdk_kms,
    "AWS_ENDPOINT_URL_KMS",
    Deferred<aws_sdk_kms::Client>,
    |config| Deferred::new(|| aws_sdk_kms::Client::from_conf(config))
);
client!(
    ses,
    aws_sdk_sesv2,
    "AWS_ENDPOINT_URL_SESV2",
    Deferred<aws_sdk_sesv2::Client>,
    |config| Deferred::new(|| aws_sdk_sesv2::Client::from_conf(config))
);
client!(
    secrets_manager,
    aws_sdk_secretsmanager,
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    aws_sdk_secretsmanager::Client,
    aws_sdk_secretsmanager::Client::from_conf
);
