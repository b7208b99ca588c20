//! The operations of an administrator on users.

use local_kit::DAY;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::own_account::shown_factors;
use super::software_token::show_preference;
use crate::attribute::{Attribute, check_attributes};
use crate::custom_message::{self, Occurrence};
use crate::mail::Mail;
use crate::options::AddressClash;
use crate::password::NewPassword;
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::session::Purpose;
use crate::srp::Identity;
use crate::tokens;
use crate::trigger::Metadata;
use crate::user::{Failures, User, UserStatus};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    user_pool_id: String,
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateInput {
    user_pool_id: String,
    username: String,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    temporary_password: Option<String>,
    #[serde(default)]
    force_alias_creation: bool,
    message_action: Option<MessageAction>,
    #[serde(default)]
    desired_delivery_mediums: Vec<String>,
    client_metadata: Option<Metadata>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MessageAction {
    Resend,
    Suppress,
}

/// `AdminCreateUser`: passwordless and confirmed if the pool has a passwordless factor and the
/// request has no password.
pub(super) async fn create(service: &Service, input: &CreateInput) -> Result<Value, Refusal> {
    let pool = service
        .store
        .read(|connection| Pool::find(connection, &input.user_pool_id))?;
    let policy = &pool.settings.policies.password_policy;
    let given = input
        .temporary_password
        .as_deref()
        .filter(|password| !password.is_empty());
    if let Some(password) = given {
        policy.check(password)?;
    }
    let resend = input.message_action == Some(MessageAction::Resend);
    let now = service.now();
    let mut user = if resend {
        let existing = service
            .store
            .read(|connection| User::find(connection, &pool, &input.username))?;
        if existing.status != UserStatus::ForceChangePassword {
            return Err(Refusal::new(
                Exception::UnsupportedUserState,
                "Resend not possible. User's current status is not FORCE_CHANGE_PASSWORD",
            ));
        }
        existing
    } else {
        check_attributes(&pool.settings.schema, &input.user_attributes)?;
        User::new(
            service.random(),
            &pool,
            &input.username,
            &input.user_attributes,
            now,
        )?
    };
    let passwordless = given.is_none() && !resend && pool.settings.allows_factor("EMAIL_OTP");
    let password = if passwordless {
        None
    } else {
        Some(given.map_or_else(|| policy.temporary(service.random()), str::to_owned))
    };
    let kept = match &password {
        Some(password) => {
            let identity = Identity::new(&pool.id, &user.username);
            Some(NewPassword::of(password, identity, service.random()).await?)
        }
        None => None,
    };
    let temporary_until = kept
        .is_some()
        .then(|| now + policy.temporary_password_validity_days * DAY);

    let user = service.store.change(now, |transaction| {
        if resend {
            let mut user = User::find(transaction, &pool, &user.username)?;
            if let Some(kept) = kept {
                user.take_password(kept, policy);
            }
            user.temporary_until = temporary_until;
            user.save(transaction, &pool, now, false)?;
            return Ok(user);
        }
        if let Some(kept) = kept {
            user.status = UserStatus::ForceChangePassword;
            user.take_password(kept, policy);
        } else if user.email().is_some() {
            user.status = UserStatus::Confirmed;
        } else {
            return Err(Refusal::invalid(
                "User must have an email attribute to be created without a password.",
            ));
        }
        user.temporary_until = temporary_until;
        let unforced = user.clone();
        match unforced.insert(transaction, &pool, "User account already exists") {
            Err(refusal)
                if refusal.exception == Exception::AliasExists && input.force_alias_creation =>
            {
                user.save(transaction, &pool, now, true)?;
            }
            outcome @ (Ok(()) | Err(_)) => outcome?,
        }
        Ok(user)
    })?;

    let wanted = input
        .desired_delivery_mediums
        .iter()
        .any(|medium| medium == "EMAIL")
        || input.desired_delivery_mediums.is_empty();
    if input.message_action != Some(MessageAction::Suppress)
        && wanted
        && let (Some(email), Some(password)) = (user.email(), &password)
    {
        let why = (Occurrence::AdminCreateUser, input.client_metadata.as_ref());
        let mail = Mail::temporary_password(email, &user.username, password);
        custom_message::send(service, &pool, None, &user, why, mail).await?;
    }
    Ok(json!({"User": user.shown("Attributes")}))
}

pub(super) fn get(service: &Service, input: &Named) -> Result<Value, Refusal> {
    service.store.read(|connection| {
        let pool = Pool::find(connection, &input.user_pool_id)?;
        let user = User::find(connection, &pool, &input.username)?;
        let mut shown = user.shown("UserAttributes");
        show_preference(&user, &mut shown);
        Ok(shown)
    })
}

/// `AdminGetUserAuthFactors`.
pub(super) fn auth_factors(service: &Service, input: &Named) -> Result<Value, Refusal> {
    service.store.read(|connection| {
        let pool = Pool::find(connection, &input.user_pool_id)?;
        let user = User::find(connection, &pool, &input.username)?;
        Ok(shown_factors(&pool, &user))
    })
}

pub(super) fn delete(service: &Service, input: &Named) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        User::find(transaction, &pool, &input.username)?.delete(transaction, &pool)
    })?;
    Ok(json!({}))
}

