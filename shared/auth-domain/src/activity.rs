//! Activity: the events of an account that its guest may look at afterwards.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

use crate::{
    ClientName, Country, GuestId, Randomness, SessionId, SignInMethod, Timestamp, UserSub,
};

/// Digits of an instant in an event's id: enough until the year 2286.
const DIGITS: usize = 13;

/// Random bytes of an event's id. They distinguish events of the same millisecond.
const RANDOM: usize = 8;

/// The id of an event. Ids sort as their instants do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ActivityId(String);

/// The text is not the id of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the `before` of an answer of listActivity")]
pub struct InvalidActivityId;

impl ActivityId {
    /// A fresh id of an event at `at`.
    #[must_use]
    pub fn generate(at: Timestamp, randomness: &Randomness) -> Self {
        let random = HEXLOWER.encode(&randomness.bytes::<RANDOM>());
        Self(format!("{:0DIGITS$}-{random}", at.as_millis()))
    }

    /// The prefix of the ids of all events at `at`.
    #[must_use]
    pub fn first_of(at: Timestamp) -> Self {
        Self(format!("{:0DIGITS$}-", at.as_millis().max(0)))
    }

    /// Parses an id from the table or from a client.
    pub fn parse(text: &str) -> Result<Self, InvalidActivityId> {
        let is_well_formed = text.split_once('-').is_some_and(|(at, random)| {
            at.len() == DIGITS
                && at.bytes().all(|byte| byte.is_ascii_digit())
                && random.len() == 2 * RANDOM
                && random
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        });
        if is_well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidActivityId)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActivityId {
    type Err = InvalidActivityId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ActivityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityKind {
    /// A sign-in has begun a session.
    SignedIn,
    /// The first factor was right, and the sign-in failed after it.
    SignInRefused,
    /// One session has ended.
    SessionEnded,
    /// All sessions but one have ended.
    OtherSessionsEnded,
    /// All sessions have ended.
    AllSessionsEnded,
    /// A refresh token was used in two places.
    RefreshTokenStolen,
    /// A password was set.
    PasswordChanged,
    /// Another address became the guest's.
    AddressChanged,
    /// An authenticator was set up, or replaced the one before.
    AuthenticatorSetUp,
    /// The authenticator was removed.
    AuthenticatorRemoved,
    /// A passkey was registered.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// An operator has requested a reset of the second factors.
    FactorResetAsked,
    /// The guest has stopped the reset.
    FactorResetStopped,
    /// The reset has removed the second factors.
    FactorsReset,
    /// An agent was allowed to act for the guest.
    AgentAllowed,
    /// An operator has disabled the account.
    AccountDisabled,
    /// An operator has enabled the account again.
    AccountEnabled,
    /// An operator has linked the account to another user.
    AccountRelinked,
    /// An operator has cleared the limits of the address.
    LimitsCleared,
    /// All stored data of the account was exported.
    AccountExported,
    /// The address was proved for the first time.
    AccountCreated,
    /// The account was claimed for deletion.
    AccountDeleted,
    /// Mails no longer reach the address.
    MailUndeliverable,
}

impl ActivityKind {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::SignedIn,
        Self::SignInRefused,
        Self::SessionEnded,
        Self::OtherSessionsEnded,
        Self::AllSessionsEnded,
        Self::RefreshTokenStolen,
        Self::PasswordChanged,
        Self::AddressChanged,
        Self::AuthenticatorSetUp,
        Self::AuthenticatorRemoved,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::FactorResetAsked,
        Self::FactorResetStopped,
        Self::FactorsReset,
        Self::AgentAllowed,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountRelinked,
        Self::LimitsCleared,
        Self::AccountExported,
        Self::AccountCreated,
        Self::AccountDeleted,
        Self::MailUndeliverable,
    ];

    /// The `type` of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInRefused => "sign-in-refused",
            Self::SessionEnded => "session-ended",
            Self::OtherSessionsEnded => "other-sessions-ended",
            Self::AllSessionsEnded => "all-sessions-ended",
            Self::RefreshTokenStolen => "refresh-token-stolen",
            Self::PasswordChanged => "password-changed",
            Self::AddressChanged => "address-changed",
            Self::AuthenticatorSetUp => "authenticator-set-up",
            Self::AuthenticatorRemoved => "authenticator-removed",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::FactorResetAsked => "factor-reset-asked",
            Self::FactorResetStopped => "factor-reset-stopped",
            Self::FactorsReset => "factors-reset",
            Self::AgentAllowed => "agent-allowed",
            Self::AccountDisabled => "account-disabled",
            Self::AccountEnabled => "account-enabled",
            Self::AccountRelinked => "account-relinked",
            Self::LimitsCleared => "limits-cleared",
            Self::AccountExported => "account-exported",
            Self::AccountCreated => "account-created",
            Self::AccountDeleted => "account-deleted",
            Self::MailUndeliverable => "mail-undeliverable",
        }
    }

    /// The type of the event that other systems hear of it; `None` where they hear of none.
    #[must_use]
    pub const fn event(self) -> Option<&'static str> {
        match self {
            Self::AccountCreated => Some("guest.created"),
            Self::SignedIn => Some("guest.signed_in"),
            Self::AddressChanged => Some("guest.email_changed"),
            Self::AccountDeleted => Some("guest.deleted"),
            Self::SessionEnded | Self::OtherSessionsEnded | Self::AllSessionsEnded => {
                Some("session.ended")
            }
            Self::AuthenticatorSetUp | Self::PasskeyAdded => Some("factor.added"),
            Self::AuthenticatorRemoved | Self::PasskeyRemoved | Self::FactorsReset => {
                Some("factor.removed")
            }
            Self::AgentAllowed => Some("consent.given"),
            Self::AccountDisabled
            | Self::AccountEnabled
            | Self::AccountRelinked
            | Self::LimitsCleared => Some("operator.acted"),
            Self::MailUndeliverable => Some("mail.bounced"),
            // The end of a copied session is an event of its own.
            Self::SignInRefused
            | Self::RefreshTokenStolen
            | Self::PasswordChanged
            | Self::FactorResetAsked
            | Self::FactorResetStopped
            | Self::AccountExported => None,
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The actor who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The guest, or a person who holds the guest's proofs.
    Guest,
    /// Latchkey itself.
    Latchkey,
    /// An operator. The audit table names the operator.
    Operator,
}

