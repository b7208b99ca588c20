//! `getWorkloadToken`, POST /agent/workload-token: the agent's workload access token, for itself,
//! for a named user, or for the user of a token.
//!
//! The warm function caches a token until 30 seconds before its end. The cache's key is the whole
//! request, so no caller gets a token issued for another. AgentCore reveals neither the content nor
//! the end of its tokens, so their lifetime is a setting.
//!
//! If the call fails: nothing has changed.

use auth_aws::{ConfigurationError, Platform, WorkloadTokens};
use auth_domain::{ActingFor, Problem, Timestamp};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        GetWorkloadToken {
            workload_tokens: WorkloadTokens::new(platform)?,
        },
        platform.deployment()?,
    ))
}

/// The operation's dependencies.
struct GetWorkloadToken {
    workload_tokens: WorkloadTokens,
}

/// The token and its user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_at: Timestamp,
    workload_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
}

impl Operation for GetWorkloadToken {
    const NAME: &'static str = "get-workload-token";
    const ACCESS: Access = Access::Agent;

    type Input = ActingFor;
    type Output = Issued;

    fn parse(&self, fields: &mut Fields) -> Result<ActingFor, Problem> {
        let user = fields.optional("userId").map(ActingFor::User);
        let holder = fields.optional("userToken").map(ActingFor::TokenHolder);
        fields.at_most_one_of(&["userId", "userToken"]);
        fields.finish()?;
        Ok(user.or(holder).unwrap_or(ActingFor::Itself))
    }

    async fn run(&self, acting_for: ActingFor, _exchange: &Exchange) -> Result<Issued, Problem> {
        let token = self.workload_tokens.get(&acting_for).await?;
        Ok(Issued {
            access_token: token.as_str().to_owned(),
            token_type: "Bearer",
            expires_at: token.expires_at,
            workload_name: self.workload_tokens.workload().to_owned(),
            user_id: match acting_for {
                ActingFor::User(user_id) => Some(user_id.as_str().to_owned()),
                ActingFor::TokenHolder(_) | ActingFor::Itself => None,
            },
        })
    }
}
