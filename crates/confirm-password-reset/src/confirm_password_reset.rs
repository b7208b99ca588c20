//! The decision: count the attempt, set the password at Cognito, end every session, tell the guest.

use auth_aws::{Address, Arrival, Newcomer, Recovery};
use auth_domain::{
    ActivityKind, AddressClaim, Email, GuestId, Notice, Problem, Timestamp, UserPassword, UserSub,
};
use auth_flows::Attempt;
use auth_lambda::Exchange;
use tokio::{join, try_join};

use crate::{ConfirmPasswordReset, Input};

impl ConfirmPasswordReset {
    pub(crate) async fn confirm(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input {
            email,
            code,
            new_password,
            proof_of_work,
        } = input;
        let (requester, address) = try_join!(
            self.requesters
                .meet(exchange, email, proof_of_work.as_ref()),
            self.guests.at(email)
        )?;
        let attempt = Attempt::at_code(&self.tries, &self.network, &requester).await?;
        if let Some(Address::Claimed(claim)) = &address
            && !claim.takes_recovery(requester.now())
        {
            tracing::warn!(address = requester.address_tag(), "code of another address");
            return Err(Problem::InvalidOtp(attempt.left()));
        }
        let locale = address.as_ref().and_then(Address::locale);
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
            self.end_sessions(email, exchange),
            attempt.clear(),
            self.password_attempts.clear(&requester),
            self.notices
                .tell_at(email, locale, Notice::PasswordChanged, exchange)
        );
        ended
    }

    /// Ends all earlier sessions, at Cognito and then here. That includes sessions that were
    /// refreshed or begun meanwhile. Each half is useful without the other.
    async fn end_sessions(&self, email: &Email, exchange: &Exchange) -> Result<(), Problem> {
        let at_cognito = self.users.sign_out_at(email).await;
        let here = self.note_new_password(email, exchange).await;
        at_cognito.and(here)
    }

    /// Records the password with the guest of the address, or else with the guest of its user, whom
    /// the pool may know by a newer address. A user without a guest gets one: the code has proved
    /// the address, and registrations that wait for it end.
    async fn note_new_password(&self, email: &Email, exchange: &Exchange) -> Result<(), Problem> {
        let now = self.clock.now();
        let address = match self.guests.at(email).await? {
            Some(Address::Claimed(claim)) => {
                let AddressClaim {
                    sub,
                    guest_id,
                    has_password,
                    is_leaving: _,
                    other: _,
                    changed_at: _,
                    recovery_at: _,
                    locale: _,
                } = &claim;
                let address = (!has_password).then_some(email);
                return self.note(sub, guest_id, address, now, exchange).await;
            }
            address @ (Some(Address::Waiting(_)) | None) => address,
        };
        let Some(sub) = self.users.holder(email).await? else {
            return Ok(());
        };
        let guest = if let Some(guest) = self.guests.find(&sub).await? {
            guest
        } else {
            let arrival = Arrival::First(address);
            let newcomer = Newcomer {
                sub: &sub,
                email,
                password: UserPassword::Proven,
                locale: None,
            };
            let arrived = self.arrivals.receive(arrival, newcomer, exchange).await?;
            arrived.guest
        };
        self.note(&sub, &guest.guest_id, None, now, exchange).await
    }

    async fn note(
        &self,
        sub: &UserSub,
        guest_id: &GuestId,
        address: Option<&Email>,
        now: Timestamp,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let kind = ActivityKind::PasswordChanged;
        let event = self.activities.event_of(sub, guest_id, kind, exchange);
        let entry = self.activities.write_of(&event)?;
        let noted = self
            .guests
            .note_new_password(sub, address, entry, now)
            .await?;
        if noted {
            Ok(())
        } else {
            Err(Problem::contended("the guest has gone meanwhile"))
        }
    }
}
