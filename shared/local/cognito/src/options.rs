//! Options of the user pools.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use local_kit::{Clock, Random, State, system_clock, system_random};

use crate::mail::Mail;

/// Options of the user pools.
#[derive(Clone)]
pub struct Options {
    /// The Region, which begins every pool's id.
    pub region: String,
    /// The account in ARNs.
    pub account_id: String,
    /// The router's address, without a slash at the end. The issuer of a pool's tokens is
    /// `{public_url}/{poolId}`, and its JWKS is served below that.
    pub public_url: String,
    /// The place of the state.
    pub state: State,
    /// The current time. Everything that expires uses this clock.
    pub clock: Clock,
    /// The source of codes, tokens and ids; the keys of pools come from the system.
    pub random: Random,
    /// Takes every mail, before the answer of the operation that sent it.
    pub mail: Arc<dyn Fn(Mail) + Send + Sync>,
    /// Base of a Lambda Invoke API, for triggers. Without one, every sign-in to a pool with a
    /// trigger fails.
    pub lambda_url: Option<String>,
    /// How long a trigger may take, in real time.
    pub lambda_limit: Duration,
    /// The answer of choice-based sign-in to an unknown name, if the app client hides that.
    pub unknown_user: UnknownUser,
    /// Whether the hosted page obeys `prompt=login`.
    pub prompt_login: PromptLogin,
    /// The effect of a second sign-in code on the earlier ones.
    pub earlier_codes: EarlierCodes,
    /// What a change of attributes does with an address that another user has.
    pub address_clash: AddressClash,
    /// The treatment of a password in the first request of a sign-in by choice.
    pub early_password: EarlyPassword,
    /// Whether a passkey's challenge lists the credentials that may answer it.
    pub allowed_credentials: AllowedCredentials,
    /// Whether the custom message trigger writes the mails with sign-in codes.
    pub sign_in_mails: SignInMails,
    /// How often one user may ask for codes, redeem them and change a password.
    pub hourly_limits: HourlyLimits,
}

impl Options {
    /// A pool service in memory, in `eu-west-1`, with the system's clock and randomness. Its mails
    /// are dropped.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            account_id: "000000000000".to_owned(),
            public_url: public_url.into(),
            state: State::Memory,
            clock: system_clock(),
            random: system_random(),
            mail: Arc::new(|_| {}),
            lambda_url: None,
            lambda_limit: LAMBDA_LIMIT,
            unknown_user: UnknownUser::EmailOtp,
            prompt_login: PromptLogin::Heeded,
            earlier_codes: EarlierCodes::StayValid,
            address_clash: AddressClash::Refused,
            early_password: EarlyPassword::Taken,
            allowed_credentials: AllowedCredentials::Listed,
            sign_in_mails: SignInMails::WordedByTrigger,
            hourly_limits: HourlyLimits::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("region", &self.region)
            .field("public_url", &self.public_url)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Cognito waits five seconds for a trigger (developer guide, "Customizing user pool workflows with
/// Lambda triggers").
const LAMBDA_LIMIT: Duration = Duration::from_secs(5);

/// Whether the hosted page obeys `prompt=login`. Managed login does; the documentation of the
/// classic hosted page excludes every prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptLogin {
    /// A signed-in browser signs in again.
    #[default]
    Heeded,
    /// A signed-in browser is redirected without a page.
    Ignored,
}

/// The answer of choice-based sign-in to an unknown name, if `PreventUserExistenceErrors` is
/// `ENABLED`.
///
/// Three of them were seen on real pools; the documentation promises none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownUser {
    /// The challenge is `EMAIL_OTP`, and the only one available.
    #[default]
    EmailOtp,
    /// The challenge is `EMAIL_OTP`, and the password factors are available too.
    AllFactors,
    /// The challenge is `WEB_AUTHN`, if the pool has it: the developer guide says that the factor
    /// is picked at random.
    Passkey,
    /// The challenge is `SELECT_CHALLENGE`, with every factor to choose from.
    SelectChallenge,
    /// One of the four above, drawn anew each time from this seed.
    Varying {
        /// The same seed draws the same sequence.
        seed: u64,
    },
}

