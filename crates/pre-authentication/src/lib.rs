//! The trigger that Cognito calls when a user begins to sign in.
//!
//! Latchkey's operations sign people in with a confidential client, and ask for the authenticator themselves: they pass without a look.
//! Where the pool has a public client, for Amplify say, that client signs in at Cognito's own endpoint, which knows nothing of the
//! authenticator. It is refused for guests who have one: there is no way round it. And it is refused for guests whose password does not
//! count: Cognito takes one that was registered for right, and who chose it need not be who reads the mail.
//!
//! If a read fails, Cognito refuses the sign-in. Refreshes do not come by here: setting up an authenticator revokes every refresh
//! token that there is.

use auth_aws::{Address, ConfigurationError, Guests, Platform};
use auth_domain::{Email, PasswordStanding, Problem, Report, UserSub};
use auth_lambda::{Function, Trigger};
use serde_json::{Map, Value};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::trigger(PreAuthentication {
        guests: Guests::new(platform)?,
        own_client: platform.environment().text("COGNITO_CLIENT_ID")?.to_owned(),
    }))
}

/// What the trigger works with.
struct PreAuthentication {
    guests: Guests,
    /// The confidential client.
    own_client: String,
}

impl Trigger for PreAuthentication {
    const NAME: &'static str = "pre-authentication";

    async fn respond(&self, event: Map<String, Value>) -> Result<Map<String, Value>, &'static str> {
        let client = event
            .get("callerContext")
            .and_then(|context| context.get("clientId"))
            .and_then(Value::as_str)
            .ok_or("not a pre authentication event")?;
        if client == self.own_client {
            return Ok(event);
        }
        let attribute = |name| {
            event
                .get("request")
                .and_then(|request| request.get("userAttributes"))
                .and_then(|attributes| attributes.get(name))
                .and_then(Value::as_str)
        };
        // Cognito answers for users that do not exist as if they did: there is nobody to guard.
        let Some(sub) = attribute("sub").and_then(|sub| UserSub::parse(sub).ok()) else {
            return Ok(event);
        };
        let email = attribute("email").and_then(|email| Email::parse(email).ok());
        match self.look(&sub, email.as_ref()).await {
            Ok(None) => Ok(event),
            Ok(Some(refusal)) => Err(refusal),
            Err(problem) => {
                let report = problem.report().map(Report::chain);
                tracing::error!(error = report, "the guest could not be looked up");
                Err("try again later")
            }
        }
    }
}

impl PreAuthentication {
    /// Why a user may not sign in here; `None` where they may.
    async fn look(
        &self,
        sub: &UserSub,
        email: Option<&Email>,
    ) -> Result<Option<&'static str>, Problem> {
        let standing = if let Some(guest) = self.guests.find(sub).await? {
            if guest.authenticator.is_some() {
                return Ok(Some(
                    "sign in on the web page, where your authenticator is asked for",
                ));
            }
            guest.password_standing
        } else {
            let address = match email {
                Some(email) => self.guests.at(email).await?,
                None => None,
            };
            match address {
                Some(Address::Waiting(waiting))
                    if waiting.guest.registered_sub.as_ref() == Some(sub) =>
                {
                    waiting.guest.password_standing
                }
                Some(Address::Waiting(_) | Address::Claimed(_)) | None => {
                    PasswordStanding::Accepted
                }
            }
        };
        Ok(match standing {
            PasswordStanding::Accepted => None,
            PasswordStanding::Unproven | PasswordStanding::Replaced => {
                Some("confirm your address or set a new password on the web page first")
            }
        })
    }
}
