//! The decision: check the proofs, remove the passkey at Cognito, end every session, and remove the
//! passkey from the list.

use auth_domain::{ActivityKind, Notice, Problem};
use auth_flows::Prover;
use auth_lambda::Exchange;

use crate::{DeletePasskey, Input};

impl DeletePasskey {
    pub(crate) async fn delete(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let mut passkeys = guest.passkeys.iter();
        let Some(passkey) = passkeys.find(|passkey| passkey.id == input.passkey_id) else {
            return Ok(());
        };
        let tokens = self
            .proofs
            .for_passkeys(&guest, &input.proofs, Prover::Caller, exchange)
            .await?;
        let ended = async {
            let credential_id = &passkey.credential_id;
            self.passkeys.delete(&tokens, credential_id).await?;
            // The call revokes the tokens of the proof among all others.
            self.users.sign_out(&caller.sub).await?;
            Ok(())
        };
        if let Err(problem) = ended.await {
            self.proofs.give_back(&tokens).await;
            return Err(problem);
        }
        let kind = ActivityKind::PasskeyRemoved;
        let entry = self.activities.entry(&guest, kind, exchange)?;
        let (kept, now) = (caller.session.as_ref(), self.clock.now());
        let removed = self
            .list
            .remove(&guest, &passkey.id, kept, entry, now)
            .await?;
        if removed {
            let notice = Notice::PasskeyRemoved;
            self.notices.tell(&guest, notice, exchange).await;
        }
        Ok(())
    }
}
