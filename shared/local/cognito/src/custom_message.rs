//! The custom message trigger: a mail in the words of a team's own function.

use serde_json::{Value, json};

use crate::mail::{Mail, PLACEHOLDER};
use crate::options::SignInMails;
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::trigger::{Metadata, Occasion};
use crate::user::User;

/// The app client in an event for a request of the Admin API that has none.
const NO_CLIENT: &str = "CLIENT_ID_NOT_APPLICABLE";

/// The longest message and subject that a function may answer with.
const LONGEST_MESSAGE: usize = 20_000;
const LONGEST_SUBJECT: usize = 140;

/// The occasion of a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurrence {
    AdminCreateUser,
    Authentication,
    ForgotPassword,
    ResendCode,
    SignUp,
    UpdateUserAttribute,
    VerifyUserAttribute,
}

impl Occurrence {
    fn source(self) -> &'static str {
        match self {
            Self::AdminCreateUser => "CustomMessage_AdminCreateUser",
            Self::Authentication => "CustomMessage_Authentication",
            Self::ForgotPassword => "CustomMessage_ForgotPassword",
            Self::ResendCode => "CustomMessage_ResendCode",
            Self::SignUp => "CustomMessage_SignUp",
            Self::UpdateUserAttribute => "CustomMessage_UpdateUserAttribute",
            Self::VerifyUserAttribute => "CustomMessage_VerifyUserAttribute",
        }
    }
}

/// Sends a mail to a user, in the words of the pool's trigger if it has one. Call this after the
/// mail's subject is stored, and never under the store's lock.
pub(crate) async fn send(
    service: &Service,
    pool: &Pool,
    client: Option<&str>,
    user: &User,
    (occurrence, metadata): (Occurrence, Option<&Metadata>),
    mut mail: Mail,
) -> Result<(), Refusal> {
    let is_asked = occurrence != Occurrence::Authentication
        || service.options.sign_in_mails == SignInMails::WordedByTrigger;
    if let Some(arn) = &pool.settings.lambda_config.custom_message
        && is_asked
    {
        let invites = occurrence == Occurrence::AdminCreateUser;
        let mut request = json!({
            "userAttributes": user.trigger_attributes(),
            "codeParameter": PLACEHOLDER,
            "linkParameter": "{##Click Here##}",
            "usernameParameter": invites.then_some("{username}"),
        });
        if let Some(metadata) = metadata {
            request["clientMetadata"] = json!(metadata);
        }
        let event = Occasion {
            version: "1",
            source: occurrence.source(),
            region: &service.options.region,
            pool: &pool.id,
            client: client.unwrap_or(NO_CLIENT),
            username: &user.username,
        }
        .event(
            &request,
            &json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        );
        let answer = service
            .functions
            .invoke("CustomMessage", arn, &event)
            .await?;
        word(&mut mail, &answer["response"], pool, &user.username)?;
    }
    service.send(mail);
    Ok(())
}

/// Takes the words that a function answered with. Cognito takes them only for mails that go out
/// through the pool's own SES.
fn word(mail: &mut Mail, response: &Value, pool: &Pool, username: &str) -> Result<(), Refusal> {
    let unusable = |what: &str| {
        Refusal::new(
            Exception::InvalidLambdaResponse,
            format!("CustomMessage answered with {what}."),
        )
    };
    let given = |name: &str| match &response[name] {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text.as_str())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(unusable("something else than text"))
        }
    };
    let (message, subject) = (given("emailMessage")?, given("emailSubject")?);
    if (message.is_some() || subject.is_some()) && !pool.settings.mails_by_ses() {
        return Err(unusable(
            "a mail, and the pool does not mail by its own SES",
        ));
    }
    if let Some(message) = message {
        if message.chars().count() > LONGEST_MESSAGE {
            return Err(unusable("a message of more than 20,000 characters"));
        }
        if !message.contains(PLACEHOLDER) {
            return Err(unusable("a message without the code parameter"));
        }
        mail.take_html(&message.replace("{username}", username));
    }
    if let Some(subject) = subject {
        if subject.chars().count() > LONGEST_SUBJECT {
            return Err(unusable("a subject of more than 140 characters"));
        }
        subject.clone_into(&mut mail.subject);
    }
    Ok(())
}
