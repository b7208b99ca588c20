//! The settings that several operations share: one place, so that they cannot differ. The contract
//! has the defaults.

use std::{ops::RangeInclusive, time::Duration};

use auth_domain::{
    AddressCodeRules, Ageing, CodeMailLimits, Limit, PoolLimits, RelyingParty, SecondFactorPolicy,
    SecondFactorRules, SignInRules, TryLimits,
};

use crate::{ConfigurationError, Environment};

/// Seconds of a wait for a code of Cognito's: its own session, and the code with it, ends after
/// five minutes.
const COGNITO_WAITS: RangeInclusive<u32> = 1..=300;

/// Wrong passwords after which Cognito locks a user (developer guide, "Authentication": lockout).
const COGNITO_FORGIVES: u32 = 5;

/// Wrong codes in a row, at most (NIST SP 800-63B-4 §3.2.2).
const ATTEMPTS: RangeInclusive<u32> = 1..=100;

/// Days of a device cookie: browsers keep none longer (RFC 6265bis §5.5).
const COOKIE_DAYS: RangeInclusive<u32> = 1..=400;

/// Days of a session: Cognito's refresh tokens live for ten years at most.
const SESSION_DAYS: RangeInclusive<u32> = 1..=3650;

/// Days for which an account's events are kept.
const ACTIVITY_DAYS: RangeInclusive<u32> = 1..=3650;

impl Environment {
    /// How long the events of an account are kept.
    pub fn activity_kept(&self) -> Result<Duration, ConfigurationError> {
        let days = self.number_within("ACTIVITY_DAYS", ACTIVITY_DAYS)?;
        Ok(Duration::from_hours(24 * u64::from(days)))
    }

    /// The domain name of passkeys.
    pub fn relying_party(&self) -> Result<RelyingParty, ConfigurationError> {
        let name = "PASSKEY_RP_ID";
        let configured = self.optional(name)?.filter(|text| *text != "none");
        RelyingParty::of(configured, self.text("FRONTEND_URL")?).map_err(|error| {
            ConfigurationError::Invalid {
                name: name.to_owned(),
                reason: error.to_string(),
            }
        })
    }

    /// The rules of a sign-in by code.
    pub fn sign_in_rules(&self) -> Result<SignInRules, ConfigurationError> {
        Ok(SignInRules {
            lifetime: self.seconds_within("OTP_LIFETIME_SECONDS", COGNITO_WAITS)?,
            attempts: self.number_within("OTP_ATTEMPTS", ATTEMPTS)?,
            resend_after: self.seconds_within("OTP_RESEND_SECONDS", COGNITO_WAITS)?,
        })
    }

    /// The rules of a code for another address.
    pub fn address_code_rules(&self) -> Result<AddressCodeRules, ConfigurationError> {
        Ok(AddressCodeRules {
            lifetime: self.seconds_within("ADDRESS_CODE_SECONDS", 60..=3600)?,
            attempts: self.number_within("OTP_ATTEMPTS", ATTEMPTS)?,
        })
    }

    /// Codes for other addresses that one guest may ask for.
    pub fn address_changes(&self) -> Result<Limit, ConfigurationError> {
        Ok(Limit {
            name: "address-change",
            quota: self.number_within("ADDRESS_CHANGES_PER_GUEST", 1..=20)?,
            window: self.seconds_within("ADDRESS_CHANGE_WINDOW_SECONDS", 60..=86_400)?,
            ageing: Ageing::OneByOne,
        })
    }

    /// Wrong codes for one address over all its sign-ins, or on one known device.
    pub fn otp_failures(&self) -> Result<Limit, ConfigurationError> {
        Ok(Limit {
            name: "otp-failure",
            quota: self.number_within("OTP_FAILURES_PER_EMAIL", 3..=100)?,
            window: self.seconds_within("OTP_FAILURE_WINDOW_SECONDS", 1..=86_400)?,
            ageing: Ageing::OneByOne,
        })
    }

