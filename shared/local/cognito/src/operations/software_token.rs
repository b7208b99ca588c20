//! The authenticator, and the preference for it and for codes by email as second factor.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pool::{MfaConfiguration, Pool};
use crate::refusal::{Exception, Refusal};
use crate::second_factor::SecondFactor;
use crate::service::Service;
use crate::session::{Session, Step};
use crate::tokens;
use crate::totp::{Shown, SoftwareToken};
use crate::user::User;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssociateInput {
    access_token: Option<String>,
    session: Option<String>,
}

/// `AssociateSoftwareToken`, by an access token or in the middle of a sign-in that demands an
/// authenticator.
pub(super) fn associate(service: &Service, input: &AssociateInput) -> Result<Value, Refusal> {
    let now = service.now();
    if let Some(access_token) = &input.access_token {
        let holder = tokens::holder(service, access_token)?;
        check_offered(&holder.pool)?;
        let token = SoftwareToken::new(service.random());
        let secret = token.secret_code();
        service.store.change(now, |transaction| {
            let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
            user.pending_software_token = Some(token);
            user.save_quietly(transaction, &holder.pool)
        })?;
        return Ok(json!({"SecretCode": secret}));
    }
    let text = input.session.as_deref().ok_or_else(neither)?;
    let token = SoftwareToken::new(service.random());
    let secret = token.secret_code();
    let session = continue_setup(service, text, |_| Ok(token))?;
    Ok(json!({"SecretCode": secret, "Session": session}))
}

fn neither() -> Refusal {
    Refusal::invalid("Either AccessToken or Session must be given.")
}

/// A pool without authenticators gives AWS's answer for a pool without MFA.
fn check_offered(pool: &Pool) -> Result<(), Refusal> {
    if pool.settings.software_token_mfa && pool.settings.mfa_configuration != MfaConfiguration::Off
    {
        return Ok(());
    }
    Err(Refusal::new(
        Exception::SoftwareTokenMfaNotFound,
        "Software Token MFA has not been enabled by the userPool.",
    ))
}

