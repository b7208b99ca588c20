//! Receives SES's events through `EventBridge`: a mail bounced for good, or its receiver
//! complained. It marks the guest's address, for operators.
//!
//! SES itself sends no more mails to such an address, neither codes nor notices, since both use the
//! deployment's configuration set and its suppression list. So the mark blocks nothing, and no
//! answer of an operation depends on it: a stranger learns nothing of a mailbox.
//!
//! The same event may arrive twice, and events in any order: one conditional write keeps the
//! newest. A second write notes it in the guest's activity, under an id that is the same each time.
//! An address without a guest is ignored. If a write fails, Lambda invokes twice more; after that
//! the mark or the note is missing until the next mail there is refused.

mod note_bounce;

use auth_aws::{ActivityLog, ConfigurationError, Guests, Platform};
use auth_domain::{MailFeedback, Problem};
use auth_lambda::{Function, MailFeedbackTaker};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::mail_feedback(NoteBounce {
        guests: Guests::new(platform)?,
        activity: ActivityLog::new(platform)?,
    }))
}

/// The function's dependencies.
struct NoteBounce {
    guests: Guests,
    activity: ActivityLog,
}

impl MailFeedbackTaker for NoteBounce {
    const NAME: &'static str = "note-bounce";

    async fn take(&self, feedback: MailFeedback) -> Result<(), Problem> {
        self.note(&feedback).await
    }
}