    /// Wrong codes for a new password of one address. Fewer than the five an hour that Cognito may
    /// allow a user: strangers cannot spend them all, and a known device always has some.
    pub fn recovery_failures(&self) -> Result<Limit, ConfigurationError> {
        self.limit(
            "reset-failure",
            "RESET_FAILURES_PER_EMAIL",
            "RESET_FAILURE_WINDOW_SECONDS",
        )
    }

    /// Mails for a new password of one address, by strangers. Fewer than the five an hour that
    /// Cognito may allow a user.
    pub fn recovery_mails(&self) -> Result<Limit, ConfigurationError> {
        self.limit("reset-email", "RESETS_PER_EMAIL", "RESET_WINDOW_SECONDS")
    }

    /// Mails of starts for one address, by strangers.
    pub fn start_mails(&self) -> Result<Limit, ConfigurationError> {
        self.limit(
            "otp-start-email",
            "OTP_STARTS_PER_EMAIL",
            "OTP_START_WINDOW_SECONDS",
        )
    }

    /// Wrong passwords for one address, or on one known device. They count until a success, or
    /// until the quiet time passes without another: Cognito locks a user after five, and forgets
    /// them after about 15 quiet minutes. So strangers never cause a lock there, at any pace.
    pub fn login_failures(&self) -> Result<Limit, ConfigurationError> {
        Ok(Limit {
            name: "login-failure",
            quota: self.number_within("LOGIN_FAILURES_PER_EMAIL", 1..=COGNITO_FORGIVES)?,
            window: self.seconds_within("LOGIN_QUIET_SECONDS", 900..=86_400)?,
            ageing: Ageing::AfterQuiet,
        })
    }

    /// Mails with a code for one mailbox, over all operations.
    pub fn code_mails(&self) -> Result<CodeMailLimits, ConfigurationError> {
        let limit = |name, quota, window| Limit {
            name,
            quota,
            window,
            ageing: Ageing::OneByOne,
        };
        let (hour, day) = (Duration::from_hours(1), Duration::from_hours(24));
        let per_hour = self.number_within("CODE_MAILS_PER_HOUR", 1..=20)?;
        let strangers = self.number_within("CODE_MAILS_PER_DAY_STRANGERS", 1..=100)?;
        let total = self.number_within("CODE_MAILS_PER_DAY", 1..=200)?;
        let solved = self.number_within("SOLVED_MAILS_PER_HOUR", 0..=20)?;
        Ok(CodeMailLimits {
            strangers_per_hour: limit("code-mail-hour", per_hour, hour),
            strangers_per_day: limit("code-mail-day", strangers, day),
            solved_per_hour: limit("code-mail-solved", solved, hour),
            total_per_day: limit("code-mail-total", total, day),
        })
    }

    /// Attempts at codes for one address: by strangers, and by solved challenges in addition.
    pub fn code_tries(&self) -> Result<TryLimits, ConfigurationError> {
        Ok(TryLimits {
            strangers: self.otp_failures()?,
            solved: Limit {
                name: "otp-try-solved",
                quota: self.number_within("SOLVED_TRIES_PER_HOUR", 0..=100)?,
                window: Duration::from_hours(1),
                ageing: Ageing::OneByOne,
            },
        })
    }

    /// Attempts of one network at one operation, over all addresses. Each operation with this limit
    /// names its own.
    pub fn attempts_per_network(&self, policy: &'static str) -> Result<Limit, ConfigurationError> {
        Ok(Limit {
            name: policy,
            quota: self.number_within("ATTEMPTS_PER_NETWORK", 10..=100_000)?,
            window: self.seconds_within("ATTEMPTS_PER_NETWORK_WINDOW_SECONDS", 60..=86_400)?,
            ageing: Ageing::OneByOne,
        })
    }

    /// The same events of a gateway that names no conversation, instead of those that `limit`
    /// leaves to one conversation. All chats of such a gateway count as one.
    pub fn for_gateway(&self, limit: Limit) -> Result<Limit, ConfigurationError> {
        Ok(Limit {
            quota: self.number_within("ATTEMPTS_PER_GATEWAY", 10..=1_000_000)?,
            ..limit
        })
    }

