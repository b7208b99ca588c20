//! People's consents at the identity provider, through AgentCore: requested, completed, and
//! exchanged for the person's token.

use auth_domain::{
    AccessToken, ActingFor, AgentUserId, AuthorizationId, AuthorizationState, AuthorizationUrl,
    CallbackUrl, Problem, Report, Scope, WorkloadToken,
};
use aws_sdk_bedrockagentcore::{
    Client,
    operation::get_resource_oauth2_token::GetResourceOauth2TokenOutput,
    types::{Oauth2FlowType, UserIdentifier},
};

use crate::{
    ConfigurationError, Platform, WorkloadTokens,
    boxed::Boxed as _,
    clients::agentcore,
    failure::{Failure, failure},
};

/// Sent to the provider with every request, even with a refreshed token's, because the vault keys
/// tokens by it. The person signs in again for each authorization, so a live hosted session
/// suffices for none (`OpenID` Connect Core §3.1.2.1).
const FRESH_SIGN_IN: (&str, &str) = ("prompt", "login");

/// The credential provider that `AGENTCORE_IDENTITY_PROVIDER_NAME` names, and its return address
/// for browsers.
#[derive(Clone)]
pub struct Consents {
    client: Client,
    provider: String,
    callback_url: CallbackUrl,
    workload_tokens: WorkloadTokens,
}

/// A requested consent.
pub struct Asked {
    /// AgentCore's name for it.
    pub id: AuthorizationId,
    /// The URL for the person. It works once.
    pub url: AuthorizationUrl,
}

/// The outcome of a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// From now on the person's token is available.
    Done,
    /// AgentCore refused, now or because it was completed before.
    Refused,
}

impl Consents {
    /// Consents to the provider that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: agentcore(platform)?,
            provider: environment
                .text("AGENTCORE_IDENTITY_PROVIDER_NAME")?
                .to_owned(),
            callback_url: environment.required("OAUTH2_CALLBACK_URL")?,
            workload_tokens: WorkloadTokens::new(platform)?,
        })
    }

    /// Requests a new consent, regardless of earlier ones. If the answer is lost, no usable
    /// authorization has begun.
    pub async fn ask(
        &self,
        user_id: &AgentUserId,
        scopes: &[Scope],
        state: &AuthorizationState,
    ) -> Result<Asked, Problem> {
        let odd = || Problem::Internal(Report::of("AgentCore's answer to a new consent is odd"));
        let asked = self.resource_token(user_id, scopes, Wanted::NewConsent(state));
        let answer = asked.await??;
        let id = answer.session_uri.as_deref().map(AuthorizationId::parse);
        Ok(Asked {
            id: id.ok_or_else(odd)?.map_err(|_| odd())?,
            url: AuthorizationUrl::issued(answer.authorization_url.ok_or_else(odd)?),
        })
    }

    /// Completes a consent at AgentCore, under the identifier that began it. AgentCore accepts one
    /// completion.
    pub async fn complete(
        &self,
        user_id: &AgentUserId,
        id: &AuthorizationId,
    ) -> Result<Completion, Problem> {
        let completed = self
            .client
            .complete_resource_token_auth()
            .user_identifier(UserIdentifier::UserId(user_id.as_str().to_owned()))
            .session_uri(id.as_str())
            .send()
            .boxed()
            .await;
        match completed.map_err(failure("complete the consent")) {
            Ok(_) => Ok(Completion::Done),
            Err(failure) if is_refusal_of_session(&failure) => {
                note(failure);
                Ok(Completion::Refused)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// The person's token, as long as the consent is valid: AgentCore renews it. `None` if a new
    /// consent is needed.
    pub async fn token(
        &self,
        user_id: &AgentUserId,
        id: &AuthorizationId,
        scopes: &[Scope],
    ) -> Result<Option<AccessToken>, Problem> {
        match self
            .resource_token(user_id, scopes, Wanted::Token(id))
            .await?
        {
            Ok(answer) => Ok(answer.access_token.map(AccessToken::issued)),
            Err(failure) if is_refusal_of_session(&failure) => {
                note(failure);
                Ok(None)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Makes a call. If AgentCore rejects the cached workload token, calls once more with a new
    /// one: a token's lifetime is not known.
    async fn resource_token(
        &self,
        user_id: &AgentUserId,
        scopes: &[Scope],
        wanted: Wanted<'_>,
    ) -> Result<Result<GetResourceOauth2TokenOutput, Failure>, Problem> {
        let (id, state) = match wanted {
            Wanted::NewConsent(state) => (None, Some(state.as_str().to_owned())),
            Wanted::Token(id) => (Some(id.as_str().to_owned()), None),
        };
        let scopes: Vec<String> = scopes
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect();
        let call = |token: &WorkloadToken| {
            self.client
                .get_resource_oauth2_token()
                .workload_identity_token(token.as_str())
                .resource_credential_provider_name(&self.provider)
                .set_scopes(Some(scopes.clone()))
                .oauth2_flow(Oauth2FlowType::UserFederation)
                .resource_oauth2_return_url(self.callback_url.as_str())
                .force_authentication(id.is_none())
                .custom_parameters(FRESH_SIGN_IN.0, FRESH_SIGN_IN.1)
                .set_session_uri(id.clone())
                .set_custom_state(state.clone())
                .send()
        };
        let attempted = || failure("ask for the person's token");
        let acting_for = ActingFor::User(user_id.clone());
        let kept = self.workload_tokens.get(&acting_for).await?;
        let answer = call(&kept).await.map_err(attempted());
        Ok(match answer {
            Err(refused) if is_refusal_of_workload_token(&refused) => {
                note(refused);
                let fresh = self.workload_tokens.get_anew(&acting_for).await?;
                call(&fresh).await.map_err(attempted())
            }
            answer => answer,
        })
    }
}

/// The request to AgentCore.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// A consent, by a browser that comes back with this state.
    NewConsent(&'a AuthorizationState),
    /// The token of a consent.
    Token(&'a AuthorizationId),
}

/// The session has ended, was used, or belongs to another user. AWS does not document which of the
/// two codes means which. In every case the person has to begin again.
fn is_refusal_of_session(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Some("ValidationException" | "AccessDeniedException")
    )
}

fn is_refusal_of_workload_token(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Some("UnauthorizedException" | "AccessDeniedException")
    )
}

/// Logs a refusal that the caller has handled. An operator may still need it: a missing grant looks
/// like an invalid session.
fn note(failure: Failure) {
    tracing::warn!(
        error = failure.into_report().chain(),
        "refused by AgentCore"
    );
}
