//! A guest's authenticator, as the guest's record holds it.

use std::collections::BTreeSet;

use crate::{BackupCodeHash, Sealed, Timestamp, TotpStep};

/// An authenticator that guards every sign-in of its guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// The TOTP secret, and the key of the backup codes' hashes.
    pub sealed_keys: Sealed,
    /// The last step that was accepted: no code of this step or one before is taken any more.
    pub last_step: TotpStep,
    /// The backup codes that are left.
    pub backup_codes: BTreeSet<BackupCodeHash>,
}

/// An authenticator that is being set up. It guards nothing until its first code has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAuthenticator {
    /// The TOTP secret, and the key of the backup codes' hashes.
    pub sealed_keys: Sealed,
    /// When the set-up has to be begun anew.
    pub expires_at: Timestamp,
}
