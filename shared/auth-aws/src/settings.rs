//! The settings that several operations share, each with its default: one place, so that they cannot differ.

use std::time::Duration;

use auth_domain::{Limit, SecondFactorRules, SignInRules};

use crate::{ConfigurationError, Environment};

impl Environment {
    /// The numbers that a sign-in by code lives by.
    pub fn sign_in_rules(&self) -> Result<SignInRules, ConfigurationError> {
        Ok(SignInRules {
            lifetime: self.seconds("OTP_LIFETIME_SECONDS", 300)?,
            attempts: self.number("OTP_ATTEMPTS", 3)?,
            resend_after: self.seconds("OTP_RESEND_SECONDS", 30)?,
        })
    }

    /// Wrong codes for one address, over all its sign-ins, or on one known device.
    pub fn otp_failures(&self) -> Result<Limit, ConfigurationError> {
        self.limit(
            "otp-failure",
            ("OTP_FAILURES_PER_EMAIL", 10),
            ("OTP_FAILURE_WINDOW_SECONDS", 3600),
        )
    }

    /// Wrong passwords for one address, or on one known device.
    pub fn login_failures(&self) -> Result<Limit, ConfigurationError> {
        self.limit(
            "login-failure",
            ("LOGIN_FAILURES_PER_EMAIL", 5),
            ("LOGIN_FAILURE_WINDOW_SECONDS", 900),
        )
    }

    /// The numbers that a sign-in lives by between its factors.
    pub fn second_factor_rules(&self) -> Result<SecondFactorRules, ConfigurationError> {
        Ok(SecondFactorRules {
            lifetime: self.seconds("MFA_LIFETIME_SECONDS", 300)?,
            attempts: self.number("MFA_ATTEMPTS", 3)?,
        })
    }

    /// Wrong codes of one guest's authenticator, and wrong backup codes.
    pub fn second_factor_failures(&self) -> Result<Limit, ConfigurationError> {
        self.limit(
            "second-factor-failure",
            ("MFA_FAILURES_PER_USER", 5),
            ("MFA_FAILURE_WINDOW_SECONDS", 900),
        )
    }

    /// Sign-in mails of the whole pool in a minute: what protects the mail quota that all guests share.
    pub fn mails_per_minute(&self) -> Result<Limit, ConfigurationError> {
        Ok(Limit {
            name: "otp-mail-total",
            quota: self.number("OTP_STARTS_PER_MINUTE", 600)?,
            window: Duration::from_mins(1),
        })
    }

    /// How long a person has to consent: as long as AgentCore keeps the session.
    pub fn authorization_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("AUTHORIZATION_LIFETIME_SECONDS", 600)
    }

    /// How long an agent may ask about a consent that was given.
    pub fn consent_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("CONSENT_LIFETIME_SECONDS", 24 * 3600)
    }

    /// How long a workload token is handed out. AgentCore does not say how long it is good.
    pub fn workload_token_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("WORKLOAD_TOKEN_SECONDS", 300)
    }

    /// How long a browser is known.
    pub fn device_cookie_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.days("DEVICE_COOKIE_DAYS", 180)
    }

    /// How long a browser keeps a refresh token: as long as the app client lets it live.
    pub fn refresh_token_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.days("REFRESH_TOKEN_DAYS", 30)
    }

    fn days(&self, name: &str, default: u32) -> Result<Duration, ConfigurationError> {
        Ok(Duration::from_secs(
            24 * 3600 * u64::from(self.number(name, default)?),
        ))
    }
}
