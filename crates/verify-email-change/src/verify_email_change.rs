//! The decision: count the attempt, compare the code, change the address.

use auth_domain::{AddressCode, AttemptId, Guest, Problem, ProofBinding, ProofPurpose};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{Input, VerifyEmailChange};

impl VerifyEmailChange {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Guest, Problem> {
        let caller = exchange.caller()?;
        let (guest, secrets) = try_join!(self.callers.find(caller), self.secrets.get())?;
        let (attempt, now) = (AttemptId::generate(&self.randomness), self.clock.now());
        let id = input.session_token.address_code_id();
        let binding = ProofBinding::of(caller, ProofPurpose::Email);
        let claiming = self.codes.claim(&id, &binding, &attempt, now, &self.rules);
        let changing = async {
            let waiting = claiming.await?;
            let hash = waiting.code.as_ref();
            if !hash.is_some_and(|hash| hash.is_of(&input.code, &id, secrets.keys())) {
                tracing::warn!("wrong code for another address");
                return Err(Problem::InvalidOtp(waiting.attempts(&self.rules)));
            }
            self.change(guest, &waiting, exchange).await
        };
        let changed = changing.await;
        // A right code that something else has failed costs no attempt.
        if let Err(problem) = &changed
            && problem.may_have_acted()
            && self.codes.give_back(&id, &attempt).await.is_err()
        {
            tracing::warn!("an attempt that was not to count stays counted");
        }
        changed
    }

    /// Makes the address of a right code the guest's. A change that is half done is finished first:
    /// it is this one, or it makes the code worth nothing.
    async fn change(
        &self,
        guest: Guest,
        waiting: &AddressCode,
        exchange: &Exchange,
    ) -> Result<Guest, Problem> {
        let guest = Box::pin(self.changes.resume(guest, exchange)).await?;
        if guest.email == waiting.to {
            return Ok(guest);
        }
        if guest.address_changed_at != waiting.since {
            return Err(Problem::InvalidSession);
        }
        let changed = Box::pin(self.changes.begin(guest, &waiting.to, exchange)).await?;
        if changed.email == waiting.to {
            Ok(changed)
        } else {
            // Cognito's user has gone meanwhile.
            Err(Problem::AuthRequired)
        }
    }
}
