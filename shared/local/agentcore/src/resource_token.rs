//! `GetResourceOauth2Token`: a token from the vault, or the way to a consent.

use std::collections::BTreeMap;

use local_kit::Breach;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::behaviour::Permission;
use crate::credential_provider::Provider;
use crate::oauth2::Targets;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{Asked, Session, Standing, authorization_url};
use crate::vault::{self, Purpose};
use crate::workload_identity::WorkloadIdentity;
use crate::workload_token::{self, Bearer, Principal};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    workload_identity_token: String,
    resource_credential_provider_name: String,
    scopes: Vec<String>,
    oauth2_flow: Flow,
    session_uri: Option<String>,
    resource_oauth2_return_url: Option<String>,
    #[serde(default)]
    force_authentication: Option<bool>,
    #[serde(default)]
    custom_parameters: Option<BTreeMap<String, String>>,
    custom_state: Option<String>,
    #[serde(default)]
    resources: Option<Vec<String>>,
    #[serde(default)]
    audiences: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Flow {
    UserFederation,
    M2m,
    OnBehalfOfTokenExchange,
}

pub(crate) async fn get(service: &Service, input: Input) -> Result<Value, Refusal> {
    let (bearer, identity) = workload_token::bearer(service, &input.workload_identity_token)?;
    let provider = service
        .store
        .read(|connection| Provider::find(connection, &input.resource_credential_provider_name))?;
    match input.oauth2_flow {
        Flow::UserFederation => user_federation(service, bearer, &identity, provider, input).await,
        Flow::M2m => {
            let bearer = Bearer {
                principal: Principal::Workload,
                ..bearer
            };
            let anew = input.force_authentication == Some(true);
            let purpose = input.purpose();
            let key = vault::key(&service.behaviour(), &bearer, &provider.name, &purpose);
            let token = vault::own_access_token(service, &key, &provider, &purpose, anew).await?;
            Ok(json!({"accessToken": token}))
        }
        Flow::OnBehalfOfTokenExchange => Err(Refusal::invalid(
            "ON_BEHALF_OF_TOKEN_EXCHANGE is not served by this stand-in",
        )),
    }
}

async fn user_federation(
    service: &Service,
    bearer: Bearer,
    identity: &WorkloadIdentity,
    provider: Provider,
    input: Input,
) -> Result<Value, Refusal> {
    let behaviour = service.behaviour();
    if bearer.principal == Principal::Workload {
        return Err(Refusal::invalid(
            "USER_FEDERATION needs a workload access token that acts for a user",
        ));
    }
    if behaviour.colon_in_custom_state == Permission::Refused
        && input
            .custom_state
            .as_ref()
            .is_some_and(|state| state.contains(':'))
    {
        return Err(misleading_refusal_of_a_colon());
    }
    if let Some(url) = &input.resource_oauth2_return_url
        && !identity.allows(url, behaviour.return_urls)
    {
        return Err(Refusal::invalid(
            "resourceOauth2ReturnUrl is not one of the return URLs that the workload identity allows",
        ));
    }
    let return_url = input.resource_oauth2_return_url.clone();
    let custom_state = input.custom_state.clone();
    let session_uri = input.session_uri.clone();
    let force = input.force_authentication == Some(true);
    let purpose = input.purpose();
    let key = vault::key(&behaviour, &bearer, &provider.name, &purpose);
    if !force {
        if let Some(uri) = &session_uri {
            match Session::standing(service, uri, &bearer)? {
                Standing::Completed => {}
                Standing::InProgress => return Ok(in_progress(service, uri)),
                Standing::Failed => {
                    return Ok(json!({"sessionUri": uri, "sessionStatus": "FAILED"}));
                }
            }
        }
        if let Some(token) = vault::access_token(service, &key, &provider, &purpose).await? {
            return Ok(json!({"accessToken": token}));
        }
    }
    let return_url = return_url.ok_or_else(|| {
        Refusal::invalid("resourceOauth2ReturnUrl is required where a user's consent is needed")
    })?;
    let asked = Asked {
        bearer,
        provider: provider.name,
        purpose,
        key,
        return_url,
        custom_state,
    };
    let uri = Session::begin(service, asked)?;
    Ok(in_progress(service, &uri))
}

impl Input {
    fn purpose(self) -> Purpose {
        Purpose {
            scopes: self.scopes,
            parameters: self.custom_parameters.unwrap_or_default(),
            targets: Targets {
                resources: self.resources.unwrap_or_default(),
                audiences: self.audiences.unwrap_or_default(),
            },
        }
    }
}

fn in_progress(service: &Service, session_uri: &str) -> Value {
    json!({
        "authorizationUrl": authorization_url(service, session_uri),
        "sessionUri": session_uri,
        "sessionStatus": "IN_PROGRESS",
    })
}

/// Seen on a real account: the message mentions a member that the request does not have.
fn misleading_refusal_of_a_colon() -> Refusal {
    let member = "requestUri".to_owned();
    let message = "Value at 'requestUri' failed to satisfy constraint: Member must satisfy regular expression pattern: \
         urn:ietf:params:oauth:request_uri:[a-zA-Z0-9-._~]+"
        .to_owned();
    Refusal::breached(vec![Breach { member, message }])
}
