//! Feedback about a mail that was sent: bounces and complaints.

use crate::{Email, Timestamp};

/// The reason why an address gets no more mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeliverable {
    /// The address does not exist, or accepts no mail.
    Bounced,
    /// The person called a mail unwanted.
    Complained,
}

/// Final feedback about mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFeedback {
    /// The kind of feedback.
    pub why: Undeliverable,
    /// The addresses. Those that Latchkey would not accept are omitted.
    pub addresses: Vec<Email>,
    /// The time of the feedback.
    pub at: Timestamp,
}

impl Undeliverable {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}
