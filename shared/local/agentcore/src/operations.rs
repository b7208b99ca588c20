//! The operations and the functions that serve them.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::refusal::Refusal;
use crate::service::Service;
use crate::{completion, credential_provider, resource_token, workload_identity, workload_token};

/// Runs an operation on a body that the model has admitted. `tools/extract_model.py` reads the
/// names from here.
pub(crate) async fn run(
    service: &Arc<Service>,
    operation: &str,
    body: Value,
) -> Result<Value, Refusal> {
    match operation {
        "GetWorkloadAccessToken" => workload_token::for_workload(service, read(body)?),
        "GetWorkloadAccessTokenForUserId" => workload_token::for_user_id(service, read(body)?),
        "GetWorkloadAccessTokenForJWT" => workload_token::for_jwt(service, read(body)?).await,
        "GetResourceOauth2Token" => resource_token::get(service, read(body)?).await,
        "CompleteResourceTokenAuth" => completion::complete(service, read(body)?).await,

        "CreateWorkloadIdentity" => workload_identity::create(service, read(body)?),
        "GetWorkloadIdentity" => workload_identity::get(service, &read(body)?),
        "UpdateWorkloadIdentity" => workload_identity::update(service, read(body)?),
        "DeleteWorkloadIdentity" => workload_identity::delete(service, &read(body)?),
        "ListWorkloadIdentities" => workload_identity::list(service, &read(body)?),

        "CreateOauth2CredentialProvider" => credential_provider::create(service, read(body)?),
        "GetOauth2CredentialProvider" => credential_provider::get(service, &read(body)?),
        "UpdateOauth2CredentialProvider" => credential_provider::update(service, read(body)?),
        "DeleteOauth2CredentialProvider" => credential_provider::delete(service, &read(body)?),
        "ListOauth2CredentialProviders" => credential_provider::list(service, &read(body)?),

        unserved => Err(Refusal::unreadable(format!(
            "{unserved} has a model and no implementation"
        ))),
    }
}

/// The model has accepted the body, so a failure here is a member that this stand-in reads
/// differently from the model.
fn read<Input: DeserializeOwned>(body: Value) -> Result<Input, Refusal> {
    serde_json::from_value(body).map_err(|cause| Refusal::unreadable(cause.to_string()))
}
