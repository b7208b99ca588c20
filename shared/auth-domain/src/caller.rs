//! The person behind an access token.

use crate::{Email, Timestamp, UserSub};

/// Who is calling, as API Gateway's authorizer passed it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub sub: UserSub,
    /// The address at the time of issue: a hint for finding the guest in one read, and nothing that grants anything.
    pub email: Option<Email>,
    /// When the token was issued.
    pub issued_at: Timestamp,
}

impl Caller {
    /// Whether the guest has signed out everywhere since the token was issued (ASVS 5.0 7.4.1). The same instant counts as since.
    #[must_use]
    pub fn is_signed_out_by(&self, signed_out_at: Option<Timestamp>) -> bool {
        signed_out_at.is_some_and(|signed_out_at| self.issued_at <= signed_out_at)
    }
}
