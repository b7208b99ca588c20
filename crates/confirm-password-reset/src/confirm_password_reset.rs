//! The decision: count the attempt, have Cognito set the password, end every session, tell the guest.

use auth_aws::{Address, Arrival, Recovery, Undecided};
use auth_domain::{
    AttemptId, Attempts, Email, LimitState, Notice, Problem, Purpose, Report, Timestamp,
};
use auth_flows::Requester;
use auth_lambda::{Exchange, Operation};
use tokio::join;

use crate::{ConfirmPasswordReset, Input};

impl ConfirmPasswordReset {
    pub(crate) async fn confirm(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input {
            email,
            code,
            new_password,
            proof_of_work,
        } = input;
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let requester = Requester::of(
            exchange,
            Self::NAME,
            email,
            proof_of_work.as_ref(),
            self.settings.device_lifetime,
            keys,
            &attempt,
            now,
        );
        let left = self.tries.admit(&requester).await?;
        let recovered = self.passwords.recover(email, code, new_password).await;
        match recovered {
            Ok(Recovery::Done) => {}
            Ok(Recovery::Wrong) => {
                tracing::warn!(
                    address = keys.tag(Purpose::Address, &[email.as_str()]).to_hex(),
                    "wrong code"
                );
                return Err(Problem::InvalidOtp(attempts(left)));
            }
            Err(Undecided {
                problem,
                may_be_evaluated,
            }) => {
                if !may_be_evaluated {
                    note_stuck(&self.tries.give_back(&requester).await);
                }
                return Err(problem);
            }
        }
        let budget = requester.budget();
        let (ended, codes, passwords, told) = join!(
            self.end_sessions(email),
            self.tries.clear(&requester),
            self.limits.clear(&self.settings.login_failures, &budget),
            self.mailer.notify(email, Notice::PasswordChanged, now)
        );
        if codes.is_err() || passwords.is_err() {
            tracing::warn!("a count could not be cleared, and will age out");
        }
        exchange.note_notice(told);
        ended
    }

    /// Ends what began before now, at Cognito and then here: whatever was refreshed or signed in meanwhile ends too. Each by itself is
    /// worth having.
    async fn end_sessions(&self, email: &Email) -> Result<(), Problem> {
        let at_cognito = self
            .token_service
            .sign_out_user(&self.pool_id, email.as_str())
            .await;
        let here = self.note_new_password(email, self.clock.now()).await;
        at_cognito.and(here)
    }

    /// Notes the password with the guest of the address, or else with that of its user, whom the
    /// pool may know by a newer address. A user who has none gets one: the code has proved the
    /// address, and registrations that wait for it end.
    async fn note_new_password(&self, email: &Email, now: Timestamp) -> Result<(), Problem> {
        let address = match self.guests.at(email).await? {
            Some(Address::Claimed(claim)) => {
                let address = (!claim.has_password).then_some(email);
                let noted = self
                    .guests
                    .note_new_password(&claim.sub, address, now)
                    .await?;
                return if noted { Ok(()) } else { Err(overtaken()) };
            }
            address @ (Some(Address::Waiting(_)) | None) => address,
        };
        let Some(sub) = self.passwords.find_sub(email).await? else {
            return Ok(());
        };
        if self.guests.note_new_password(&sub, None, now).await? {
            return Ok(());
        }
        let arrival = Arrival::First(address);
        self.guests
            .get_or_create(&sub, email, arrival, true, &self.unproved, now)
            .await?;
        self.guests.note_new_password(&sub, None, now).await?;
        Ok(())
    }
}

fn overtaken() -> Problem {
    Problem::ServiceUnavailable {
        retry_after_seconds: 1,
        report: Report::of("others kept changing the same guest"),
    }
}

/// The attempts that a limit has left.
fn attempts(state: LimitState) -> Attempts {
    Attempts {
        made: state.limit.quota.saturating_sub(state.remaining),
        remaining: state.remaining,
    }
}

fn note_stuck(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that nobody looked at stays counted");
    }
}