    /// The rules of a sign-in between its factors.
    pub fn second_factor_rules(&self) -> Result<SecondFactorRules, ConfigurationError> {
        Ok(SecondFactorRules {
            lifetime: self.seconds_within("MFA_LIFETIME_SECONDS", COGNITO_WAITS)?,
            attempts: self.number_within("MFA_ATTEMPTS", ATTEMPTS)?,
        })
    }

    /// Whether guests may sign in with one factor.
    pub fn second_factor_policy(&self) -> Result<SecondFactorPolicy, ConfigurationError> {
        self.required("SECOND_FACTOR")
    }

    /// How long a new authenticator waits for its first code, and a sign-in for a set-up.
    pub fn set_up_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds_within("MFA_SETUP_SECONDS", 1..=3600)
    }

    /// Wrong codes of one guest's authenticator, and wrong backup codes.
    pub fn second_factor_failures(&self) -> Result<Limit, ConfigurationError> {
        self.limit(
            "second-factor-failure",
            "MFA_FAILURES_PER_USER",
            "MFA_FAILURE_WINDOW_SECONDS",
        )
    }

    /// The whole pool's limits in a minute: mails with a code, and new users.
    pub fn pool_limits(&self) -> Result<PoolLimits, ConfigurationError> {
        Ok(PoolLimits {
            mails: Limit {
                name: "otp-mail-total",
                quota: self.number_within("OTP_STARTS_PER_MINUTE", 1..=u32::MAX)?,
                window: Duration::from_mins(1),
                ageing: Ageing::OneByOne,
            },
            new_users: self.number_within("NEW_USERS_PER_MINUTE", 1..=100_000)?,
        })
    }

    /// How long a person has to consent: as long as AgentCore keeps the session.
    pub fn authorization_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("AUTHORIZATION_LIFETIME_SECONDS")
    }

    /// The query parameter in which AgentCore returns the state of an authorization.
    pub fn state_parameter(&self) -> Result<String, ConfigurationError> {
        const NAME: &str = "AGENTCORE_STATE_PARAMETER";
        let name = self.text(NAME)?;
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

    /// How long an agent may ask about a given consent.
    pub fn consent_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("CONSENT_LIFETIME_SECONDS")
    }

    /// How long a workload token is reused. AgentCore does not report its lifetime.
    pub fn workload_token_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.seconds("WORKLOAD_TOKEN_SECONDS")
    }

    /// The shortest response time of a refused sign-in.
    pub fn refusal_floor(&self) -> Result<Duration, ConfigurationError> {
        self.milliseconds("OTP_REFUSAL_FLOOR_MS")
    }

    /// The shortest response time of a mail with a code. It exceeds the time that a new address
    /// takes.
    pub fn response_floor(&self) -> Result<Duration, ConfigurationError> {
        self.milliseconds("OTP_RESPONSE_FLOOR_MS")
    }

    /// How long a browser skips the second factor, if the person asks for it. Zero switches it off.
    pub fn device_remembered_for(&self) -> Result<Duration, ConfigurationError> {
        self.days("REMEMBER_DEVICE_DAYS", 0..=365)
    }

    /// How long an operator's reset of second factors waits.
    pub fn factor_reset_delay(&self) -> Result<Duration, ConfigurationError> {
        let hours = self.number_within("FACTOR_RESET_DELAY_HOURS", 1..=168)?;
        Ok(Duration::from_hours(hours.into()))
    }

    /// How long a browser stays a known device.
    pub fn device_cookie_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.days("DEVICE_COOKIE_DAYS", COOKIE_DAYS)
    }

    /// How long a browser keeps a refresh token: the app client's lifetime of refresh tokens.
    pub fn refresh_token_lifetime(&self) -> Result<Duration, ConfigurationError> {
        self.days("REFRESH_TOKEN_DAYS", SESSION_DAYS)
    }

    fn days(
        &self,
        name: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Duration, ConfigurationError> {
        let days = self.number_within(name, bounds)?;
        Ok(Duration::from_hours(24 * u64::from(days)))
    }

    fn seconds_within(
        &self,
        name: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Duration, ConfigurationError> {
        let seconds = self.number_within(name, bounds)?;
        Ok(Duration::from_secs(seconds.into()))
    }
}
