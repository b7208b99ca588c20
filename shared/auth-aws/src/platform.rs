//! The base of every function: its environment, one HTTP client, a clock, and randomness.

use std::net::SocketAddr;
use std::time::Duration;

use auth_domain::{AppClients, Clock, Deployment, Randomness};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use aws_smithy_runtime_api::client::{
    runtime_components::RuntimeComponentsBuilder,
    runtime_plugin::{RuntimePlugin, StaticRuntimePlugin},
};
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};

use crate::clients::{Clients, Service};
use crate::{ConfigurationError, Environment};

/// Tries of one AWS call, the first included. The SDK waits between them with full jitter.
const TRIES: u32 = 3;

/// The wait before the second try, at most. A person is waiting, and a Lambda is paid by the
/// millisecond.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// The name of the retry budget of requests outside the SDK's clients.
const PLAIN_REQUESTS: &str = "plain requests";

/// The longest wait between tries.
const LONGEST_BACKOFF: Duration = Duration::from_millis(400);

/// A connection within the Region takes a few milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// One try: Cognito hands a mail to SES before it answers.
const TRY_TIMEOUT: Duration = Duration::from_secs(4);

/// The time for all tries of one call. It is shorter than any function's time-out, so Latchkey
/// still answers.
const CALL_TIMEOUT: Duration = Duration::from_secs(9);

/// Amazon Trust Services' roots, to which every AWS endpoint chains. Parsing the system's hundred
/// and more takes three times as long as the rest of a function's work before its first poll.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// The variable with one more root, as PEM. It counts for endpoints on loopback alone:
/// `scripts/bench --lambda` plays AWS there, behind TLS.
const LOOPBACK_ROOT: &str = "LOOPBACK_ROOT_CERTIFICATE";

/// The basis of an operation.
#[derive(Clone)]
pub struct Platform {
    environment: Environment,
    aws: SdkConfig,
    clock: Clock,
    randomness: Randomness,
    clients: Clients,
    /// Whether its requests take connections, which may be opened before they are used.
    is_networked: bool,
}

impl Platform {
    /// The platform in Lambda: the process's environment and the operating system's randomness.
    pub fn from_environment(clock: Clock) -> Result<Self, ConfigurationError> {
        let environment = Environment::from_process();
        let http_client = https_client(environment.optional(LOOPBACK_ROOT)?)?;
        let platform = Self::new(environment, http_client, clock, system_randomness())?;
        Ok(Self {
            is_networked: true,
            ..platform
        })
    }

    /// A platform that the local run builds. Its requests reach the stand-ins without a connection.
    ///
    /// Region, credentials and endpoints come from the environment under AWS's own names.
    /// Credentials come only from there: a Lambda has them there, and the SDK's chain of providers
    /// would slow every cold start.
    pub fn new(
        environment: Environment,
        http_client: SharedHttpClient,
        clock: Clock,
        randomness: Randomness,
    ) -> Result<Self, ConfigurationError> {
        let credentials = Credentials::new(
            environment.text("AWS_ACCESS_KEY_ID")?,
            environment.text("AWS_SECRET_ACCESS_KEY")?,
            environment
                .optional("AWS_SESSION_TOKEN")?
                .map(str::to_owned),
            None,
            "environment",
        );
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(environment.text("AWS_REGION")?.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client)
            .sleep_impl(TokioSleep::new())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(TRIES)
                    .with_initial_backoff(FIRST_BACKOFF)
                    .with_max_backoff(LONGEST_BACKOFF),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(TRY_TIMEOUT)
                    .operation_timeout(CALL_TIMEOUT)
                    .build(),
            )
            .build();
        Ok(Self {
            environment,
            aws,
            clock,
            randomness,
            clients: Clients::default(),
            is_networked: false,
        })
    }

    /// The function's variables.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The deployment that the function runs in.
    pub fn deployment(&self) -> Result<Deployment, ConfigurationError> {
        Ok(Deployment {
            clock: self.clock(),
            environment: self.environment.text("ENVIRONMENT")?.to_owned(),
            front_door: self.environment.required("ORIGIN_SECRET_SHA256")?,
            app_clients: AppClients::default(),
        })
    }

    /// The same for an operation with callers: with the app clients whose tokens identify one.
    pub fn deployment_with_callers(&self) -> Result<Deployment, ConfigurationError> {
        Ok(Deployment {
            app_clients: self.app_clients()?,
            ..self.deployment()?
        })
    }

    pub(crate) fn app_clients(&self) -> Result<AppClients, ConfigurationError> {
        self.environment.required("API_CLIENT_IDS")
    }

    /// The randomness.
    #[must_use]
    pub fn randomness(&self) -> Randomness {
        self.randomness.clone()
    }

    /// The issuer of the user pool's tokens. Its signing keys are published under the same address.
    pub(crate) fn issuer(&self) -> Result<String, ConfigurationError> {
        Ok(self.environment.text("COGNITO_ISSUER")?.to_owned())
    }

    /// The HTTP client, time-outs and tries of requests without an SDK client.
    pub(crate) fn plain_requests(&self) -> impl RuntimePlugin + 'static {
        let mut config = Layer::new(PLAIN_REQUESTS);
        // As for the SDK's clients: one function's failures must not use up the retries of another.
        config.store_put(RetryPartition::custom(PLAIN_REQUESTS).build());
        config.store_put(
            self.aws
                .retry_config()
                .cloned()
                .unwrap_or_else(RetryConfig::standard),
        );
        if let Some(timeouts) = self.aws.timeout_config() {
            config.store_put(timeouts.clone());
        }
        let mut components = RuntimeComponentsBuilder::new(PLAIN_REQUESTS);
        components.set_http_client(self.aws.http_client());
        components.set_sleep_impl(self.aws.sleep_impl());
        StaticRuntimePlugin::new()
            .with_config(config.freeze())
            .with_runtime_components(components)
    }

    pub(crate) fn is_networked(&self) -> bool {
        self.is_networked
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The endpoint of a service.
    pub(crate) fn endpoint(&self, service: Service) -> String {
        let variable = self.environment.optional(service.endpoint_variable());
        if let Ok(Some(endpoint)) = variable {
            return endpoint.to_owned();
        }
        let region = self.aws.region().map_or("", Region::as_ref);
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{}.{region}.amazonaws.com{china}", service.name())
    }

    /// The common configuration of this function's SDK clients, with the endpoint of `variable`, if
    /// it is set.
    pub(crate) fn aws(&self, variable: &str) -> Result<SdkConfig, ConfigurationError> {
        let endpoint = self.environment.optional(variable)?.map(str::to_owned);
        let mut builder = self.aws.to_builder();
        builder.set_endpoint_url(endpoint);
        Ok(builder.build())
    }
}

