//! The trigger that Cognito calls before it mails a code. It writes the mail's words.
//!
//! Cognito never passes it the code. The mail contains Cognito's placeholder once, and Cognito
//! replaces it by the code. Cognito accepts words only if the pool mails by SES, so a pool with
//! Cognito's own sender must not call this: Terraform wires it only with a `mail_sender`.
//!
//! The language is the user's attribute `locale`, which the first sign-in sets from the browser's
//! `Accept-Language`, else the deployment's. A user made elsewhere, or before Latchkey, has the
//! deployment's until the attribute `locale` is set.
//!
//! It makes no calls and refuses nothing. It returns an unknown event unchanged, and Cognito then
//! sends the pool's own words. If the function itself fails, Cognito sends no mail.

mod custom_message;

use auth_aws::{ConfigurationError, Environment, MailWords};
use auth_lambda::{Function, Trigger};
use serde_json::{Map, Value};

/// The function with its dependencies.
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
