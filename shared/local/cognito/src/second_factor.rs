//! The second factors that a pool can ask for.

use crate::pool::{MfaConfiguration, PoolSettings};

/// A way to prove oneself after the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    SoftwareToken,
    Email,
}

impl SecondFactor {
    /// The challenge, and the setting's name at the user.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::Email => "EMAIL_OTP",
        }
    }

    /// The factors that the pool has.
    pub(crate) fn of_pool(settings: &PoolSettings) -> Vec<Self> {
        let mut factors = Vec::new();
        if settings.mfa_configuration == MfaConfiguration::Off {
            return factors;
        }
        if settings.software_token_mfa {
            factors.push(Self::SoftwareToken);
        }
        if settings.email_mfa_configuration.is_some() {
            factors.push(Self::Email);
        }
        factors
    }
}