fn https_client(loopback_root: Option<&str>) -> Result<SharedHttpClient, ConfigurationError> {
    let amazon = client_that_trusts(AMAZON_ROOTS)?;
    Ok(match loopback_root {
        Some(root) => SharedHttpClient::new(ByEndpoint {
            loopback: client_that_trusts(root)?,
            amazon,
        }),
        None => amazon,
    })
}

fn client_that_trusts(roots: &str) -> Result<SharedHttpClient, ConfigurationError> {
    let roots = TrustStore::empty().with_pem_certificate(roots);
    let context = TlsContext::builder().with_trust_store(roots).build();
    let context = context.map_err(ConfigurationError::Tls)?;
    let client = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https();
    Ok(SharedHttpClient::new(AtFirstRequest(client)))
}

/// Reads the roots when a connection first needs them. By default, hyper's client reads them again
/// for every SDK client, and drops them.
#[derive(Debug)]
struct AtFirstRequest(SharedHttpClient);

impl HttpClient for AtFirstRequest {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}

/// Trusts one more root for requests to loopback, and only Amazon's elsewhere.
#[derive(Debug)]
struct ByEndpoint<Client> {
    loopback: Client,
    amazon: Client,
}

impl HttpClient for ByEndpoint<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ByEndpoint {
            loopback: self.loopback.http_connector(settings, components),
            amazon: self.amazon.http_connector(settings, components),
        })
    }
}

impl HttpConnector for ByEndpoint<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_on_loopback(request.uri()) {
            self.loopback.call(request)
        } else {
            self.amazon.call(request)
        }
    }
}

/// Whether a request names this machine's loopback address, by number and with a port.
fn is_on_loopback(uri: &str) -> bool {
    let authority = uri
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority
        .and_then(|authority| authority.parse::<SocketAddr>().ok())
        .is_some_and(|address| address.ip().is_loopback())
}

#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "the one place where a function's randomness comes from, and nothing is safe without it"
)]
fn system_randomness() -> Randomness {
    Randomness::new(|bytes| {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

    use super::*;

    #[test]
    fn the_roots_are_five_that_browsers_trust_too() {
        let mut trusted = 0;
        for certificate in AMAZON_ROOTS.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let body = certificate.split("-----END CERTIFICATE-----").next();
            let der = BASE64
                .decode(body.unwrap().replace('\n', "").as_bytes())
                .unwrap();
            assert!(
                TLS_SERVER_ROOT_CERTS
                    .iter()
                    .any(|root| root.as_ref() == der)
            );
            trusted += 1;
        }
        assert_eq!(trusted, 5);
    }

    #[test]
    fn a_client_is_made_of_them() {
        assert!(https_client(None).is_ok());
    }

    #[test]
    fn another_root_counts_on_loopback_alone() {
        for uri in ["https://127.0.0.1:8443/", "https://[::1]:8443?x"] {
            assert!(is_on_loopback(uri), "{uri}");
        }
        for uri in [
            "https://cognito-idp.eu-west-1.amazonaws.com/",
            "https://127.0.0.1:8443@example.com/",
            "https://127.0.0.1.example.com:443/",
            "https://10.0.0.1:8443/",
            "https://localhost:8443/",
        ] {
            assert!(!is_on_loopback(uri), "{uri}");
        }
    }
}
