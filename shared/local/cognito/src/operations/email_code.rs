//! The sign-in code by mail: sent to a user, or pretended for an unknown name.

use serde_json::{Value, json};

use crate::custom_message::{self, Occurrence};
use crate::mail::{Mail, masked};
use crate::place::{Context, Place};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{self, Step};
use crate::trigger::Metadata;
use crate::user::User;

/// Mails a sign-in code of eight digits, which this session alone takes.
pub(super) async fn send_code(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    context: Option<&Context>,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    place.count_code(service, Some(user), typed, context)?;
    let email = user.email().unwrap_or_default();
    let code = local_kit::digits(service.random(), 8);
    let step = Step::EmailOtp {
        code: session::hashed(&code),
    };
    let session = place.open_session(service, typed, Some(&user.username), step)?;
    let template = place.pool.settings.email_mfa_configuration.as_ref();
    let mail = Mail::sign_in_code(email, &code, template);
    let why = (Occurrence::Authentication, metadata);
    let client = Some(place.client.id.as_str());
    custom_message::send(service, &place.pool, client, user, why, mail).await?;
    Ok(email_challenge(&masked(email), &session))
}

/// The same answer for a code that is not mailed.
pub(super) fn pretend_code(
    service: &Service,
    place: &Place,
    typed: &str,
    context: Option<&Context>,
) -> Result<Value, Refusal> {
    place.count_code(service, None, typed, context)?;
    let code = local_kit::digits(service.random(), 8);
    let step = Step::EmailOtp {
        code: session::hashed(&code),
    };
    let session = place.open_session(service, typed, None, step)?;
    Ok(email_challenge(&masked(typed), &session))
}

fn email_challenge(destination: &str, session: &str) -> Value {
    json!({
        "ChallengeName": "EMAIL_OTP",
        "ChallengeParameters": {
            "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
            "CODE_DELIVERY_DESTINATION": destination,
        },
        "Session": session,
    })
}
