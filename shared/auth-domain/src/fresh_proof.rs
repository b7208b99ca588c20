//! Fresh proofs: a signed-in guest proves their identity again before a sensitive change.

use std::str::FromStr;

use crate::{
    Assertion, Caller, Guest, OtpCode, Passkey, Password, SecondFactor, SessionId, SessionToken,
};

/// A proof made for this very request. An open session or a stolen token does not contain one (ASVS
/// 5.0 7.5.1).
#[derive(Clone, Debug)]
pub enum FreshProof {
    /// The guest's password.
    Password(Password),
    /// A code that was mailed for this purpose.
    MailedCode {
        /// The handle of its mail.
        session_token: SessionToken,
        /// The code.
        code: OtpCode,
    },
    /// A passkey's answer to a challenge for this purpose.
    Passkey {
        /// The handle of its challenge.
        session_token: SessionToken,
        /// The answer.
        assertion: Box<Assertion>,
    },
}

/// The proofs for a sensitive change: a fresh proof, and the second factor of a guest who has one.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// The fresh proof.
    pub proof: FreshProof,
    /// The second factor.
    pub second_factor: Option<SecondFactor>,
}

impl Proofs {
    /// Whether the fresh proof, if it is right, leaves no factor of `guest` unproved: a verified
    /// use of a passkey that stands for the authenticator.
    #[must_use]
    pub fn are_both_factors_of(&self, guest: &Guest) -> bool {
        match &self.proof {
            FreshProof::Password(_) | FreshProof::MailedCode { .. } => false,
            FreshProof::Passkey { assertion, .. } => {
                let passkey = Passkey::shown_by(assertion, guest);
                let is_both = passkey.is_some_and(|passkey| passkey.is_both_factors_of(guest));
                assertion.user_verified() && is_both
            }
        }
    }
}

/// The means of a fresh proof that has to be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofMethod {
    /// A code by mail.
    #[default]
    Code,
    /// A passkey on the guest's list.
    Passkey,
}

/// The text names no means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be code or passkey")]
pub struct UnknownProofMethod;

impl FromStr for ProofMethod {
    type Err = UnknownProofMethod;

    fn from_str(text: &str) -> Result<Self, UnknownProofMethod> {
        match text {
            "code" => Ok(Self::Code),
            "passkey" => Ok(Self::Passkey),
            _ => Err(UnknownProofMethod),
        }
    }
}

/// The change that a proof is asked for. The proof counts for no other change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofPurpose {
    /// Another password.
    Password,
    /// Another address.
    Email,
    /// The account's deletion.
    Delete,
    /// A copy of everything.
    Export,
    /// Adding or removing a passkey.
    Passkey,
    /// An authenticator set up or removed.
    Authenticator,
}

/// The text names no purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be password, email, delete, export, passkey or authenticator")]
pub struct UnknownProofPurpose;

impl ProofPurpose {
    const ALL: [Self; 6] = [
        Self::Password,
        Self::Email,
        Self::Delete,
        Self::Export,
        Self::Passkey,
        Self::Authenticator,
    ];

    /// The name that the contract gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            Self::Delete => "delete",
            Self::Export => "export",
            Self::Passkey => "passkey",
            Self::Authenticator => "authenticator",
        }
    }
}

impl FromStr for ProofPurpose {
    type Err = UnknownProofPurpose;

    fn from_str(text: &str) -> Result<Self, UnknownProofPurpose> {
        let mut all = Self::ALL.into_iter();
        all.find(|purpose| purpose.as_str() == text)
            .ok_or(UnknownProofPurpose)
    }
}

/// The guest, session and change of a proof that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofBinding(String);

impl ProofBinding {
    /// The proof of a caller, for one purpose.
    #[must_use]
    pub fn of(caller: &Caller, purpose: ProofPurpose) -> Self {
        let session = caller.session.as_ref().map_or("", SessionId::as_str);
        let (purpose, sub) = (purpose.as_str(), caller.sub.as_str());
        Self(format!("{purpose} {sub} {session}"))
    }

    /// The stored form of the binding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_read_back_and_nothing_else_does() {
        for purpose in ProofPurpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
        }
        assert_eq!("".parse::<ProofPurpose>(), Err(UnknownProofPurpose));
    }
}
