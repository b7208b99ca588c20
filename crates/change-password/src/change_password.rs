//! The decision: the proofs, then Cognito sets the password, and every other session ends.

use auth_domain::{ActivityKind, NewPassword, Notice, Problem};
use auth_lambda::{Exchange, Fields};

use crate::{ChangePassword, Input};

impl ChangePassword {
    pub(crate) async fn change(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        // The owner's address was not known before.
        let password = NewPassword::parse(input.new_password.as_str(), Some(&guest.email))
            .map_err(|broken| Fields::broken_password("newPassword", &broken))?;
        self.proofs.require(&guest, &input.proofs, exchange).await?;
        let sub = &guest.cognito_sub;
        self.passwords.set(sub, &password).await?;
        self.users.sign_out(sub).await?;
        let kind = ActivityKind::PasswordChanged;
        let entry = self.activities.entry(&guest, kind, exchange)?;
        let (kept, now) = (caller.session.as_ref(), self.clock.now());
        self.guests
            .note_changed_password(&guest, kept, entry, now)
            .await?;
        let notice = Notice::PasswordChanged;
        self.notices.tell(&guest, notice, exchange).await;
        Ok(())
    }
}
