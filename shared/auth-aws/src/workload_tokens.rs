//! Workload access tokens: cached in the warm function, separately for each person, until shortly
//! before they end.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use auth_domain::{ActingFor, Clock, FieldProblem, Problem, Timestamp, WorkloadToken};
use aws_sdk_bedrockagentcore::Client;
use serde_json::Value;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::agentcore,
    failure::{Failure, failure},
};

/// How long before its end a token is renewed, so that its receiver can still use it.
const RENEWED_BEFORE: Duration = Duration::from_secs(30);

/// The number of cached tokens. Each is for a different user, and has a few KB.
const KEPT: usize = 500;

/// The workload identity that `AGENTCORE_WORKLOAD_NAME` names.
#[derive(Clone)]
pub struct WorkloadTokens {
    client: Client,
    workload: String,
    lifetime: Duration,
    clock: Clock,
    kept: Arc<Mutex<HashMap<ActingFor, WorkloadToken>>>,
}

impl WorkloadTokens {
    /// Tokens of the workload that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: agentcore(platform)?,
            workload: environment.text("AGENTCORE_WORKLOAD_NAME")?.to_owned(),
            lifetime: environment.workload_token_lifetime()?,
            clock: platform.clock(),
            kept: Arc::default(),
        })
    }

    /// The workload's name.
    #[must_use]
    pub fn workload(&self) -> &str {
        &self.workload
    }

    /// A token that is valid for a while, from the cache if possible. The cache's key is the whole
    /// request, so a token never serves another user.
    pub async fn get(&self, acting_for: &ActingFor) -> Result<WorkloadToken, Problem> {
        let now = self.clock.now();
        let kept = self.locked().get(acting_for).cloned();
        if let Some(token) = kept.filter(|token| now < token.expires_at.before(RENEWED_BEFORE)) {
            return Ok(token);
        }
        self.get_anew(acting_for).await
    }

    /// A newly issued token, for when a cached one turns out to be no longer valid.
    pub(crate) async fn get_anew(&self, acting_for: &ActingFor) -> Result<WorkloadToken, Problem> {
        let now = self.clock.now();
        let text = self.issue(acting_for).await?;
        let until = now.after(self.lifetime);
        let token = WorkloadToken::issued(text, until.min(end_of(acting_for).unwrap_or(until)));
        let mut kept = self.locked();
        make_room(&mut kept, now);
        kept.insert(acting_for.clone(), token.clone());
        Ok(token)
    }

    async fn issue(&self, acting_for: &ActingFor) -> Result<String, Problem> {
        let workload = self.workload.as_str();
        Ok(match acting_for {
            ActingFor::Itself => {
                let call = self
                    .client
                    .get_workload_access_token()
                    .workload_name(workload);
                let answer = call.send().boxed().await;
                answer
                    .map_err(failure("get the workload's token"))?
                    .workload_access_token
            }
            ActingFor::User(user_id) => {
                let call = self
                    .client
                    .get_workload_access_token_for_user_id()
                    .workload_name(workload)
                    .user_id(user_id.as_str());
                let answer = call.send().boxed().await;
                answer
                    .map_err(failure("get the workload's token for a user"))?
                    .workload_access_token
            }
            ActingFor::TokenHolder(token) => {
                let call = self
                    .client
                    .get_workload_access_token_for_jwt()
                    .workload_name(workload)
                    .user_token(token.as_str());
                let answer = call.send().boxed().await;
                answer
                    .map_err(failure("get the workload's token for a token's holder"))
                    .map_err(of_user_token)?
                    .workload_access_token
            }
        })
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<ActingFor, WorkloadToken>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the person's own token ends: no agent acts for a person longer than that. AgentCore has
/// checked the token.
fn end_of(acting_for: &ActingFor) -> Option<Timestamp> {
    let ActingFor::TokenHolder(token) = acting_for else {
        return None;
    };
    let claims: Value = serde_json::from_slice(&token.stated_claims()?).ok()?;
    claims.get("exp")?.as_i64().map(Timestamp::from_seconds)
}

/// AgentCore's refusal of a person's token.
fn of_user_token(failure: Failure) -> Problem {
    match failure.code() {
        Some("UnauthorizedException" | "ValidationException") => {
            Problem::ValidationFailed(vec![FieldProblem {
                field: "userToken".to_owned(),
                code: "invalid",
                message: "must be a token that AgentCore accepts".to_owned(),
            }])
        }
        Some(_) | None => failure.into(),
    }
}

/// Makes room for one more token: drops expired ones first, then the one that ends soonest.
fn make_room(kept: &mut HashMap<ActingFor, WorkloadToken>, now: Timestamp) {
    if kept.len() < KEPT {
        return;
    }
    kept.retain(|_, token| now < token.expires_at);
    if kept.len() < KEPT {
        return;
    }
    let soonest = kept.iter().min_by_key(|(_, token)| token.expires_at);
    if let Some(acting_for) = soonest.map(|(acting_for, _)| acting_for.clone()) {
        kept.remove(&acting_for);
    }
}

impl fmt::Debug for WorkloadTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WorkloadTokens(…)")
    }
}