/// The effect of a second sign-in code on the same user's earlier codes. AWS does not document it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlierCodes {
    /// Each session keeps its own code until it ends.
    #[default]
    StayValid,
    /// Only the newest code is accepted.
    Superseded,
}

/// What `AdminUpdateUserAttributes` does with an email that another user has, where the call says
/// that it is proved. Reports of real pools disagree: aws/aws-sdk-net#4387 was refused, and
/// boto/boto3#3213 saw the address move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressClash {
    /// It is an `AliasExistsException`.
    #[default]
    Refused,
    /// The address moves without a word, and the user before it keeps it as one that is not proved,
    /// and is not found by it.
    Moved,
}

/// The treatment of a `PASSWORD` beside `PREFERRED_CHALLENGE=PASSWORD` in `InitiateAuth`. The API
/// reference lists the parameter; its effect was not observed on a real pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyPassword {
    /// The password is checked at once.
    #[default]
    Taken,
    /// It is left aside, and the challenge `PASSWORD` asks for it.
    AskedForAgain,
    /// The password is ignored, and `SELECT_CHALLENGE` lets the user choose.
    LeftToChoice,
    /// A user with a password has it checked at once. One without, and an unknown name, are asked
    /// for another first factor.
    AnotherFactor,
}

/// Whether `CREDENTIAL_REQUEST_OPTIONS` has `allowCredentials`. The captures have it; no document
/// promises it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllowedCredentials {
    /// With it.
    #[default]
    Listed,
    /// Without it.
    LeftOut,
}

/// The author of the mail with a sign-in code in a pool with a custom message trigger. The
/// developer guide lists `CustomMessage_Authentication` for codes of a second factor, and does not
/// mention the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignInMails {
    /// The trigger writes it, as every other mail.
    #[default]
    WordedByTrigger,
    /// Cognito.
    WordedByCognito,
}

/// The reason why the state could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be opened or has another program's tables.
    #[error("the state cannot be opened")]
    State(#[from] rusqlite::Error),
    /// A signing key could not be made or read back.
    #[error("a signing key cannot be made or read")]
    Keys,
    /// The HTTP client for triggers could not be made.
    #[error("the HTTP client for triggers cannot be made")]
    Http(#[from] reqwest::Error),
}

/// The calls of one user within an hour, from the first of them on; the next one is a
/// `LimitExceededException`.
///
/// The numbers are those of Cognito's quotas page. For recovery it gives a range of 5 to 20 that
/// depends on a risk which cannot be seen from outside, so the smallest is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyLimits {
    /// Sign-in codes by mail to one address, requested from one network address: 5 to 20 in AWS.
    /// The default is no limit, since people at one machine try more often than guests do.
    pub sign_in_codes: u32,
    /// `ForgotPassword`: 5 to 20 in AWS.
    pub forgot_password: u32,
    /// `ConfirmForgotPassword`: 5 to 20 in AWS.
    pub confirm_forgot_password: u32,
    /// `ResendConfirmationCode`.
    pub resend_confirmation_code: u32,
    /// `ConfirmSignUp`.
    pub confirm_sign_up: u32,
    /// `ChangePassword`.
    pub change_password: u32,
    /// `GetUserAttributeVerificationCode`.
    pub attribute_verification_code: u32,
    /// `VerifyUserAttribute`.
    pub verify_attribute: u32,
}

impl Default for HourlyLimits {
    fn default() -> Self {
        Self {
            sign_in_codes: u32::MAX,
            forgot_password: 5,
            confirm_forgot_password: 5,
            resend_confirmation_code: 5,
            confirm_sign_up: 15,
            change_password: 5,
            attribute_verification_code: 5,
            verify_attribute: 15,
        }
    }
}
