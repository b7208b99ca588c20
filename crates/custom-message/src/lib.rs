//! The trigger that Cognito calls before it mails a code: it words the mail.
//!
//! Cognito never tells it the code. The mail holds Cognito's placeholder once, and Cognito puts the
//! code there. Cognito takes words only where the pool mails by SES, so a pool with Cognito's own
//! sender must not call this: Terraform wires it where there is a `mail_sender`.
//!
//! The language is the user's attribute `locale`, which the first sign-in sets from the browser's
//! `Accept-Language`, else the deployment's. A user whom others made, or who was there before, has
//! the deployment's until somebody sets `locale`.
//!
//! It calls nothing and refuses nothing. An event that it does not know goes back unchanged, and
//! Cognito then sends the pool's own words. If the function itself fails, Cognito sends no mail.

mod custom_message;

use auth_aws::{ConfigurationError, Environment, MailWords};
use auth_lambda::{Function, Trigger};
use serde_json::{Map, Value};

/// The function, wired to what it uses.
pub fn function(environment: &Environment) -> Result<Function, ConfigurationError> {
    Ok(Function::trigger(CustomMessage {
        words: MailWords::new(environment)?,
    }))
}

/// The trigger with its words.
struct CustomMessage {
    words: MailWords,
}

impl Trigger for CustomMessage {
    const NAME: &'static str = "custom-message";

    async fn respond(
        &self,
        mut event: Map<String, Value>,
    ) -> Result<Map<String, Value>, &'static str> {
        if let Some(mail) = self.word(&event)
            && let Some(Value::Object(response)) = event.get_mut("response")
        {
            response.insert("emailSubject".to_owned(), mail.subject.into());
            response.insert("emailMessage".to_owned(), mail.html.into());
        }
        Ok(event)
    }
}