/// Changes a user in one transaction.
fn change(
    service: &Service,
    named: &Named,
    change: impl FnOnce(&Connection, &Pool, &mut User) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    let now = service.now();
    service.store.change(now, |transaction| {
        let pool = Pool::find(transaction, &named.user_pool_id)?;
        let mut user = User::find(transaction, &pool, &named.username)?;
        change(transaction, &pool, &mut user)?;
        user.save(transaction, &pool, now, false)
    })?;
    Ok(json!({}))
}

/// Disabling ends the user's sign-ins too.
pub(super) fn disable(service: &Service, input: &Named) -> Result<Value, Refusal> {
    change(service, input, |connection, pool, user| {
        user.enabled = false;
        tokens::revoke_all(connection, pool, &user.username)
    })
}

pub(super) fn enable(service: &Service, input: &Named) -> Result<Value, Refusal> {
    change(service, input, |_, _, user| {
        user.enabled = true;
        Ok(())
    })
}

pub(super) fn confirm_sign_up(service: &Service, input: &Named) -> Result<Value, Refusal> {
    change(service, input, |_, _, user| {
        if user.status != UserStatus::Unconfirmed {
            return Err(Refusal::not_authorized(format!(
                "User cannot be confirmed. Current status is {}",
                user.status.name()
            )));
        }
        user.status = UserStatus::Confirmed;
        Ok(())
    })
}

/// `AdminResetUserPassword`: the old password ends, and a code for a new one is mailed.
pub(super) async fn reset_password(service: &Service, input: &Named) -> Result<Value, Refusal> {
    let now = service.now();
    let (mail, pool, user) = service.store.change(now, |transaction| {
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        let mut user = User::find(transaction, &pool, &input.username)?;
        let Some(email) = user
            .email()
            .filter(|_| user.email_verified())
            .map(str::to_owned)
        else {
            return Err(Refusal::invalid(
                "Cannot reset password for the user as there is no registered/verified email or phone_number",
            ));
        };
        if user.status != UserStatus::Confirmed && user.status != UserStatus::ResetRequired {
            return Err(Refusal::cannot_reset());
        }
        user.status = UserStatus::ResetRequired;
        user.save(transaction, &pool, now, false)?;
        let code = Purpose::ForgotPassword.issue(
            transaction,
            &pool.id,
            &user.username,
            service.random(),
            now,
        )?;
        Ok((Mail::reset_code(&email, &code), pool, user))
    })?;
    let why = (Occurrence::ForgotPassword, None);
    custom_message::send(service, &pool, None, &user, why, mail).await?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateAttributesInput {
    #[serde(flatten)]
    named: Named,
    user_attributes: Vec<Attribute>,
}

pub(super) fn update_attributes(
    service: &Service,
    input: &UpdateAttributesInput,
) -> Result<Value, Refusal> {
    let now = service.now();
    change(service, &input.named, |connection, pool, user| {
        check_attributes(&pool.settings.schema, &input.user_attributes)?;
        user.write(&input.user_attributes);
        match service.address_clash() {
            AddressClash::Moved if user.email_verified() => {
                user.take_email_over(connection, pool, now)
            }
            AddressClash::Moved | AddressClash::Refused => Ok(()),
        }
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteAttributesInput {
    #[serde(flatten)]
    named: Named,
    user_attribute_names: Vec<String>,
}

pub(super) fn delete_attributes(
    service: &Service,
    input: &DeleteAttributesInput,
) -> Result<Value, Refusal> {
    change(service, &input.named, |_, pool, user| {
        delete_from(pool, user, &input.user_attribute_names)
    })
}

pub(super) fn delete_from(pool: &Pool, user: &mut User, names: &[String]) -> Result<(), Refusal> {
    for name in names {
        if name == "sub" || (name == "email" && pool.settings.email_is_username()) {
            return Err(Refusal::invalid(format!(
                "Cannot delete the attribute {name}"
            )));
        }
        user.attributes.remove(name);
        if name == "email" {
            user.attributes.remove("email_verified");
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetPasswordInput {
    #[serde(flatten)]
    named: Named,
    password: String,
    #[serde(default)]
    permanent: bool,
}

pub(super) async fn set_password(
    service: &Service,
    input: &SetPasswordInput,
) -> Result<Value, Refusal> {
    let (pool, user) = service.store.read(|connection| {
        let pool = Pool::find(connection, &input.named.user_pool_id)?;
        let user = User::find(connection, &pool, &input.named.username)?;
        Ok((pool, user))
    })?;
    let policy = &pool.settings.policies.password_policy;
    policy.check(&input.password)?;
    if input.permanent {
        policy.check_history(&user, &input.password).await?;
    }
    let identity = Identity::new(&pool.id, &user.username);
    let kept = NewPassword::of(&input.password, identity, service.random()).await?;
    let now = service.now();
    change(service, &input.named, |_, _, user| {
        user.take_password(kept, policy);
        user.failures = Failures::default();
        if input.permanent {
            user.status = UserStatus::Confirmed;
            user.temporary_until = None;
        } else {
            user.status = UserStatus::ForceChangePassword;
            user.temporary_until = Some(now + policy.temporary_password_validity_days * DAY);
        }
        Ok(())
    })
}
