//! The decision: find the authorization, check its browser and that it is still open, and check the
//! person who consented.

use auth_aws::Claim;
use auth_domain::{
    AttemptId, Authorization, AuthorizationFailure, AuthorizationId, AuthorizationStatus,
    BindingCookie, KeyRing, Problem, Standing,
};
use auth_lambda::{Exchange, Metric, Redirect};

use crate::{AuthorizationCallback, Input};

/// The end of a callback.
enum Ending {
    /// The person's token is available from now on.
    Completed,
    /// It was available before.
    CompletedBefore,
    /// It is not available.
    Failed(AuthorizationFailure),
}

impl AuthorizationCallback {
    pub(crate) async fn come_back(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Redirect, Problem> {
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let Some(id) = which(input, keys, exchange) else {
            return if input.is_error {
                // The provider's error names no authorization.
                Ok(self.refused(AuthorizationFailure::ProviderDenied, exchange))
            } else {
                Err(Problem::InvalidSession)
            };
        };
        let now = self.clock.now();
        let found = self.authorizations.find(&id, now).await?;
        let authorization = found.ok_or(Problem::InvalidSession)?;
        let state = input.state.as_deref();
        let comes_from_consent =
            state.is_some_and(|state| authorization.is_sent_out_with(state, keys));
        if !began_here(&authorization, keys, exchange) {
            if input.is_error {
                return Ok(self.refused(AuthorizationFailure::ProviderDenied, exchange));
            }
            exchange.count(Metric::CallbackRefusals);
            let reason = AuthorizationFailure::OtherBrowser;
            if comes_from_consent && authorization.status(now) == AuthorizationStatus::Pending {
                // A person has consented to another person's authorization. The one who began it
                // must not benefit.
                let attempt = AttemptId::generate(&self.randomness);
                let failing = self.end.fail(&authorization, &attempt, reason, exchange);
                failing.await?;
            }
            return Ok(self.refused(reason, exchange));
        }
        let ending = self
            .ending(&authorization, input, comes_from_consent, exchange)
            .await?;
        let location = match ending {
            Ending::Completed => {
                tracing::info!("an authorization is completed");
                self.front_end.told_of_success(&id, false)
            }
            Ending::CompletedBefore => {
                let reason = AuthorizationFailure::AlreadyUsed.name();
                tracing::warn!(reason, "a callback changes nothing");
                self.front_end.told_of_success(&id, true)
            }
            Ending::Failed(reason) => {
                tracing::warn!(reason = reason.name(), "an authorization is not completed");
                self.front_end.told_of_failure(reason, true)
            }
        };
        Ok(Redirect::to(location, exchange))
    }

    /// The only answer for a browser that has begun no authorization here.
    fn refused(&self, reason: AuthorizationFailure, exchange: &Exchange) -> Redirect {
        tracing::warn!(reason = reason.name(), "a callback is refused");
        Redirect::to(self.front_end.told_of_failure(reason, false), exchange)
    }

    async fn ending(
        &self,
        authorization: &Authorization,
        input: &Input,
        comes_from_consent: bool,
        exchange: &Exchange,
    ) -> Result<Ending, Problem> {
        let attempt = AttemptId::generate(&self.randomness);
        let fail = |reason| self.end.fail(authorization, &attempt, reason, exchange);
        if let Some(ending) = over(authorization) {
            return Ok(ending);
        }
        let now = self.clock.now();
        if authorization.status(now) == AuthorizationStatus::Expired {
            self.end.note_abandoned(authorization, exchange).await?;
            return Ok(Ending::Failed(AuthorizationFailure::Expired));
        }
        if input.is_denial() {
            let reason = AuthorizationFailure::ProviderDenied;
            if comes_from_consent {
                fail(reason).await?;
            }
            return Ok(Ending::Failed(reason));
        }
        if !comes_from_consent {
            return Ok(Ending::Failed(AuthorizationFailure::StateMismatch));
        }
        let claiming = self.authorizations.claim(&authorization.id, &attempt, now);
        match claiming.await? {
            Claim::Taken => {}
            Claim::Held => return Ok(Ending::Failed(AuthorizationFailure::AlreadyUsed)),
            Claim::Over(authorization) => {
                let expired = Ending::Failed(AuthorizationFailure::Expired);
                return Ok(over(&authorization).unwrap_or(expired));
            }
        }
        let completing = self.completion.complete(authorization, &attempt, exchange);
        match completing.await {
            Ok(None) => Ok(Ending::Completed),
            Ok(Some(reason)) => {
                fail(reason).await?;
                Ok(Ending::Failed(reason))
            }
            Err(problem) => {
                let id = &authorization.id;
                if self.authorizations.release(id, &attempt).await.is_err() {
                    tracing::warn!("a failed claim was not released, and ends in half a minute");
                }
                Err(problem)
            }
        }
    }
}

/// The authorization of the redirect: the one that it names, or the one in the cookie for its
/// state.
fn which(input: &Input, keys: &KeyRing, exchange: &Exchange) -> Option<AuthorizationId> {
    if let Some(id) = &input.session_id {
        return Some(id.clone());
    }
    BindingCookie::names(input.state.as_deref()?, keys)
        .iter()
        .filter_map(|name| exchange.cookie(name))
        .find_map(BindingCookie::parse)
        .map(|cookie| cookie.id().clone())
}

/// Whether this browser began the authorization.
fn began_here(authorization: &Authorization, keys: &KeyRing, exchange: &Exchange) -> bool {
    exchange
        .cookie(&BindingCookie::name(&authorization.state))
        .and_then(BindingCookie::parse)
        .is_some_and(|cookie| authorization.is_bound_to(&cookie, keys))
}

/// The end of an authorization that is no longer open.
fn over(authorization: &Authorization) -> Option<Ending> {
    match authorization.standing {
        Standing::Pending => None,
        Standing::Completed => Some(Ending::CompletedBefore),
        Standing::Failed(reason) => Some(Ending::Failed(reason)),
    }
}
