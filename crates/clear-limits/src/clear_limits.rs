//! The decision: whose limits are cleared, and under which name that is recorded.

use auth_aws::Address;
use auth_domain::{ActSubject, ActivityKind, Guest, OperatorAct, Problem, Purpose};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{ClearLimits, Input};

impl ClearLimits {
    /// Clears the limits of an address, whether it has a guest or not.
    pub(crate) async fn clear(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input { email, reason } = input;
        let (secrets, address) = try_join!(self.secrets.get(), self.guests.at(&email))?;
        let keys = secrets.keys();
        let guest = match &address {
            Some(Address::Claimed(claim)) => self.guests.find(&claim.sub).await?,
            Some(Address::Waiting(_)) | None => None,
        };
        let subject = match (&guest, &address) {
            (Some(guest), _) => ActSubject::Guest(guest.guest_id.clone()),
            (None, Some(Address::Waiting(waiting))) => {
                ActSubject::Guest(waiting.guest.guest_id.clone())
            }
            (None, Some(Address::Claimed(_)) | None) => {
                ActSubject::of_address(keys.tag(Purpose::Address, &[email.as_str()]))
            }
        };
        let clearing = async {
            let user = guest.as_ref().map(|guest| &guest.cognito_sub);
            self.limits.clear(&email, user, keys).await?;
            if let Some(Guest {
                cognito_sub,
                guest_id,
                ..
            }) = &guest
            {
                let kind = ActivityKind::LimitsCleared;
                let activity = self.activities.by_operator(cognito_sub, guest_id, kind);
                self.activities.note(&activity).await;
            }
            Ok(())
        };
        let act = OperatorAct::ClearLimits;
        self.acts
            .record(act, subject, reason, exchange, clearing)
            .await
    }
}
