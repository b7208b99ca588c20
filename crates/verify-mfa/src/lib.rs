//! `verifyMfa`, POST /auth/mfa/verify: takes the second factor of a held sign-in, and returns its
//! tokens.
//!
//! The attempt is counted before the code is evaluated, for the sign-in, and for the guest over all
//! sign-ins. A right code clears the guest's count. The guest gets a notice when a sign-in's
//! attempts or the guest's own are spent: another person may have the first factor. A code of the
//! authenticator is accepted once, and a backup code is used up, by one conditional write each;
//! another write ends the sign-in. Only then the refresh token of the first factor is opened and
//! exchanged. Cognito's own challenges, which users of an older pool may get, are finished here
//! too. A guest who also has an authenticator is asked for it after them.
//!
//! With `rememberDevice` this browser skips the second factor for some days. The device cookie
//! records it, so it applies only to this guest at this address. A sign-out everywhere, a change of
//! factor and a reset end it.
//!
//! A session token is worthless after five minutes. Its refresh token is revoked with the last
//! attempt, or by the first request that comes too late. Without such a request, its ciphertext is
//! deleted with the record, and it never left the server.
//!
//! If a call fails: the count of an attempt without evaluation is restored. If a step fails after
//! the code was accepted, the code is used up for any other sign-in, but this one is open again:
//! the same code finishes it, or the authenticator's next. If the sign-in cannot be reopened, or
//! Cognito's tokens were lost for longer than its grace period, the person signs in again. Tokens
//! that do not leave are revoked. A failed notice is logged and counted, and does not fail the
//! request.

mod follow_up;
mod verify_mfa;

use auth_aws::{ConfigurationError, Passwords, Platform};
use auth_domain::{NewPassword, Problem, SecondFactor, SessionToken, TokenDelivery};
use auth_flows::{HeldSignInAttempts, Notices, SigningIn};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, SignInAnswer};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyMfa {
        held: HeldSignInAttempts::new(platform, VerifyMfa::NAME, "second-factor-network")?,
        passwords: Passwords::new(platform)?,
        signing_in: SigningIn::new(platform)?,
        notices: Notices::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct VerifyMfa {
    held: HeldSignInAttempts,
    passwords: Passwords,
    signing_in: SigningIn,
    notices: Notices,
}

/// An answer, and the sign-in that it is for.
struct Input {
    session_token: SessionToken,
    answer: Answer,
    /// The delivery of the refresh token. Without it, the first factor's choice applies.
    token_delivery: Option<TokenDelivery>,
    /// Whether this browser may skip the second factor from now on.
    remember_device: bool,
}

/// An answer to a held sign-in.
enum Answer {
    SecondFactor(SecondFactor),
    NewPassword(NewPassword),
}

impl Operation for VerifyMfa {
    const NAME: &'static str = "verify-mfa";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = SignInAnswer;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_token = fields.required("sessionToken");
        let token_delivery = fields.optional("tokenDelivery");
        let remember_device = fields.flag("rememberDevice");
        let factor = fields.second_factor().map(Answer::SecondFactor);
        let new_password = if fields.has("newPassword") {
            // Only the sign-in knows the password's owner: that rule is checked there.
            fields
                .new_password("newPassword", None)
                .map(Answer::NewPassword)
        } else {
            None
        };
        fields.one_of(&["code", "backupCode", "newPassword"]);
        let answer = factor.or(new_password);
        let input = || {
            Some(Input {
                session_token: session_token?,
                answer: answer?,
                token_delivery,
                remember_device,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<SignInAnswer, Problem> {
        self.verify(&input, exchange).await
    }
}
