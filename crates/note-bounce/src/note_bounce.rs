//! The decision: mark each address of the feedback.

use auth_domain::{MailFeedback, Problem};

use crate::NoteBounce;

impl NoteBounce {
    pub(crate) async fn note(&self, feedback: &MailFeedback) -> Result<(), Problem> {
        for email in &feedback.addresses {
            let (why, at) = (feedback.why, feedback.at);
            let is_marked = self.guests.mark_undeliverable(email, why, at).await?;
            tracing::info!(?why, is_marked, "a mail was refused");
        }
        Ok(())
    }
}
