//! `verifyMfa`, POST /auth/mfa/verify: brings the second factor of a sign-in that is held, and
//! trades it for tokens.
//!
//! The attempt is counted for the sign-in before anybody looks at the code, and for the guest over
//! all sign-ins; a right code clears the latter. The guest is told when a sign-in's attempts or the
//! guest's own are spent: somebody has the first factor. A code of the authenticator is taken once,
//! and a backup code is used up, by one conditional write each; another ends the sign-in. Only then
//! is the refresh token opened that the first factor earned, and exchanged. Challenges of Cognito's
//! own, which users of an older pool may meet, are finished here too, and a guest who has an
//! authenticator as well is asked for it after them.
//!
//! With `rememberDevice` this browser is spared the second factor for some days. The device cookie
//! says so, so it holds for this guest at this address alone. A sign-out everywhere, a change of
//! factor and a reset end it.
//!
//! A session token is worthless after five minutes. Its refresh token is revoked with the last
//! attempt, or by the first request that comes too late; where none comes, its ciphertext is
//! deleted with the record, and it never left the server.
//!
//! If a call fails: the count of an attempt without evaluation is restored. If anything fails once
//! the code was taken, the code is used up for any other sign-in, this one is open again, and the
//! same code finishes it, or the authenticator's next. If that cannot be noted, or Cognito's tokens
//! were lost for longer than its grace period, the sign-in begins anew. Tokens that do not leave
//! are revoked. A notice that cannot be mailed is logged and counted, and fails nothing.

mod follow_up;
mod verify_mfa;

use auth_aws::{ConfigurationError, Passwords, Platform};
use auth_domain::{NewPassword, Problem, SecondFactor, SessionToken, TokenDelivery};
use auth_flows::{HeldSignIns, Notices, SigningIn};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, SignInAnswer};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyMfa {
        held: HeldSignIns::new(platform, VerifyMfa::NAME, "second-factor-network")?,
        passwords: Passwords::new(platform)?,
        signing_in: SigningIn::new(platform)?,
        notices: Notices::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation with its capabilities.
struct VerifyMfa {
    held: HeldSignIns,
    passwords: Passwords,
    signing_in: SigningIn,
    notices: Notices,
}

/// An answer, and the sign-in that it is for.
struct Input {
    session_token: SessionToken,
    answer: Answer,
    /// Where it is not said, what the first factor said holds.
    token_delivery: Option<TokenDelivery>,
    /// Whether this browser is to be spared the second factor.
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
            // Whose it is to be, only the sign-in knows: that rule is checked there.
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
