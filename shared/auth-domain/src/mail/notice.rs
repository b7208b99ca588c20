//! Mails to a guest about a change of the account. They reveal a stranger's change to the guest
//! (NIST SP 800-63B-4 §4.6, ASVS 5.0 6.3.7).

/// The event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A password was set or changed.
    PasswordChanged,
    /// An authenticator was set up, or replaced the one before.
    AuthenticatorSetUp,
    /// The authenticator was removed.
    AuthenticatorRemoved,
    /// Second factors were wrong after a right first one, until no more were admitted.
    SecondFactorFailed,
    /// A browser signed in as this address for the first time.
    NewDeviceSignedIn,
    /// A refresh token was used in two places.
    RefreshTokenStolen,
    /// The account's address changed; sent to both.
    AddressChanged,
    /// Somebody asked to make the address theirs, and it has an account.
    AddressWanted,
    /// A passkey was registered.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// The account was deleted.
    AccountDeleted,
    /// An operator has requested a reset of the second factors, which waits.
    FactorResetAsked,
    /// The guest has stopped the reset.
    FactorResetStopped,
    /// The reset has removed the second factors.
    FactorsReset,
}

impl Notice {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::PasswordChanged,
        Self::AuthenticatorSetUp,
        Self::AuthenticatorRemoved,
        Self::SecondFactorFailed,
        Self::NewDeviceSignedIn,
        Self::RefreshTokenStolen,
        Self::AddressChanged,
        Self::AddressWanted,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::AccountDeleted,
        Self::FactorResetAsked,
        Self::FactorResetStopped,
        Self::FactorsReset,
    ];
}
