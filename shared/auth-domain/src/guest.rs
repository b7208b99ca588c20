//! The guest: the person in Latchkey's own table.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Authenticator, Email, Locale, Passkey, PendingAuthenticator, Randomness, SessionId, Timestamp,
    characters::{breaks_a_line, is_visible},
    crockford::CROCKFORD,
    redacted::redacted_debug,
};

/// A guest's public number, `GST-2026-7K3QXB`: the year of its making, then 30 random bits in
/// Crockford's base32.
///
/// Thirty bits collide within a year at some tens of thousands of guests, so code that stores one
/// reserves it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuestId(String);

/// The text is not a guest id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must look like GST-2026-7K3QXB")]
pub struct InvalidGuestId;

impl GuestId {
    /// A fresh id of `now`'s year.
    #[must_use]
    pub fn generate(now: Timestamp, randomness: &Randomness) -> Self {
        let random = randomness
            .bytes::<6>()
            .map(|byte| char::from(CROCKFORD[usize::from(byte % 32)]));
        Self(format!(
            "GST-{:04}-{}",
            now.year(),
            random.iter().collect::<String>()
        ))
    }

    /// Parses a stored id.
    pub fn parse(text: &str) -> Result<Self, InvalidGuestId> {
        let well_formed = text
            .strip_prefix("GST-")
            .and_then(|rest| rest.split_once('-'))
            .is_some_and(|(year, random)| {
                year.len() == 4
                    && year.bytes().all(|byte| byte.is_ascii_digit())
                    && random.len() == 6
                    && random.bytes().all(|byte| CROCKFORD.contains(&byte))
            });
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidGuestId)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GuestId {
    type Err = InvalidGuestId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for GuestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A guest's display name: 1 to 100 characters in NFC, on one line.
#[derive(Clone, PartialEq, Eq)]
pub struct GuestName(String);

redacted_debug!(GuestName);

/// The reason why a text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGuestName {
    /// The text has no visible character: white space, joiners, fillers.
    #[error("must have a visible character")]
    Empty,
    /// Over 100 characters.
    #[error("must have at most 100 characters")]
    TooLong,
    /// A line break, a control character, or one that reorders or hides text (a name ends up in
    /// mails).
    #[error("must not contain control or formatting characters")]
    ControlCharacter,
}

impl GuestName {
    /// Parses typed text. Leading and trailing white space is dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidGuestName> {
        if text.chars().any(breaks_a_line) {
            return Err(InvalidGuestName::ControlCharacter);
        }
        if !text.chars().any(is_visible) {
            return Err(InvalidGuestName::Empty);
        }
        if text.chars().count() > 100 {
            return Err(InvalidGuestName::TooLong);
        }
        Ok(Self(text.trim().nfc().collect()))
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GuestName {
    type Err = InvalidGuestName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The identifier that Cognito gave a user: opaque, immutable, never reused for another user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSub(String);

/// The text is not a sub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a Cognito sub")]
pub struct InvalidUserSub;

impl UserSub {
    /// Parses a `sub` claim. AWS promises only text, so only length and alphabet are checked.
    pub fn parse(text: &str) -> Result<Self, InvalidUserSub> {
        let well_formed = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
            });
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidUserSub)
        }
    }

    /// The sub as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserSub {
    type Err = InvalidUserSub;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The password of a user at Cognito, by what Latchkey has seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserPassword {
    /// There is one, and it counts.
    Proven,
    /// Latchkey knows of none.
    Absent,
    /// The user came without a sign-in of Latchkey's, so there may be one from before the address
    /// was proved. It does not count until it is set anew.
    Unseen,
}

/// A guest's record. Its key is the sub of the guest's Cognito user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The public number.
    pub guest_id: GuestId,
    /// The address.
    pub email: Email,
    /// The guest's display name.
    pub name: Option<GuestName>,
    /// The language of the guest's mails, as Cognito's user last had it.
    pub locale: Option<Locale>,
    /// The guest's Cognito user. Only an operator's relink changes it.
    pub cognito_sub: UserSub,
    /// Whether the guest has proved a code sent to the address.
    pub email_verified: bool,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record last changed.
    pub updated_at: Timestamp,
    /// The user's password at Cognito.
    pub password: UserPassword,
    /// Tokens issued up to this instant are refused.
    pub signed_out_at: Option<Timestamp>,
    /// The only session that `signed_out_at` did not end.
    pub kept_session: Option<SessionId>,
    /// The epoch of valid device cookies. A reset of the password begins another.
    pub device_epoch: u32,
    /// The authenticator that guards every sign-in, if the guest has one.
    pub authenticator: Option<Authenticator>,
    /// An authenticator during its set-up, if there is one. The authenticator above changes only
    /// when this one is confirmed.
    pub pending_authenticator: Option<PendingAuthenticator>,
    /// The passkeys that count, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// Whether the guest is being deleted: their tokens and sign-ins no longer count.
    pub is_leaving: bool,
    /// When an operator's reset ends the second factors, unless it is stopped before.
    pub factor_reset_at: Option<Timestamp>,
    /// The address that becomes the guest's: it is proved and claimed, and not moved to yet.
    pub changing_to: Option<Email>,
    /// When the guest's address changed last.
    pub address_changed_at: Option<Timestamp>,
}

