//! The decision: mark each address of the feedback, and note it in the guest's activity.

use auth_aws::Address;
use auth_domain::{Activity, ActivityKind, Actor, MailFeedback, Problem};

use crate::NoteBounce;

impl NoteBounce {
    pub(crate) async fn note(&self, feedback: &MailFeedback) -> Result<(), Problem> {
        for email in &feedback.addresses {
            let (why, at) = (feedback.why, feedback.at);
            let marked = self.guests.mark_undeliverable(email, why, at).await?;
            if let Some(Address::Claimed(claim)) = &marked {
                let (kind, by) = (ActivityKind::MailUndeliverable, Actor::Latchkey);
                let refused = Activity::once(&claim.sub, &claim.guest_id, kind, by, at);
                self.activity.write(&refused).await?;
            }
            let is_marked = marked.is_some();
            tracing::info!(?why, is_marked, "a mail was refused");
        }
        Ok(())
    }
}
