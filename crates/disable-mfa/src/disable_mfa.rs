//! The decision: both proofs, then every session ends, and the authenticator goes.

use auth_domain::{Notice, Problem};
use auth_lambda::Exchange;

use crate::{DisableMfa, Input};

impl DisableMfa {
    pub(crate) async fn disable(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let now = self.clock.now();
        let guest = self.guests.find_caller(caller).await?;
        let Some(authenticator) = &guest.authenticator else {
            return Ok(());
        };
        self.reauthentication
            .prove(
                &guest,
                caller,
                &input.proof,
                now,
                |keys| exchange.known_device(&guest.email, now, self.device_lifetime, keys),
                |state| exchange.rate_limit(state),
            )
            .await?;
        self.authenticators
            .require(
                &guest,
                authenticator,
                &caller.sub,
                &input.second_factor,
                now,
                |state| exchange.rate_limit(state),
            )
            .await?;
        self.token_service
            .sign_out_everywhere(&self.pool_id, &caller.sub)
            .await?;
        let now = self.clock.now();
        self.authenticators
            .remove(&guest, authenticator, caller.session.as_ref(), now)
            .await?;
        let told = self
            .mailer
            .notify(&guest.email, Notice::AuthenticatorRemoved, now);
        exchange.note_notice(told.await);
        Ok(())
    }
}
