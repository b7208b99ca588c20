//! How often within an hour one user may ask for codes, redeem them and change a password, as Cognito counts it.

use rusqlite::{OptionalExtension as _, params};

use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::store::HOUR;

/// The calls of one user within an hour, from the first of them on; the next one is a `LimitExceededException`.
///
/// The numbers are those of Cognito's quotas page. For recovery it gives a range of 5 to 20 that depends on a risk which
/// nobody outside can see, so the smallest is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyLimits {
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

/// An operation that is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    ForgotPassword,
    ConfirmForgotPassword,
    ResendConfirmationCode,
    ConfirmSignUp,
    ChangePassword,
    AttributeVerificationCode,
    VerifyAttribute,
}

impl Counted {
    const fn name(self) -> &'static str {
        match self {
            Self::ForgotPassword => "ForgotPassword",
            Self::ConfirmForgotPassword => "ConfirmForgotPassword",
            Self::ResendConfirmationCode => "ResendConfirmationCode",
            Self::ConfirmSignUp => "ConfirmSignUp",
            Self::ChangePassword => "ChangePassword",
            Self::AttributeVerificationCode => "GetUserAttributeVerificationCode",
            Self::VerifyAttribute => "VerifyUserAttribute",
        }
    }

    const fn most(self, limits: &HourlyLimits) -> u32 {
        match self {
            Self::ForgotPassword => limits.forgot_password,
            Self::ConfirmForgotPassword => limits.confirm_forgot_password,
            Self::ResendConfirmationCode => limits.resend_confirmation_code,
            Self::ConfirmSignUp => limits.confirm_sign_up,
            Self::ChangePassword => limits.change_password,
            Self::AttributeVerificationCode => limits.attribute_verification_code,
            Self::VerifyAttribute => limits.verify_attribute,
        }
    }

    /// Counts a call before anything else is done for it, so that many at once cannot outrun the limit.
    ///
    /// `name` is the user name, or what was typed where nobody has it: those are counted alike.
    pub(crate) fn count(self, service: &Service, pool: &Pool, name: &str) -> Result<(), Refusal> {
        let now = service.now();
        let most = self.most(&service.options.hourly_limits);
        service.store.change(now, |transaction| {
            let counted: Option<(i64, u32)> = transaction
                .prepare_cached(
                    "SELECT began, count FROM attempts
                     WHERE pool = ?1 AND username = ?2 AND operation = ?3 AND began > ?4",
                )?
                .query_row(params![pool.id, name, self.name(), now - HOUR], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let (began, count) = counted.unwrap_or((now, 0));
            if count >= most {
                return Err(Refusal::new(
                    Exception::LimitExceeded,
                    "Attempt limit exceeded, please try after some time.",
                ));
            }
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO attempts (pool, username, operation, began, count)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![pool.id, name, self.name(), began, count + 1])?;
            Ok(())
        })
    }
}
