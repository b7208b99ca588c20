//! The agent's identity: AgentCore with a workload identity, and the user pool as the provider of
//! people's tokens.

use std::path::PathBuf;

use agentcore_local::{
    AgentCore, AuthorizationServer, CredentialProviderSpec, Discovery, Issuers, SpecError, State,
    WorkloadIdentitySpec,
};
use auth_api::AppClient;
use serde_json::{Map, json};

use super::WorldError;
use super::account::{ACCOUNT_ID, CREDENTIAL_PROVIDER, REGION, WORKLOAD_IDENTITY};
use super::clock::WorldClock;
use super::directory::Directory;
use super::random;

/// Replaces AgentCore's callback address until AgentCore knows the client and returns the real one.
/// Nothing answers at this address.
const NOT_KNOWN_YET: &str = "https://agentcore.invalid/not-known-yet";

/// Opens AgentCore with a deployment's settings. `return_url` is the only address to which it sends
/// browsers back.
pub(crate) fn open(
    public_url: String,
    file: Option<PathBuf>,
    clock: &WorldClock,
    directory: &Directory,
    issuer: &str,
    return_url: &str,
) -> Result<AgentCore, WorldError> {
    let agentcore = AgentCore::open(agentcore_local::Options {
        region: REGION.to_owned(),
        account_id: ACCOUNT_ID.to_owned(),
        state: file.clone().map_or(State::Memory, State::File),
        clock: clock.for_stand_ins(),
        random: random::for_stand_ins(),
        issuers: Issuers::Only(vec![issuer.to_owned()]),
        ..agentcore_local::Options::new(public_url)
    })
    .map_err(WorldError::of_kept("AgentCore", file))?;
    agentcore
        .ensure_workload_identity(WorkloadIdentitySpec {
            name: WORKLOAD_IDENTITY.to_owned(),
            allowed_return_urls: vec![return_url.to_owned()],
        })
        .map_err(WorldError::of::<SpecError>("the workload identity"))?;
    register(&agentcore, directory, issuer)?;
    Ok(agentcore)
}

/// Registers each with the other: the pool's client at AgentCore, and AgentCore's callback address
/// at the pool. The first one starts without the other.
fn register(agentcore: &AgentCore, directory: &Directory, issuer: &str) -> Result<(), WorldError> {
    let called_back_at = |url: &str| Map::from_iter([("CallbackURLs".to_owned(), json!([url]))]);
    let client = directory.ensure_client(AppClient::AgentCore, called_back_at(NOT_KNOWN_YET))?;
    let sign_in = directory.hosted_url()?;
    let provider = agentcore
        .ensure_credential_provider(CredentialProviderSpec {
            name: CREDENTIAL_PROVIDER.to_owned(),
            vendor: "CognitoOauth2".to_owned(),
            discovery: Discovery::Metadata(AuthorizationServer {
                issuer: issuer.to_owned(),
                authorization_endpoint: format!("{sign_in}/oauth2/authorize"),
                token_endpoint: format!("{sign_in}/oauth2/token"),
                response_types: Vec::new(),
                token_endpoint_auth_methods: Vec::new(),
            }),
            client_secret: agentcore_local::Secret::new(client.client_secret.unwrap_or_default()),
            client_id: client.client_id,
            client_authentication: None,
        })
        .map_err(WorldError::of::<SpecError>("the credential provider"))?;
    directory.ensure_client(AppClient::AgentCore, called_back_at(&provider.callback_url))?;
    Ok(())
}
