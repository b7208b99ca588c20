//! How often within an hour one user may ask for codes, redeem them and change a password, as
//! Cognito counts it.

use local_kit::HOUR;
use rusqlite::{OptionalExtension as _, params};

use crate::options::HourlyLimits;
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;

/// A counted operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    SignInCode,
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
            Self::SignInCode => "EMAIL_OTP",
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
            Self::SignInCode => limits.sign_in_codes,
            Self::ForgotPassword => limits.forgot_password,
            Self::ConfirmForgotPassword => limits.confirm_forgot_password,
            Self::ResendConfirmationCode => limits.resend_confirmation_code,
            Self::ConfirmSignUp => limits.confirm_sign_up,
            Self::ChangePassword => limits.change_password,
            Self::AttributeVerificationCode => limits.attribute_verification_code,
            Self::VerifyAttribute => limits.verify_attribute,
        }
    }

    /// Counts a call before any other work, so that concurrent calls cannot exceed the limit.
    ///
    /// `name` is the user name, or the typed name of an unknown user: both are counted alike. A
    /// sign-in code also counts by the requester's address.
    pub(crate) fn count(self, service: &Service, pool: &Pool, name: &str) -> Result<(), Refusal> {
        let now = service.now();
        let most = self.most(&service.hourly_limits());
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
