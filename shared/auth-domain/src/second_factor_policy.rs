//! The policy on second factors: whether one factor suffices for a sign-in.

use std::str::FromStr;

use crate::Guest;

/// Whether the guest chooses a second factor or the deployment requires it (ASVS 5.0 6.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorPolicy {
    /// A guest without a second factor signs in with one.
    Optional,
    /// A sign-in of a guest without a second factor waits until one is set up.
    Required,
}

/// The text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be optional or required")]
pub struct UnknownSecondFactorPolicy;

impl FromStr for SecondFactorPolicy {
    type Err = UnknownSecondFactorPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            _ => Err(UnknownSecondFactorPolicy),
        }
    }
}

/// The factor that a sign-in with one factor still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingFactor {
    /// A code of the authenticator, or a backup code.
    Authenticator,
    /// A passkey that verifies its user: the guest's second factor, which this sign-in did not
    /// show.
    Passkey,
    /// A set-up: the guest has no second factor.
    SetUp,
}

impl SecondFactorPolicy {
    /// The factor that a sign-in of `guest` with one factor still needs; `None` if one suffices.
    #[must_use]
    pub fn missing(self, guest: &Guest) -> Option<MissingFactor> {
        if guest.authenticator.is_some() {
            return Some(MissingFactor::Authenticator);
        }
        match self {
            Self::Optional => None,
            Self::Required if guest.has_second_factor() => Some(MissingFactor::Passkey),
            Self::Required => Some(MissingFactor::SetUp),
        }
    }
}
