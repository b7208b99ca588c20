//! The decision: find the address, and record the act under its guest or its hash.

use auth_aws::Numbered;
use auth_domain::{ActSubject, ActivityKind, OperatorAct, Problem, Purpose};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{ClearLimits, Input};

impl ClearLimits {
    /// Clears the limits of an address, with or without a guest.
    pub(crate) async fn clear(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input {
            email,
            mail_works,
            reason,
        } = input;
        let (secrets, guest) = try_join!(self.secrets.get(), self.guests.numbered_at(&email))?;
        let keys = secrets.keys();
        let subject = guest.as_ref().map_or_else(
            || ActSubject::of_address(keys.tag(Purpose::Address, &[email.as_str()])),
            |guest| ActSubject::Guest(guest.guest_id().clone()),
        );
        let clearing = async {
            let guest = match &guest {
                Some(Numbered::Guest(guest)) => Some(guest),
                Some(Numbered::Waiting(_)) | None => None,
            };
            let user = guest.map(|guest| &guest.cognito_sub);
            self.limits.clear(&email, user, keys).await?;
            if mail_works {
                let now = self.clock.now();
                self.guests.mark_deliverable(&email, now).await?;
            }
            if let Some(guest) = guest {
                let (sub, kind) = (&guest.cognito_sub, ActivityKind::LimitsCleared);
                let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
                self.activities.note(&activity).await;
            }
            Ok(())
        };
        let act = if mail_works {
            OperatorAct::ClearLimitsAndMark
        } else {
            OperatorAct::ClearLimits
        };
        self.acts
            .record(act, subject, reason, exchange, clearing)
            .await
    }
}