/// How long Cognito takes a code for a new password.
const RECOVERY_LIVES: Duration = Duration::from_hours(1);

impl AddressClaim {
    /// Whether the guest came to this address so lately that a code for a new password may be in
    /// the mailbox of the one before.
    #[must_use]
    pub fn is_new_here(&self, now: Timestamp) -> bool {
        let since = self.changed_at;
        since.is_some_and(|since| now < since.after(RECOVERY_LIVES))
    }

    /// Whether a code for a new password may count at `now`: it was not asked for at the address
    /// before.
    #[must_use]
    pub fn takes_recovery(&self, now: Timestamp) -> bool {
        !self.is_new_here(now) || self.recovery_at > self.changed_at
    }
}

impl Guest {
    /// The guest of a user who has not proved the address yet, without a password and factors.
    #[must_use]
    pub fn new(guest_id: GuestId, email: Email, cognito_sub: UserSub, now: Timestamp) -> Self {
        Self {
            guest_id,
            email,
            name: None,
            locale: None,
            cognito_sub,
            email_verified: false,
            created_at: now,
            updated_at: now,
            password: UserPassword::Absent,
            signed_out_at: None,
            kept_session: None,
            device_epoch: 0,
            authenticator: None,
            pending_authenticator: None,
            passkeys: Vec::new(),
            is_leaving: false,
            factor_reset_at: None,
            changing_to: None,
            address_changed_at: None,
        }
    }

    /// Whether the guest has a password that counts.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password == UserPassword::Proven
    }

    /// Whether a right password proves that this is the guest. One that was set past Latchkey does.
    #[must_use]
    pub fn password_counts(&self) -> bool {
        self.password != UserPassword::Unseen
    }

    /// The addresses whose items claim them for the guest: two during a change of address.
    pub fn addresses(&self) -> impl Iterator<Item = &Email> {
        [Some(&self.email), self.changing_to.as_ref()]
            .into_iter()
            .flatten()
    }

    /// Whether a sign-in that began at `email` is over because the address is the guest's no more.
    #[must_use]
    pub fn has_moved_from(&self, email: &Email, begun: Timestamp) -> bool {
        let moved_since = self.address_changed_at.is_some_and(|moved| begun <= moved);
        moved_since && self.email != *email
    }

    /// Whether the guest has a factor beyond a password and a mailbox: an authenticator, or a
    /// passkey whose device has verified its user.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.authenticator.is_some() || self.passkeys.iter().any(|passkey| passkey.user_verified)
    }

    /// Whether an operator's reset is due: the second factors no longer count, and the next sign-in
    /// removes them.
    #[must_use]
    pub fn has_lost_factors(&self, now: Timestamp) -> bool {
        self.factor_reset_at.is_some_and(|at| at <= now)
    }

    /// Whether a sign-out everywhere ended a session that began at `signed_in_at`. A sign-out at
    /// the same instant counts as later.
    #[must_use]
    pub fn has_signed_out_since(
        &self,
        signed_in_at: Timestamp,
        session: Option<&SessionId>,
    ) -> bool {
        let is_kept = self.kept_session.is_some() && self.kept_session.as_ref() == session;
        self.signed_out_at
            .is_some_and(|signed_out_at| signed_in_at <= signed_out_at && !is_kept)
    }
}

/// A guest without a user, waiting under an address after a booking or an import. The first user
/// who proves the address is bound to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingGuest {
    /// The public number.
    pub guest_id: GuestId,
    /// The address.
    pub email: Email,
    /// The guest's display name.
    pub name: Option<GuestName>,
    /// Whether the address has been proved to belong to the guest.
    pub email_verified: bool,
    /// When the record was made.
    pub created_at: Timestamp,
}

