//! The authenticator: `AssociateSoftwareToken`, `VerifySoftwareToken` and the preference for it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pool::{MfaConfiguration, Pool};
use crate::refusal::{Exception, Refusal};
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

/// `AssociateSoftwareToken`, by an access token or in the middle of a sign-in that demands an authenticator.
pub(super) fn associate(service: &Service, input: &AssociateInput) -> Result<Value, Refusal> {
    let now = service.now();
    if let Some(access_token) = &input.access_token {
        let holder = tokens::holder(service, access_token)?;
        check_offered(&holder.pool)?;
        let token = SoftwareToken::new(service.random());
        let secret = token.secret_code();
        service.store.change(now, |transaction| {
            let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
            user.software_token = Some(token);
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

/// A pool without authenticators answers as AWS does where MFA is off.
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
}

/// `VerifySoftwareToken`: the first right code turns the authenticator on.
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
            user.software_token = Some(accept(user.software_token.take())?);
            user.save_quietly(transaction, &holder.pool)
        })?;
        return Ok(json!({"Status": "SUCCESS"}));
    }
    let text = input.session.as_deref().ok_or_else(neither)?;
    let session = continue_setup(service, text, |token| {
        let mut token = accept(token)?;
        // Whoever is made to set an authenticator up at sign-in is asked for it from then on.
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
    let others = [settings.sms, settings.email];
    if others.iter().flatten().any(|setting| setting.enabled) {
        return Err(Refusal::invalid(
            "User does not have delivery config set to turn on this MFA",
        ));
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
                }
                Some(_) | None if setting.enabled => {
                    return Err(Refusal::invalid("User has not verified software token mfa"));
                }
                Some(_) | None => {}
            }
        }
        user.save(transaction, &pool, now, false)
    })?;
    Ok(json!({}))
}

/// `UserMFASettingList` and `PreferredMfaSetting`, where there is something to say.
pub(super) fn show_preference(user: &User, shown: &mut Value) {
    if let Some(token) = user.software_token.as_ref().filter(|token| token.enabled) {
        shown["UserMFASettingList"] = json!(["SOFTWARE_TOKEN_MFA"]);
        if token.preferred {
            shown["PreferredMfaSetting"] = json!("SOFTWARE_TOKEN_MFA");
        }
    }
}
