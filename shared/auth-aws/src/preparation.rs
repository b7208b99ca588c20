//! A cold function's preparation: while Lambda still gives it a whole processor, it reads the
//! secrets and opens the connections that its first invocation will use. The connection for mails,
//! which some invocations use, is opened beside their first calls.

use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use tokio::{task::JoinSet, time::timeout};

use crate::{Platform, clients::Service};

/// Lambda ends an initialisation after ten seconds. What is not ready by then is made by the first
/// invocation.
const LONGEST: Duration = Duration::from_secs(1);

/// The calls that stand side by side in a function that counts limits. Each needs a connection of
/// its own.
const COUNTS_SIDE_BY_SIDE: usize = 3;

/// Nothing comes of a request that only opens a connection.
#[derive(Debug, thiserror::Error)]
#[error("a connection could not be opened")]
struct NotOpened(ErrorMetadata);

impl ProvideErrorMetadata for NotOpened {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl Platform {
    /// Prepares for the first invocation, with the clients that the function's capabilities have
    /// made. Nothing depends on it: whatever fails is tried again when it is needed.
    pub async fn prepare(&self) {
        let mut preparing = JoinSet::new();
        if let Some(secrets) = self.clients().known_secrets() {
            preparing.spawn(async move { drop(secrets.get().await) });
        }
        for service in self.clients().made() {
            for _ in 0..self.side_by_side(service) {
                let platform = self.clone();
                preparing.spawn(async move { platform.open(service).await });
            }
        }
        let all = async { while preparing.join_next().await.is_some() {} };
        if timeout(LONGEST, all).await.is_err() {
            tracing::warn!("a cold function was not prepared in time");
        }
    }

    fn side_by_side(&self, service: Service) -> usize {
        let counts_limits = self.environment().text("CHALLENGES_TABLE_NAME").is_ok();
        match service {
            Service::DynamoDb if counts_limits => COUNTS_SIDE_BY_SIDE,
            Service::DynamoDb | Service::Cognito | Service::Ses => 1,
        }
    }

    /// Opens the connection for mails in the background, once: a mail may follow.
    pub(crate) fn expect_mail(&self) {
        if self.is_networked() && self.clients().is_first_expected_mail() {
            let platform = self.clone();
            tokio::spawn(async move { platform.open(Service::Ses).await });
        }
    }

    /// Asks for a service's front page, without a signature: the answer says nothing, and the
    /// connection stays.
    async fn open(&self, service: Service) {
        let endpoint = self.endpoint(service);
        let opening = Operation::builder()
            .service_name(service.name())
            .operation_name("Open")
            .runtime_plugin(self.plain_requests())
            .endpoint_url(&endpoint)
            .no_auth()
            .no_retry()
            .serializer(|()| HttpRequest::get("/").map_err(Into::into))
            .deserializer(|_| Ok::<(), OrchestratorError<NotOpened>>(()))
            .build();
        if opening.invoke(()).await.is_err() {
            tracing::debug!(service = service.name(), "a connection was not opened");
        }
    }
}
