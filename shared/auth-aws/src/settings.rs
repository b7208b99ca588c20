//! The settings that several operations share, each with its default: one place, so that they cannot differ.

use std::{ops::RangeInclusive, time::Duration};

use auth_domain::{Limit, SecondFactorRules, SignInRules};

use crate::{ConfigurationError, Environment};

/// Seconds of anything that waits for a code of Cognito's: its own session, and the code with it, ends after five minutes.
const COGNITO_WAITS: RangeInclusive<u32> = 1..=300;

/// Wrong codes in a row, at most (NIST SP 800-63B-4 §3.2.2).
const ATTEMPTS: RangeInclusive<u32> = 1..=100;

/// Days of a device cookie: browsers keep none longer (RFC 6265bis §5.5).
const COOKIE_DAYS: RangeInclusive<u32> = 1..=400;

/// Days of a session: Cognito's refresh tokens live for ten years at most.
const SESSION_DAYS: RangeInclusive<u32> = 1..=3650;

impl Environment {
    /// The numbers that a sign-in by code lives by.
    pub fn sign_in_rules(&self) -> Result<SignInRules, ConfigurationError> {
        Ok(SignInRules {
            lifetime: self.seconds_within("OTP_LIFETIME_SECONDS", 300, COGNITO_WAITS)?,
            attempts: self.number_within("OTP_ATTEMPTS", 3, ATTEMPTS)?,
            resend_after: self.seconds_within("OTP_RESEND_SECONDS", 30, COGNITO_WAITS)?,
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
            lifetime: self.seconds_within("MFA_LIFETIME_SECONDS", 300, COGNITO_WAITS)?,
            attempts: self.number_within("MFA_ATTEMPTS", 3, ATTEMPTS)?,
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
            quota: self.number_within("OTP_STARTS_PER_MINUTE", 600, 1..=u32::MAX)?,
            window: Duration::from_mins(1),
        })
    }

    /// How long a person has to consent: as long as AgentCore keeps the session.
    pub fn authorization_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("AUTHORIZATION_LIFETIME_SECONDS", 600)
    }

    /// The query parameter in which AgentCore gives back the state that an authorization was sent out with.
    pub fn state_parameter(&self) -> Result<String, ConfigurationError> {
        const NAME: &str = "AGENTCORE_STATE_PARAMETER";
        let name = self.optional(NAME)?.unwrap_or("state");
        let is_free = !["session_id", "error", "error_description"].contains(&name);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if is_free && name.bytes().all(is_plain) {
            return Ok(name.to_owned());
        }
        Err(ConfigurationError::Invalid {
            name: NAME.to_owned(),
            reason: "must be the name of a query parameter that means nothing else".to_owned(),
        })
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
        self.days("DEVICE_COOKIE_DAYS", 180, COOKIE_DAYS)
    }

    /// How long a browser keeps a refresh token: as long as the app client lets it live.
    pub fn refresh_token_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.days("REFRESH_TOKEN_DAYS", 30, SESSION_DAYS)
    }

    fn days(
        &self,
        name: &str,
        default: u32,
        bounds: RangeInclusive<u32>,
    ) -> Result<Duration, ConfigurationError> {
        let days = self.number_within(name, default, bounds)?;
        Ok(Duration::from_hours(24 * u64::from(days)))
    }

    fn seconds_within(
        &self,
        name: &str,
        default: u32,
        bounds: RangeInclusive<u32>,
    ) -> Result<Duration, ConfigurationError> {
        let seconds = self.number_within(name, default, bounds)?;
        Ok(Duration::from_secs(seconds.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_lock_everybody_out_or_promise_what_cognito_does_not_keep_stop_the_start()
    {
        let environment = |name: &str, value: &str| {
            Environment::from_pairs([(name.to_owned(), value.to_owned())])
        };
        for (name, value) in [
            ("OTP_ATTEMPTS", "0"),
            ("OTP_ATTEMPTS", "101"),
            ("OTP_LIFETIME_SECONDS", "0"),
            ("OTP_LIFETIME_SECONDS", "301"),
            ("OTP_RESEND_SECONDS", "0"),
        ] {
            let refused = environment(name, value).sign_in_rules().unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
        assert!(
            environment("MFA_ATTEMPTS", "0")
                .second_factor_rules()
                .is_err()
        );
        assert!(
            environment("OTP_STARTS_PER_MINUTE", "0")
                .mails_per_minute()
                .is_err()
        );
        assert!(
            environment("DEVICE_COOKIE_DAYS", "0")
                .device_cookie_lifetime()
                .is_err()
        );
        assert!(
            environment("REFRESH_TOKEN_DAYS", "3651")
                .refresh_token_lifetime()
                .is_err()
        );
        let shortest = environment("OTP_LIFETIME_SECONDS", "1")
            .sign_in_rules()
            .unwrap();
        assert_eq!(shortest.lifetime, Duration::from_secs(1));
    }
}