/// Takes a session that waits for an authenticator one step on, and returns the next session.
fn continue_setup(
    service: &Service,
    text: &str,
    advance: impl FnOnce(Option<SoftwareToken>) -> Result<SoftwareToken, Refusal>,
) -> Result<String, Refusal> {
    let now = service.now();
    service.store.change(now, |transaction| {
        let found = Session::find(transaction, &service.session_key, text, now)?;
        let Step::MfaSetup { token } = found.session.step.clone() else {
            return Err(Session::invalid());
        };
        check_offered(&Pool::find(transaction, &found.session.pool)?)?;
        let mut next = found.session.clone();
        next.step = Step::MfaSetup {
            token: Some(advance(token)?),
        };
        found.consume(transaction)?;
        next.save(transaction, &service.session_key, service.random())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerifyInput {
    access_token: Option<String>,
    session: Option<String>,
    user_code: String,
    friendly_device_name: Option<String>,
}

/// `VerifySoftwareToken`: the first right code makes the authenticator the user's, in place of the
/// one before.
pub(super) fn verify(service: &Service, input: &VerifyInput) -> Result<Value, Refusal> {
    let now = service.now();
    let accept = |token: Option<SoftwareToken>| {
        let mut token = token.ok_or_else(|| {
            Refusal::new(
                Exception::SoftwareTokenMfaNotFound,
                "Software token MFA has not been associated with the user.",
            )
        })?;
        match token.accept(&input.user_code, now) {
            Shown::Right => {
                token.verified = true;
                token.name.clone_from(&input.friendly_device_name);
                Ok(token)
            }
            Shown::Wrong | Shown::UsedBefore => Err(Refusal::new(
                Exception::EnableSoftwareTokenMfa,
                "Code mismatch and fail enable Software Token MFA",
            )),
        }
    };
    if let Some(access_token) = &input.access_token {
        let holder = tokens::holder(service, access_token)?;
        check_offered(&holder.pool)?;
        service.store.change(now, |transaction| {
            let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
            let mut token = accept(user.pending_software_token.take())?;
            if let Some(before) = &user.software_token {
                token.enabled = before.enabled;
                token.preferred = before.preferred;
            }
            user.software_token = Some(token);
            user.save_quietly(transaction, &holder.pool)
        })?;
        return Ok(json!({"Status": "SUCCESS"}));
    }
    let text = input.session.as_deref().ok_or_else(neither)?;
    let session = continue_setup(service, text, |token| {
        let mut token = accept(token)?;
        // A user who had to set up an authenticator at sign-in is asked for it from then on.
        token.enabled = true;
        token.preferred = true;
        Ok(token)
    })?;
    Ok(json!({"Status": "SUCCESS", "Session": session}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PreferenceInput {
    access_token: String,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AdminPreferenceInput {
    user_pool_id: String,
    username: String,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(rename = "SoftwareTokenMfaSettings")]
    software_token: Option<Setting>,
    #[serde(rename = "SMSMfaSettings")]
    sms: Option<Setting>,
    #[serde(rename = "EmailMfaSettings")]
    email: Option<Setting>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Setting {
    enabled: bool,
    preferred_mfa: bool,
}

pub(super) fn set_preference(service: &Service, input: &PreferenceInput) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    prefer(
        service,
        &holder.pool.id,
        &holder.user.username,
        &input.settings,
    )
}

pub(super) fn admin_set_preference(
    service: &Service,
    input: &AdminPreferenceInput,
) -> Result<Value, Refusal> {
    prefer(
        service,
        &input.user_pool_id,
        &input.username,
        &input.settings,
    )
}

fn prefer(
    service: &Service,
    pool: &str,
    username: &str,
    settings: &Settings,
) -> Result<Value, Refusal> {
    if settings.sms.is_some_and(|setting| setting.enabled) {
        return Err(no_delivery());
    }
    let preferences = [settings.software_token, settings.email];
    if preferences
        .iter()
        .flatten()
        .filter(|setting| setting.enabled && setting.preferred_mfa)
        .count()
        > 1
    {
        return Err(Refusal::invalid("Only one MFA type can be preferred."));
    }
    let now = service.now();
    service.store.change(now, |transaction| {
        let pool = Pool::find(transaction, pool)?;
        let mut user = User::find(transaction, &pool, username)?;
        if let Some(setting) = settings.software_token {
            match &mut user.software_token {
                Some(token) if token.verified => {
                    token.enabled = setting.enabled;
                    token.preferred = setting.enabled && setting.preferred_mfa;
                    if token.preferred {
                        user.email_mfa.preferred = false;
                    }
                }
                Some(_) | None if setting.enabled => {
                    return Err(Refusal::invalid("User has not verified software token mfa"));
                }
                Some(_) | None => {}
            }
        }
        if let Some(setting) = settings.email {
            let offered = pool.settings.email_mfa_configuration.is_some()
                && pool.settings.mfa_configuration != MfaConfiguration::Off;
            if setting.enabled && !(offered && user.email().is_some()) {
                return Err(no_delivery());
            }
            user.email_mfa.enabled = setting.enabled;
            user.email_mfa.preferred = setting.enabled && setting.preferred_mfa;
            if let (true, Some(token)) = (user.email_mfa.preferred, &mut user.software_token) {
                token.preferred = false;
            }
        }
        user.save(transaction, &pool, now, false)
    })?;
    Ok(json!({}))
}

fn no_delivery() -> Refusal {
    Refusal::invalid("User does not have delivery config set to turn on this MFA")
}

/// `UserMFASettingList` and `PreferredMfaSetting`, if they have values.
pub(super) fn show_preference(user: &User, shown: &mut Value) {
    let token = user.software_token.as_ref();
    let settings = [
        (
            SecondFactor::SoftwareToken,
            token.is_some_and(|token| token.enabled),
            token.is_some_and(|token| token.preferred),
        ),
        (
            SecondFactor::Email,
            user.email_mfa.enabled,
            user.email_mfa.preferred,
        ),
    ];
    let enabled: Vec<&str> = settings
        .iter()
        .filter(|(_, enabled, _)| *enabled)
        .map(|(factor, _, _)| factor.name())
        .collect();
    if !enabled.is_empty() {
        shown["UserMFASettingList"] = json!(enabled);
    }
    if let Some((factor, _, _)) = settings.iter().find(|(_, _, preferred)| *preferred) {
        shown["PreferredMfaSetting"] = json!(factor.name());
    }
}
