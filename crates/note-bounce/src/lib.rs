//! Hears from SES, through `EventBridge`, that a mail bounced for good or was complained of, and
//! marks the guest's address, for operators.
//!
//! SES itself sends nothing more to such an address: neither codes nor notices, since both go out
//! with the deployment's configuration set and its suppression list. So the mark stops nothing, and
//! no answer of an operation depends on it: a stranger learns nothing of a mailbox.
//!
//! The same event may come twice, and events in any order: one conditional write keeps the newest.
//! An address that no guest has is left. If the write fails, Lambda invokes twice more; after that
//! the mark is missing until the next mail there is refused.

mod note_bounce;

use auth_aws::{ConfigurationError, Guests, Platform};
use auth_domain::{MailFeedback, Problem};
use auth_lambda::{Function, MailFeedbackTaker};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::mail_feedback(NoteBounce {
        guests: Guests::new(platform)?,
    }))
}

/// The function with its capabilities.
struct NoteBounce {
    guests: Guests,
}

impl MailFeedbackTaker for NoteBounce {
    const NAME: &'static str = "note-bounce";

    async fn take(&self, feedback: MailFeedback) -> Result<(), Problem> {
        self.note(&feedback).await
    }
}
