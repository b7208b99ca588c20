//! `ForgotPassword` and `ConfirmForgotPassword`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::sign_up::find_or_pretend;
use crate::custom_message::{self, Occurrence};
use crate::limits::Counted;
use crate::mail::{Mail, delivery_details, masked};
use crate::password::NewPassword;
use crate::place::Place;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::session::{Door, Purpose};
use crate::srp::Identity;
use crate::trigger::Metadata;
use crate::user::{Failures, User, UserStatus};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ForgotInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    client_metadata: Option<Metadata>,
}

/// `ForgotPassword`. If unknown users are hidden, an unknown name, a disabled user and an
/// unverified address also get a code, which is not mailed. So the next step shows no difference
/// either.
pub(super) async fn forgot(service: &Service, input: &ForgotInput) -> Result<Value, Refusal> {
    let place = Place::find(service, Door::Public, None, &input.client_id)?;
    let user = find_or_pretend(
        service,
        &place,
        &input.username,
        input.secret_hash.as_deref(),
    )?;
    place.count(
        service,
        Counted::ForgotPassword,
        user.as_ref(),
        &input.username,
    )?;
    let hides = place.client.settings.hides_unknown_users();
    let disabled = user.as_ref().is_some_and(|user| !user.enabled);
    if disabled && !hides {
        return Err(Refusal::user_disabled());
    }
    if user
        .as_ref()
        .is_some_and(|user| user.status == UserStatus::ForceChangePassword)
    {
        return Err(Refusal::cannot_reset());
    }
    let reachable = user
        .as_ref()
        .filter(|user| user.email_verified() && !disabled)
        .and_then(|user| user.email().map(|email| (user, email)));
    if reachable.is_none() && !hides {
        return Err(Refusal::invalid(
            "Cannot reset password for the user as there is no registered/verified email or phone_number",
        ));
    }
    let folded = place.pool.settings.folded(&input.username);
    let name = user.as_ref().map_or(folded.as_str(), |user| &user.username);
    let now = service.now();
    let code = service.store.change(now, |transaction| {
        Purpose::ForgotPassword.issue(transaction, &place.pool.id, name, service.random(), now)
    })?;
    let destination = if let Some((user, email)) = reachable {
        let why = (Occurrence::ForgotPassword, input.client_metadata.as_ref());
        let mail = Mail::reset_code(email, &code);
        let client = Some(place.client.id.as_str());
        custom_message::send(service, &place.pool, client, user, why, mail).await?;
        masked(email)
    } else {
        masked(&input.username)
    };
    Ok(json!({"CodeDeliveryDetails": delivery_details(&destination)}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConfirmInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    password: String,
}

pub(super) async fn confirm(service: &Service, input: &ConfirmInput) -> Result<Value, Refusal> {
    let place = Place::find(service, Door::Public, None, &input.client_id)?;
    let user = find_or_pretend(
        service,
        &place,
        &input.username,
        input.secret_hash.as_deref(),
    )?;
    place.count(
        service,
        Counted::ConfirmForgotPassword,
        user.as_ref(),
        &input.username,
    )?;
    let policy = &place.pool.settings.policies.password_policy;
    policy.check(&input.password)?;
    let username = user.as_ref().map_or("", |user| &user.username);
    let identity = Identity::new(&place.pool.id, username);
    let kept = NewPassword::of(&input.password, identity, service.random()).await?;
    let repeated = match &user {
        Some(user) => policy.check_history(user, &input.password).await,
        None => Ok(()),
    };
    let now = service.now();
    let redeem = |connection: &rusqlite::Connection, name: &str| {
        Purpose::ForgotPassword.redeem(
            connection,
            &place.pool.id,
            name,
            &input.confirmation_code,
            now,
        )
    };
    service.store.change(now, |transaction| {
        let Some(user) = &user else {
            let folded = place.pool.settings.folded(&input.username);
            redeem(transaction, &folded)?;
            return Err(Refusal::wrong_verification_code());
        };
        let mut user = User::find(transaction, &place.pool, &user.username)?;
        if !user.enabled {
            if !place.client.settings.hides_unknown_users() {
                return Err(Refusal::user_disabled());
            }
            redeem(transaction, &user.username)?;
            return Err(Refusal::wrong_verification_code());
        }
        if user.status == UserStatus::Unconfirmed {
            return Err(Refusal::new(
                Exception::UserNotConfirmed,
                "User is not confirmed.",
            ));
        }
        redeem(transaction, &user.username)?;
        repeated?;
        user.take_password(kept, policy);
        user.status = UserStatus::Confirmed;
        user.temporary_until = None;
        user.failures = Failures::default();
        user.save(transaction, &place.pool, now, false)
    })?;
    Ok(json!({}))
}
