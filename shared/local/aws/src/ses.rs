//! SES v2: accepts simple mails and passes them on; no mail ever leaves the machine.

use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::Account;
use crate::refusal::{Refusal, input};

/// SES's maximum of recipients in one call.
const MOST_RECIPIENTS: usize = 50;

/// A mail that SES accepted.
#[derive(Clone)]
pub struct Mail {
    /// The `MessageId` that the sender was given.
    pub message_id: String,
    /// The sender, as written.
    pub from: String,
    /// Every recipient: To, Cc and Bcc.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text, if there is one.
    pub text: Option<String>,
    /// The HTML, if there is any.
    pub html: Option<String>,
    /// The addresses for answers.
    pub reply_to: Vec<String>,
    /// The configuration set that it names.
    pub configuration_set: Option<String>,
    /// When it was accepted.
    pub sent_at: SystemTime,
}

/// Addresses and contents are personal: only the id shows.
impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mail")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendEmail {
    from_email_address: Option<String>,
    destination: Option<Destination>,
    content: Content,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    configuration_set_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    simple: Option<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Message {
    subject: Text,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    data: String,
    #[serde(rename = "Charset")]
    _charset: Option<String>,
}

pub(crate) fn serve(account: &Account, body: Value) -> Result<Value, Refusal> {
    let request: SendEmail = input(body)
        .map_err(|_| bad_request("the request has members that SendEmail lacks, or lacks some"))?;
    let message = request.content.simple.ok_or_else(|| {
        bad_request("Content must be Simple: Raw and Template are not served here")
    })?;
    let from = request
        .from_email_address
        .filter(|from| !from.is_empty())
        .ok_or_else(|| bad_request("Missing required member: FromEmailAddress"))?;
    let destination = request.destination.unwrap_or_default();
    let to = [destination.to, destination.cc, destination.bcc].concat();
    if to.is_empty() || to.len() > MOST_RECIPIENTS {
        return Err(bad_request("a mail has 1 to 50 recipients"));
    }
    for address in to.iter().chain(&request.reply_to_addresses).chain([&from]) {
        check_address(address)?;
    }
    if message.subject.data.contains(['\r', '\n']) {
        return Err(bad_request("Header fields must not contain newlines."));
    }
    let (text, html) = (
        message.body.text.map(|text| text.data),
        message.body.html.map(|html| html.data),
    );
    if text.is_none() && html.is_none() {
        return Err(bad_request("The body has neither Text nor Html"));
    }
    let message_id = account.new_uuid();
    (account.mail)(Mail {
        message_id: message_id.clone(),
        from,
        to,
        subject: message.subject.data,
        text,
        html,
        reply_to: request.reply_to_addresses,
        configuration_set: request.configuration_set_name,
        sent_at: (account.clock)(),
    });
    Ok(json!({ "MessageId": message_id }))
}

/// SES refuses addresses outside ASCII (RFC 6531 is not supported) and addresses that would break a
/// header.
fn check_address(address: &str) -> Result<(), Refusal> {
    let usable = address.is_ascii()
        && address.contains('@')
        && !address.chars().any(|c| c.is_ascii_control());
    usable
        .then_some(())
        .ok_or_else(|| bad_request("Invalid email address."))
}

fn bad_request(message: &str) -> Refusal {
    Refusal::new("BadRequestException", message)
}
