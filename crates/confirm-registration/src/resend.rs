//! Another code for the same registration: admitted, counted, mailed, and remembered beside the
//! others.

use auth_domain::{AttemptId, CognitoSession, LimitState, Problem, SignIn, SignInId};
use auth_flows::Requester;
use auth_lambda::{Delivery, Exchange, Operation};
use tokio::join;

use crate::{ConfirmRegistration, Resend};

impl ConfirmRegistration {
    pub(crate) async fn resend(
        &self,
        input: &Resend,
        exchange: &Exchange,
    ) -> Result<Delivery, Problem> {
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let id = input.session_token.registration_id();
        let (secrets, claimed) = join!(
            self.secrets.get(),
            self.sign_ins
                .claim_resend(&id, &attempt, now, &self.settings.rules)
        );
        exchange.rate_limit(self.gap(&claimed));
        let (secrets, sign_in) = match (secrets, claimed) {
            (Ok(secrets), Ok(sign_in)) => (secrets, sign_in),
            (Err(problem), Ok(_))
            | (_, Err(problem @ (Problem::ServiceUnavailable { .. } | Problem::Internal(_)))) => {
                self.withdraw(&id, &attempt).await;
                return Err(problem);
            }
            (_, Err(refusal)) => return Err(refusal),
        };
        let email = &sign_in.email;
        let requester = Requester::of(
            exchange,
            Self::NAME,
            email,
            input.proof_of_work.as_ref(),
            self.settings.device_lifetime,
            secrets.keys(),
            &attempt,
            now,
        );
        let session = match self.send(&sign_in, &id, &requester).await {
            Ok(session) => session,
            Err(problem) => {
                self.withdraw(&id, &attempt).await;
                return Err(problem);
            }
        };
        if let Some(session) = session {
            self.sign_ins.add_session(&id, &session).await?;
        }
        Ok(Delivery::to(email))
    }

    /// How long until the next mail of this registration may be asked for.
    fn gap(&self, claimed: &Result<SignIn, Problem>) -> LimitState {
        let limit = self.settings.rules.resend_gap();
        let reset_seconds = match claimed {
            Err(Problem::RateLimited {
                retry_after_seconds,
                ..
            }) => *retry_after_seconds,
            Ok(_) | Err(_) => limit.window.as_secs(),
        };
        LimitState {
            limit,
            remaining: 0,
            reset_seconds,
        }
    }

    async fn send(
        &self,
        sign_in: &SignIn,
        id: &SignInId,
        requester: &Requester<'_>,
    ) -> Result<Option<CognitoSession>, Problem> {
        self.pending(&sign_in.email, id).await?;
        self.mails.admit(requester, false).await?;
        Ok(self.codes.send(&sign_in.email).await?.session)
    }

    /// Gives the person their next try at once. Where even that fails, they wait the seconds
    /// between two mails.
    async fn withdraw(&self, id: &SignInId, attempt: &AttemptId) {
        if self.sign_ins.withdraw_resend(id, attempt).await.is_err() {
            tracing::warn!("a re-send that was not sent could not be withdrawn");
        }
    }
}
