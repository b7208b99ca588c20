//! What the world says of a mail that was sent.

use crate::{Email, Timestamp};

/// Why mails to an address are of no use, or unwanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeliverable {
    /// The address does not exist, or takes nothing.
    Bounced,
    /// The person called a mail unwanted.
    Complained,
}

/// A final answer to a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFeedback {
    /// What was said.
    pub why: Undeliverable,
    /// Of which addresses. Those that Latchkey would not take are left out.
    pub addresses: Vec<Email>,
    /// When.
    pub at: Timestamp,
}

impl Undeliverable {
    /// As it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}
