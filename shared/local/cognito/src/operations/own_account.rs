//! The operations that an access token allows on its own account.

use serde::Deserialize;
use serde_json::{Value, json};

use super::admin_users::delete_from;
use super::password_proof::{Proof, prove};
use super::sign_up::check_writable;
use super::software_token::show_preference;
use crate::attribute::{Attribute, check_attributes};
use crate::custom_message::{self, Occurrence};
use crate::limits::Counted;
use crate::mail::{Mail, delivery_details, masked};
use crate::password::NewPassword;
use crate::place::Place;
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{Door, Purpose};
use crate::srp::Identity;
use crate::tokens::{self, Holder};
use crate::trigger::Metadata;
use crate::user::User;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    access_token: String,
}

pub(super) fn get(service: &Service, input: &Input) -> Result<Value, Refusal> {
    let Holder { user, .. } = tokens::holder(service, &input.access_token)?;
    let mut shown = json!({
        "Username": user.username,
        "UserAttributes": user.shown_attributes(),
    });
    show_preference(&user, &mut shown);
    Ok(shown)
}

pub(super) fn auth_factors(service: &Service, input: &Input) -> Result<Value, Refusal> {
    let Holder { pool, user, .. } = tokens::holder(service, &input.access_token)?;
    Ok(shown_factors(&pool, &user))
}

/// The answer of `GetUserAuthFactors` and of its Admin form.
pub(super) fn shown_factors(pool: &Pool, user: &User) -> Value {
    let mut shown = json!({
        "Username": user.username,
        "ConfiguredUserAuthFactors": user.configured_factors(&pool.settings),
    });
    show_preference(user, &mut shown);
    shown
}

pub(super) fn delete(service: &Service, input: &Input) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    service.store.change(service.now(), |transaction| {
        holder.user.delete(transaction, &holder.pool)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangePasswordInput {
    access_token: String,
    previous_password: Option<String>,
    proposed_password: String,
}

/// `ChangePassword`: it requires the old password if there is one, under the same lock as at
/// sign-in.
pub(super) async fn change_password(
    service: &Service,
    input: &ChangePasswordInput,
) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    Counted::ChangePassword.count(service, &holder.pool, &holder.user.username)?;
    let policy = holder.pool.settings.policies.password_policy.clone();
    policy.check(&input.proposed_password)?;
    let place = Place {
        pool: holder.pool,
        client: holder.client,
        door: Door::Public,
    };
    if holder.user.password.is_some() {
        let previous = input.previous_password.as_deref().unwrap_or_default();
        let proof = Proof::Password(previous);
        prove(service, &place, Some(&holder.user), proof).await?;
    }
    policy
        .check_history(&holder.user, &input.proposed_password)
        .await?;
    let identity = Identity::new(&place.pool.id, &holder.user.username);
    let kept = NewPassword::of(&input.proposed_password, identity, service.random()).await?;
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &place.pool, &holder.user.username)?;
        if user.password != holder.user.password {
            return Err(Refusal::incorrect_username_or_password());
        }
        user.take_password(kept, &policy);
        user.save(transaction, &place.pool, now, false)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateAttributesInput {
    access_token: String,
    user_attributes: Vec<Attribute>,
    client_metadata: Option<Metadata>,
}

/// `UpdateUserAttributes`: a new email is unverified. If the pool verifies emails, it gets a code.
pub(super) async fn update_attributes(
    service: &Service,
    input: &UpdateAttributesInput,
) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    check_attributes(&holder.pool.settings.schema, &input.user_attributes)?;
    let place = Place {
        pool: holder.pool,
        client: holder.client,
        door: Door::Public,
    };
    check_writable(&place, &input.user_attributes)?;
    let now = service.now();
    let mail = service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &place.pool, &holder.user.username)?;
        let before = user.email().map(str::to_owned);
        user.write(&input.user_attributes);
        user.save(transaction, &place.pool, now, false)?;
        let Some(email) = user
            .email()
            .filter(|email| Some(*email) != before.as_deref())
            .filter(|_| place.pool.settings.verifies_email())
            .map(str::to_owned)
        else {
            return Ok(None);
        };
        let code = Purpose::VerifyEmail.issue(
            transaction,
            &place.pool.id,
            &user.username,
            service.random(),
            now,
        )?;
        Ok(Some((Mail::verification_code(&email, &code), user)))
    })?;
    let mut details = Vec::new();
    if let Some((mail, user)) = mail {
        details.push(delivery_details(&masked(&mail.to)));
        let metadata = input.client_metadata.as_ref();
        let why = (Occurrence::UpdateUserAttribute, metadata);
        let client = Some(place.client.id.as_str());
        custom_message::send(service, &place.pool, client, &user, why, mail).await?;
    }
    Ok(json!({"CodeDeliveryDetailsList": details}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteAttributesInput {
    access_token: String,
    user_attribute_names: Vec<String>,
}

pub(super) fn delete_attributes(
    service: &Service,
    input: &DeleteAttributesInput,
) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
        delete_from(&holder.pool, &mut user, &input.user_attribute_names)?;
        user.save(transaction, &holder.pool, now, false)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendCodeInput {
    access_token: String,
    attribute_name: String,
    client_metadata: Option<Metadata>,
}

/// `GetUserAttributeVerificationCode`.
pub(super) async fn send_code(service: &Service, input: &SendCodeInput) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    let email = holder
        .user
        .email()
        .filter(|_| input.attribute_name == "email")
        .ok_or_else(|| Refusal::invalid("Attribute is not set or cannot be verified."))?;
    Counted::AttributeVerificationCode.count(service, &holder.pool, &holder.user.username)?;
    let now = service.now();
    let code = service.store.change(now, |transaction| {
        Purpose::VerifyEmail.issue(
            transaction,
            &holder.pool.id,
            &holder.user.username,
            service.random(),
            now,
        )
    })?;
    let mail = Mail::verification_code(email, &code);
    let why = (
        Occurrence::VerifyUserAttribute,
        input.client_metadata.as_ref(),
    );
    let client = Some(holder.client.id.as_str());
    custom_message::send(service, &holder.pool, client, &holder.user, why, mail).await?;
    Ok(json!({"CodeDeliveryDetails": delivery_details(&masked(email))}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerifyInput {
    access_token: String,
    attribute_name: String,
    code: String,
}

/// `VerifyUserAttribute`.
pub(super) fn verify_email(service: &Service, input: &VerifyInput) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    if input.attribute_name != "email" {
        return Err(Refusal::invalid(
            "Attribute is not set or cannot be verified.",
        ));
    }
    Counted::VerifyAttribute.count(service, &holder.pool, &holder.user.username)?;
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
        Purpose::VerifyEmail.redeem(
            transaction,
            &holder.pool.id,
            &user.username,
            &input.code,
            now,
        )?;
        user.write(&[Attribute {
            name: "email_verified".to_owned(),
            value: "true".to_owned(),
        }]);
        user.save(transaction, &holder.pool, now, false)
    })?;
    Ok(json!({}))
}
