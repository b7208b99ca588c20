//! The decision: the mail for an event, and its language.

use auth_domain::{CodeMail, Language, Mail};
use serde_json::{Map, Value};

use crate::CustomMessage;

/// Cognito refuses a longer message, and then sends no mail.
const LONGEST_MESSAGE: usize = 20_000;

/// Cognito refuses a longer subject.
const LONGEST_SUBJECT: usize = 140;

impl CustomMessage {
    /// The mail; `None` if the pool's own words are better than a refusal.
    pub(crate) fn word(&self, event: &Map<String, Value>) -> Option<Mail> {
        let source = event.get("triggerSource").and_then(Value::as_str)?;
        let Some(kind) = kind(source) else {
            tracing::info!(source, "the pool's own words are sent");
            return None;
        };
        let request = event.get("request")?;
        let placeholder = request.get("codeParameter").and_then(Value::as_str)?;
        let language = request
            .get("userAttributes")
            .and_then(|attributes| attributes.get("locale")?.as_str())
            .and_then(Language::of_tag);
        match self.words.code(kind, placeholder, language) {
            Ok(mail) if fits(&mail, placeholder) => Some(mail),
            Ok(_) => {
                tracing::error!(source, "Cognito would not take this mail");
                None
            }
            Err(report) => {
                tracing::error!(source, error = report.chain(), "no mail was worded");
                None
            }
        }
    }
}

/// The mail of a trigger source (developer guide, "Custom message Lambda trigger"). An invitation
/// contains a temporary password, which Latchkey never sends.
fn kind(source: &str) -> Option<CodeMail> {
    match source {
        "CustomMessage_Authentication" => Some(CodeMail::SignIn),
        "CustomMessage_SignUp" | "CustomMessage_ResendCode" => Some(CodeMail::Registration),
        "CustomMessage_ForgotPassword" => Some(CodeMail::Recovery),
        "CustomMessage_UpdateUserAttribute" | "CustomMessage_VerifyUserAttribute" => {
            Some(CodeMail::Address)
        }
        _ => None,
    }
}

fn fits(mail: &Mail, placeholder: &str) -> bool {
    !placeholder.is_empty()
        && mail.html.matches(placeholder).count() == 1
        && mail.html.chars().count() <= LONGEST_MESSAGE
        && mail.subject.chars().count() <= LONGEST_SUBJECT
}
