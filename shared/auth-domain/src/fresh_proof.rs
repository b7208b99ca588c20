//! How somebody who is signed in proves once more who they are, before a factor may change.

use crate::{OtpCode, Password, SessionToken};

/// A proof made for this very request: a session that was left open, or a stolen token, has none
/// (ASVS 5.0 7.5.1).
#[derive(Clone, Debug)]
pub enum FreshProof {
    /// The guest's password.
    Password(Password),
    /// A code that was mailed for a sign-in of the same address, begun for this.
    MailedCode {
        /// The handle of that sign-in.
        session_token: SessionToken,
        /// The code.
        code: OtpCode,
    },
}
