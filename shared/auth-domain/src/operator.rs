//! Operators: the principal, the act on a guest, and its reason.

use std::str::FromStr;

use crate::{
    GuestId, Tag, Timestamp, UserSub,
    characters::{breaks_a_line, is_visible},
    redacted::redacted_debug,
};

/// The longest ARN (IAM, "Quotas for IAM entities": paths of 512 characters, names of 64).
const LONGEST_ARN: usize = 2048;

/// An IAM principal by its ARN. That of an assumed role ends with the session's name, which may be
/// an operator's address.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal(String);

redacted_debug!(Principal);

/// The text is not a principal's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the ARN of an IAM principal")]
pub struct InvalidPrincipal;

impl Principal {
    /// The ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Principal {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        let is_graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.starts_with("arn:") && text.len() <= LONGEST_ARN && is_graphic {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPrincipal)
        }
    }
}

/// An operator's reason, in their own words: 1 to 200 characters on one line.
#[derive(Clone, PartialEq, Eq)]
pub struct ActReason(String);

redacted_debug!(ActReason);

/// The guest that an operator acts on, and the reason.
#[derive(Debug)]
pub struct ActOnGuest {
    /// The guest.
    pub guest_id: GuestId,
    /// The operator's reason.
    pub reason: Option<ActReason>,
}

/// The text is not a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one visible line of at most 200 characters")]
pub struct InvalidActReason;

impl ActReason {
    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActReason {
    type Err = InvalidActReason;

    fn from_str(text: &str) -> Result<Self, InvalidActReason> {
        let is_short = text.chars().count() <= 200;
        let is_one_line = !text.chars().any(breaks_a_line);
        if is_short && is_one_line && text.chars().any(is_visible) {
            Ok(Self(text.trim().to_owned()))
        } else {
            Err(InvalidActReason)
        }
    }
}

/// The acts of operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAct {
    /// Find a guest.
    Find,
    /// Read the events of a guest's account.
    Activity,
    /// Refuse a guest every sign-in.
    Disable,
    /// Let a disabled guest sign in again.
    Enable,
    /// End every session of a guest.
    SignOut,
    /// Take a guest's second factors away after a delay.
    ResetFactors,
    /// Link a guest to another user.
    Relink,
    /// Clear the limits of an address.
    ClearLimits,
    /// The same, and remove the mark that mails do not reach it.
    ClearLimitsAndMark,
    /// Delete a guest's account.
    Delete,
}

impl OperatorAct {
    /// The name in the audit table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Activity => "activity",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::SignOut => "sign-out",
            Self::ResetFactors => "reset-factors",
            Self::Relink => "relink",
            Self::ClearLimits => "clear-limits",
            Self::ClearLimitsAndMark => "clear-limits-and-mark",
            Self::Delete => "delete",
        }
    }
}

/// The subject of an operator's act, without the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActSubject {
    /// A guest, or an id that no guest has.
    Guest(GuestId),
    /// An address without a guest, by the hash that names it in limits and logs.
    Address(String),
    /// A user without a guest.
    User(UserSub),
}

impl ActSubject {
    /// An address without a guest.
    #[must_use]
    pub fn of_address(tag: Tag) -> Self {
        Self::Address(tag.to_hex())
    }
}

/// One act of an operator, recorded at its start.
#[derive(Clone, Debug)]
pub struct OperatorEvent {
    /// The act.
    pub act: OperatorAct,
    /// Its subject.
    pub subject: ActSubject,
    /// The operator.
    pub principal: Principal,
    /// The reason.
    pub reason: Option<ActReason>,
    /// The request that asked for the act.
    pub request_id: String,
    /// When the act began.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_an_arn() {
        for text in [
            "arn:aws:iam::000000000000:user/latchkey-local",
            "arn:aws:sts::111122223333:assumed-role/Support/ada@example.com",
        ] {
            assert_eq!(text.parse::<Principal>().unwrap().as_str(), text);
        }
        let long = format!("arn:{}", "x".repeat(2048));
        for text in ["", "latchkey-local", "arn:a b", "arn:\u{e9}", &long] {
            assert_eq!(text.parse::<Principal>(), Err(InvalidPrincipal), "{text}");
        }
    }

    #[test]
    fn a_reason_is_one_visible_line() {
        let parsed = |text: &str| text.parse::<ActReason>().map(|reason| reason.0);
        assert_eq!(parsed(" ticket 4711 ").as_deref(), Ok("ticket 4711"));
        assert!(parsed(&"x".repeat(200)).is_ok());
        for text in ["", " ", "two\nlines", "hidden\u{202e}", &"x".repeat(201)] {
            assert_eq!(parsed(text), Err(InvalidActReason), "{text:?}");
        }
    }
}
