//! Feedback about a mail that was sent: bounces and complaints.

use serde::{Serialize, Serializer};

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

/// The newest final answer to mails to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MailRefusal {
    /// The kind of answer.
    pub why: Undeliverable,
    /// When.
    pub at: Timestamp,
}

impl Undeliverable {
    const ALL: [Self; 2] = [Self::Bounced, Self::Complained];

    /// Reads the stored form.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }

    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

impl Serialize for Undeliverable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