impl Actor {
    const ALL: [Self; 3] = [Self::Guest, Self::Latchkey, Self::Operator];

    /// The `by` of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Latchkey => "latchkey",
            Self::Operator => "operator",
        }
    }

    /// The actor of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| actor.as_str() == name)
    }
}

/// An event of a guest's account. It holds no secret, and no address of a network or a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// When it happened.
    pub at: Timestamp,
    /// The guest's user.
    pub sub: UserSub,
    /// The guest.
    pub guest_id: GuestId,
    /// The type of the event.
    pub kind: ActivityKind,
    /// The actor who caused the event.
    pub by: Actor,
    /// How the guest signed in.
    pub method: Option<SignInMethod>,
    /// The browser or app that the request came from.
    pub device: Option<ClientName>,
    /// The country that the request came from.
    pub country: Option<Country>,
    /// The session that has begun or ended, or that made the change.
    pub session: Option<SessionId>,
}

impl Activity {
    /// The possible numbers of events on a page.
    pub const PAGE: RangeInclusive<u32> = 1..=100;

    /// The default number of events on a page.
    pub const USUAL_PAGE: u32 = 50;

    /// An event that the guest has caused at `at`.
    #[must_use]
    pub fn of(
        sub: &UserSub,
        guest_id: &GuestId,
        kind: ActivityKind,
        at: Timestamp,
        randomness: &Randomness,
    ) -> Self {
        Self {
            id: ActivityId::generate(at, randomness),
            at,
            sub: sub.clone(),
            guest_id: guest_id.clone(),
            kind,
            by: Actor::Guest,
            method: None,
            device: None,
            country: None,
            session: None,
        }
    }

    /// An event that happens once at `at`. It always has the same id, and comes before the other
    /// events of its millisecond.
    #[must_use]
    pub fn once(
        sub: &UserSub,
        guest_id: &GuestId,
        kind: ActivityKind,
        by: Actor,
        at: Timestamp,
    ) -> Self {
        let none = Randomness::new(|bytes| bytes.fill(0));
        Self {
            by,
            ..Self::of(sub, guest_id, kind, at, &none)
        }
    }

    /// When the event expires, if events are kept for `kept`.
    #[must_use]
    pub fn until(&self, kept: Duration) -> Timestamp {
        self.at.after(kept)
    }
}

/// The requested part of the activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityWish {
    /// Lists events before this one. `None` lists from the newest.
    pub before: Option<ActivityId>,
    /// The maximum number of events.
    pub limit: u32,
}

impl Serialize for Activity {
    /// The *Activity* of the contract.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase", crate = "serde")]
        struct Event<'a> {
            #[serde(rename = "eventId")]
            id: &'a ActivityId,
            at: Timestamp,
            r#type: &'static str,
            by: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            method: Option<SignInMethod>,
            #[serde(skip_serializing_if = "Option::is_none")]
            device: Option<&'a ClientName>,
            #[serde(skip_serializing_if = "Option::is_none")]
            country: Option<&'a Country>,
            #[serde(skip_serializing_if = "Option::is_none")]
            session_id: Option<&'a SessionId>,
        }
        Event {
            id: &self.id,
            at: self.at,
            r#type: self.kind.as_str(),
            by: self.by.as_str(),
            method: self.method,
            device: self.device.as_ref(),
            country: self.country.as_ref(),
            session_id: self.session.as_ref(),
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_their_instants_and_read_back() {
        let randomness = |byte: u8| Randomness::new(move |bytes| bytes.fill(byte));
        let at = Timestamp::from_millis;
        let early = ActivityId::generate(at(1_795_239_650_123), &randomness(255));
        let late = ActivityId::generate(at(1_795_239_650_124), &randomness(0));
        assert_eq!(early.as_str(), "1795239650123-ffffffffffffffff");
        assert!(early < late);
        assert!(ActivityId::first_of(at(1_795_239_650_123)) < early);
        assert!(ActivityId::first_of(at(1_795_239_650_124)) > early);
        assert_eq!(ActivityId::parse(early.as_str()), Ok(early));
        for text in [
            "",
            "1795239650123",
            "1795239650123-",
            "179523965012-ffffffffffffffff",
            "1795239650123-FFFFFFFFFFFFFFFF",
            "1795239650123-fffffffffffffffg",
            "-1795239650123-ffffffffffffffff",
        ] {
            assert_eq!(ActivityId::parse(text), Err(InvalidActivityId), "{text:?}");
        }
    }

    #[test]
    fn kinds_and_actors_read_back() {
        for kind in ActivityKind::ALL {
            assert_eq!(ActivityKind::named(kind.as_str()), Some(kind));
        }
        for actor in Actor::ALL {
            assert_eq!(Actor::named(actor.as_str()), Some(actor));
        }
        assert_eq!(ActivityKind::named("unheard-of"), None);
    }
}