/// An address's record of its guest: enough to begin a sign-in without another read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressClaim {
    /// The user of the guest who has proved the address.
    pub sub: UserSub,
    /// The guest's public number.
    pub guest_id: GuestId,
    /// Whether Cognito holds a password for that guest.
    pub has_password: bool,
    /// Whether the guest is being deleted.
    pub is_leaving: bool,
    /// The guest's other address, while one is being changed for the other.
    pub other: Option<Email>,
    /// When the guest came to this address from another.
    pub changed_at: Option<Timestamp>,
    /// When a code for a new password was last asked for here, since then.
    pub recovery_at: Option<Timestamp>,
    /// The language of the guest's mails.
    pub locale: Option<Locale>,
}

/// The *User* of the contract.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    guest_id: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_sub: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor_reset_at: Option<Timestamp>,
}

impl Serialize for Guest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        User {
            guest_id: self.guest_id.as_str(),
            email: self.email.as_str(),
            name: self.name.as_ref().map(GuestName::as_str),
            email_verified: self.email_verified,
            cognito_sub: Some(self.cognito_sub.as_str()),
            created_at: self.created_at,
            updated_at: Some(self.updated_at),
            factor_reset_at: self.factor_reset_at,
        }
        .serialize(serializer)
    }
}

/// The *Profile* of the contract: the record as its own guest reads it. Agents, who read a *User*,
/// do not learn how the guest signs in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    #[serde(flatten)]
    guest: Guest,
    has_password: bool,
    has_authenticator: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes_left: Option<usize>,
}

impl From<Guest> for Profile {
    fn from(guest: Guest) -> Self {
        let authenticator = guest.authenticator.as_ref();
        Self {
            has_password: guest.has_password(),
            has_authenticator: authenticator.is_some(),
            backup_codes_left: authenticator.map(|factor| factor.backup_codes.len()),
            guest,
        }
    }
}

impl Serialize for WaitingGuest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        User {
            guest_id: self.guest_id.as_str(),
            email: self.email.as_str(),
            name: self.name.as_ref().map(GuestName::as_str),
            email_verified: self.email_verified,
            cognito_sub: None,
            created_at: self.created_at,
            updated_at: None,
            factor_reset_at: None,
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_id_names_its_year_and_reads_back() {
        let id = GuestId::generate(
            Timestamp::from_millis(1_795_239_650_123),
            &Randomness::new(|bytes| bytes.copy_from_slice(&[7, 20, 3, 255, 32, 11])),
        );
        assert_eq!(id.as_str(), "GST-2026-7M3Z0B");
        assert_eq!(GuestId::parse(id.as_str()), Ok(id));
        for text in [
            "GST-2026-7K3QX",
            "GST-2026-7K3QXI",
            "GST-26-7K3QXB",
            "gst-2026-7k3qxb",
            "GST-2026-7K3QXBA",
            "",
        ] {
            assert_eq!(GuestId::parse(text), Err(InvalidGuestId), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_one_visible_line() {
        assert_eq!(
            GuestName::parse("  Ame\u{301}lie  ").unwrap().as_str(),
            "Am\u{e9}lie"
        );
        for text in [
            "",
            "  ",
            "\u{a0}",
            "\u{200d}\u{200c}",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{34f}",
            "\u{fe0f}",
            "\u{e0100}",
            "\u{17b4}",
        ] {
            assert_eq!(
                GuestName::parse(text),
                Err(InvalidGuestName::Empty),
                "{text:?}"
            );
        }
        for text in [
            "\u{646}\u{6cc}\u{200c}\u{645}\u{627}",
            "\u{1f469}\u{200d}\u{1f4bb}",
            "\u{845b}\u{e0100}",
            "\u{2764}\u{fe0f}",
            "-",
        ] {
            assert!(GuestName::parse(text).is_ok(), "{text:?}");
        }
        assert_eq!(
            GuestName::parse(&"x".repeat(101)),
            Err(InvalidGuestName::TooLong)
        );
        for text in [
            "Ada\r\nBcc: eve@example.com",
            "Ada\0",
            "Ada\u{202e}evE",
            "A\u{2028}da",
            "Ada\n",
            "\u{feff}Ada",
            "A\u{ad}da",
            "A\u{206a}da",
            "A\u{600}da",
            "A\u{1d173}da",
            "A\u{e0041}da",
        ] {
            assert_eq!(
                GuestName::parse(text),
                Err(InvalidGuestName::ControlCharacter),
                "{text:?}"
            );
        }
    }
}
