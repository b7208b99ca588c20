//! The decision: admit the re-send, count it, have a code mailed, remember it beside the others.

use auth_domain::{AttemptId, CognitoSession, Email, LimitState, Problem, SignIn, SignInId};
use auth_flows::Requester;
use auth_lambda::{CodeSent, Exchange, Operation};
use tokio::join;

use crate::{Input, ResendOtp};

/// What everyone is told: it is true of every address.
const MESSAGE: &str = "If this address can sign in by code, a fresh one is on its way. The codes sent before work too.";

impl ResendOtp {
    pub(crate) async fn resend(
        &self,
        input: Input,
        exchange: &Exchange,
    ) -> Result<CodeSent, Problem> {
        let Input {
            session_token,
            proof_of_work,
        } = input;
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let id = session_token.sign_in_id();
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
            proof_of_work.as_ref(),
            self.settings.device_lifetime,
            secrets.keys(),
            &attempt,
            now,
        );

        let session = match self.send(email, &requester).await {
            Ok(session) => session,
            Err(problem) => {
                self.withdraw(&id, &attempt).await;
                return Err(problem);
            }
        };
        if let Some(session) = session {
            self.sign_ins.add_session(&id, &session).await?;
        }
        let expires_in = sign_in.expires_at.seconds_from(now);
        let resend_after = self.settings.rules.resend_after.as_secs();
        Ok(CodeSent::new(
            session_token,
            email,
            expires_in,
            resend_after,
            MESSAGE,
        ))
    }

    /// How long until the next mail of this sign-in may be asked for.
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
        email: &Email,
        requester: &Requester<'_>,
    ) -> Result<Option<CognitoSession>, Problem> {
        self.mails.admit(requester, false).await?;
        Ok(self.codes.send(email).await?.session)
    }

    /// Gives the person their next try at once. Where even that fails, they wait the seconds between two mails.
    async fn withdraw(&self, id: &SignInId, attempt: &AttemptId) {
        if self.sign_ins.withdraw_resend(id, attempt).await.is_err() {
            tracing::warn!("a re-send that was not sent could not be withdrawn");
        }
    }
}
