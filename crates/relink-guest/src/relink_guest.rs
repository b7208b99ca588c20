//! The decision: check that the guest may move, seal the keys for the new user, and move.

use auth_domain::{ActivityKind, Guest, OperatorAct, Problem, UserSub};
use auth_lambda::Exchange;

use crate::{Input, RelinkGuest};

impl RelinkGuest {
    /// Moves a guest to a user who has proved the guest's address.
    pub(crate) async fn relink(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input { act, sub } = input;
        let moving = |guest: Guest| async move { self.link(&guest, &sub).await };
        self.acts
            .on_guest(OperatorAct::Relink, act, exchange, moving)
            .await
    }

    async fn link(&self, guest: &Guest, sub: &UserSub) -> Result<(), Problem> {
        if guest.cognito_sub == *sub {
            return Ok(());
        }
        let address = self.users.address_of(sub).await?;
        if address.as_ref() != Some(&guest.email) {
            return Err(Problem::UserMismatch);
        }
        let keys = match &guest.authenticator {
            Some(authenticator) => {
                let (sealed, from) = (&authenticator.sealed_keys, &guest.cognito_sub);
                Some(self.authenticators.reseal(sealed, from, sub).await?)
            }
            None => None,
        };
        let kind = ActivityKind::AccountRelinked;
        let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
        let entry = self.activities.write_of(&activity)?;
        let (unproved, now) = (&self.unproved, self.clock.now());
        let moved = self
            .guests
            .relink(guest, sub, keys.as_ref(), entry, unproved, now)
            .await?;
        if moved {
            return Ok(());
        }
        match self.guests.find(sub).await? {
            Some(of_user) if of_user.guest_id == guest.guest_id => Ok(()),
            Some(_) => Err(Problem::UserMismatch),
            None => Err(Problem::contended("the guest changed meanwhile")),
        }
    }
}
