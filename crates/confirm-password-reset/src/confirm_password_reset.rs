//! The decision: count the attempt, have Cognito set the password, end every session, tell the
//! guest.

use auth_aws::{Address, Arrival, Recovery};
use auth_domain::{Email, Notice, Problem, Report, Timestamp};
use auth_flows::Attempt;
use auth_lambda::Exchange;
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
        let requester = self
            .requesters
            .meet(exchange, email, proof_of_work.as_ref())
            .await?;
        let attempt = Attempt::at_code(&self.tries, &self.network, &requester).await?;
        let passwords = self.passwords.for_request(exchange.context());
        let recovering = passwords.recover(email, code, new_password);
        match attempt.evaluate(recovering).await? {
            Recovery::Done => {}
            Recovery::Wrong => {
                tracing::warn!(address = requester.address_tag(), "wrong code");
                return Err(Problem::InvalidOtp(attempt.left()));
            }
        }
        let (ended, (), (), ()) = join!(
            self.end_sessions(email),
            attempt.clear(),
            self.password_attempts.clear(&requester),
            self.notices.tell(email, Notice::PasswordChanged, exchange)
        );
        ended
    }

    /// Ends what began before now, at Cognito and then here: whatever was refreshed or signed in
    /// meanwhile ends too. Each by itself is worth having.
    async fn end_sessions(&self, email: &Email) -> Result<(), Problem> {
        let at_cognito = self.users.sign_out_at(email).await;
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
