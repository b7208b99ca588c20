//! The step after the first factor of a sign-in: a new password, a second factor, or tokens.

use serde_json::{Value, json};

use super::completion::complete;
use crate::custom_message::{self, Occurrence};
use crate::mail::{Mail, masked};
use crate::place::Place;
use crate::pool::MfaConfiguration;
use crate::refusal::Refusal;
use crate::second_factor::SecondFactor;
use crate::service::Service;
use crate::session::{self, Step};
use crate::tokens::Reason;
use crate::trigger::Metadata;
use crate::user::{User, UserStatus};

/// Digits of a code as the second factor; as the first factor it has eight.
const CODE_DIGITS: usize = 6;

/// The step after a right password: a new one, an authenticator, or tokens.
pub(super) async fn after_first_factor(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    if user.status == UserStatus::ForceChangePassword {
        let session = place.open_session(
            service,
            typed,
            Some(&user.username),
            Step::NewPasswordRequired,
        )?;
        let missing: Vec<String> = user
            .missing_attributes(&place.pool.settings)
            .iter()
            .map(|name| format!("userAttributes.{name}"))
            .collect();
        return Ok(json!({
            "ChallengeName": "NEW_PASSWORD_REQUIRED",
            "ChallengeParameters": {
                "USER_ID_FOR_SRP": user.username,
                "requiredAttributes": serde_json::to_string(&missing)?,
                "userAttributes": serde_json::to_string(&user.attributes)?,
            },
            "Session": session,
        }));
    }
    second_factor_or_tokens(service, place, typed, user, Reason::SignIn, metadata).await
}

/// A JSON array as text, the form of `MFAS_CAN_CHOOSE` and `MFAS_CAN_SETUP`.
fn listed(factors: &[SecondFactor]) -> String {
    json!(
        factors
            .iter()
            .map(|factor| factor.name())
            .collect::<Vec<_>>()
    )
    .to_string()
}

/// The step after a proved password: the second factor if the user has one or needs one, otherwise
/// tokens.
pub(super) async fn second_factor_or_tokens(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    reason: Reason,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    let settings = &place.pool.settings;
    let factors = user.second_factors(settings);
    let preferred = factors.iter().copied().find(|factor| user.prefers(*factor));
    match (preferred, factors.as_slice()) {
        (Some(factor), _) => ask(service, place, typed, user, factor, metadata).await,
        (None, [only]) => ask(service, place, typed, user, *only, metadata).await,
        (None, []) if settings.mfa_configuration == MfaConfiguration::On => {
            let step = Step::MfaSetup { token: None };
            let session = place.open_session(service, typed, Some(&user.username), step)?;
            Ok(json!({
                "ChallengeName": "MFA_SETUP",
                "ChallengeParameters": {
                    "USER_ID_FOR_SRP": user.username,
                    "MFAS_CAN_SETUP": listed(&SecondFactor::of_pool(settings)),
                },
                "Session": session,
            }))
        }
        (None, []) => complete(service, place, user, reason, metadata).await,
        (None, several) => {
            let session =
                place.open_session(service, typed, Some(&user.username), Step::SelectMfaType)?;
            Ok(json!({
                "ChallengeName": "SELECT_MFA_TYPE",
                "ChallengeParameters": {
                    "USER_ID_FOR_SRP": user.username,
                    "MFAS_CAN_CHOOSE": listed(several),
                },
                "Session": session,
            }))
        }
    }
}

pub(super) async fn ask(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    factor: SecondFactor,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    match factor {
        SecondFactor::SoftwareToken => {
            let session =
                place.open_session(service, typed, Some(&user.username), Step::SoftwareTokenMfa)?;
            let device = user
                .software_token
                .as_ref()
                .and_then(|token| token.name.as_deref())
                .unwrap_or("My TOTP device");
            Ok(json!({
                "ChallengeName": "SOFTWARE_TOKEN_MFA",
                "ChallengeParameters": {
                    "USER_ID_FOR_SRP": user.username,
                    "FRIENDLY_DEVICE_NAME": device,
                },
                "Session": session,
            }))
        }
        SecondFactor::Email => {
            let email = user.email().unwrap_or_default();
            let code = local_kit::digits(service.random(), CODE_DIGITS);
            let step = Step::EmailMfa {
                code: session::hashed(&code),
            };
            let session = place.open_session(service, typed, Some(&user.username), step)?;
            let template = place.pool.settings.email_mfa_configuration.as_ref();
            let mail = Mail::sign_in_code(email, &code, template);
            let why = (Occurrence::Authentication, metadata);
            let client = Some(place.client.id.as_str());
            custom_message::send(service, &place.pool, client, user, why, mail).await?;
            Ok(json!({
                "ChallengeName": "EMAIL_OTP",
                "ChallengeParameters": {
                    "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
                    "CODE_DELIVERY_DESTINATION": masked(email),
                    "USER_ID_FOR_SRP": user.username,
                },
                "Session": session,
            }))
        }
    }
}
