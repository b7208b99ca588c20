//! `loginUser`, POST /auth/login: exchanges address and password for tokens, or for the handle for
//! the second factor.
//!
//! The attempt is counted before Cognito is asked, by one conditional write, for the address or for
//! a known device on its own. A right password clears the count. Strangers have as many attempts as
//! Cognito forgives, until a quiet time longer than Cognito's memory has passed. So they cannot
//! lock a user there. Every refusal is one answer, not before a floor: an unknown address, a wrong
//! password, an address that is not proved, a user without a password, and, for strangers,
//! Cognito's own lock-out, which only existing users can have. A known device learns of the lock,
//! and that a code signs in.
//!
//! A password that was typed in another form than NFC is tried in both, and each try is counted. An
//! older pool's client may have sent the other form, and its people still sign in.
//!
//! A right password is refused if Cognito has not verified the user's address. A registration's
//! password is not set before its address is proved.
//!
//! If a call fails: the count of an attempt without evaluation is restored. If Cognito's answer is
//! lost, the attempt stays counted, and the same request can be retried. If the guest cannot be
//! found or made, or the sign-in cannot be held, the new tokens are revoked and not returned. A
//! failed notice is logged and counted, and does not fail the request.

mod login_user;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Email, Password, Problem, TokenDelivery};
use auth_flows::{PasswordAttempts, SigningIn};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = LoginUser {
        attempts: PasswordAttempts::new(platform, LoginUser::NAME, Some("login-network"))?,
        signing_in: SigningIn::new(platform)?,
        refusal_floor: ResponseFloor::new(platform.environment().refusal_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct LoginUser {
    attempts: PasswordAttempts,
    signing_in: SigningIn,
    refusal_floor: ResponseFloor,
}

/// The person, and the delivery of the refresh token.
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
