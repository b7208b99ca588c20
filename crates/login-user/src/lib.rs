//! `loginUser`, POST /auth/login: trades address and password for tokens, or for the handle by
//! which the second factor is brought.
//!
//! The attempt is counted before Cognito is asked, by one conditional write, for the address or for
//! a known device on its own; a right password clears the count. Strangers have as many as Cognito
//! forgives, until there has been quiet for longer than Cognito remembers: they cannot lock a user
//! there. Everything that is wrong is one answer, not given before a floor: an unknown address, a
//! wrong password, an address that is not proved, a user without a password, and, to strangers,
//! Cognito's own lock-out, which befalls only users who exist. A known device hears of the lock,
//! and that a code signs in.
//!
//! A password that was typed in another form than NFC is tried in both, and each try is counted. So
//! people of an older pool sign in whose clients sent the other form.
//!
//! A password of a user whose address Cognito does not call verified opens nothing, however right
//! it is. A registration's password is not there before its address is proved.
//!
//! If a call fails: the count of an attempt without evaluation is restored. If Cognito's answer is
//! lost, the attempt stays counted, and the same request may be sent again. If the guest cannot be
//! found or made, or the sign-in not be held, the new tokens are revoked and never leave. A notice
//! that cannot be mailed is logged and counted, and fails nothing.

mod login_user;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Email, Password, Problem, TokenDelivery};
use auth_flows::{PasswordAttempts, SigningIn};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = LoginUser {
        attempts: PasswordAttempts::new(platform, LoginUser::NAME, Some("login-network"))?,
        signing_in: SigningIn::new(platform)?,
        refusal_floor: ResponseFloor::new(platform.environment().refusal_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation with its capabilities.
struct LoginUser {
    attempts: PasswordAttempts,
    signing_in: SigningIn,
    refusal_floor: ResponseFloor,
}

/// The person who signs in, and the way of the refresh token.
struct Input {
    email: Email,
    password: Password,
    token_delivery: TokenDelivery,
}

impl Operation for LoginUser {
    const NAME: &'static str = "login-user";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = SignInAnswer;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (email, password) = (fields.required("email"), fields.required("password"));
        let token_delivery = fields.optional("tokenDelivery").unwrap_or_default();
        let input = || {
            Some(Input {
                email: email?,
                password: password?,
                token_delivery,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<SignInAnswer, Problem> {
        let login = self.login(&input, exchange);
        self.refusal_floor.hold_refusals(login).await
    }
}
