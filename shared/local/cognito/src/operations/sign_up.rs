//! `SignUp`, `ConfirmSignUp` and `ResendConfirmationCode`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::attribute::{Attribute, check_attributes};
use crate::custom_message::{self, Occurrence};
use crate::limits::Counted;
use crate::mail::{Mail, delivery_details, masked};
use crate::password::NewPassword;
use crate::place::Place;
use crate::refusal::{Exception, Refusal};
use crate::service::{Service, check_secret_hash};
use crate::session::{Door, Purpose, Session, Step};
use crate::srp::Identity;
use crate::trigger::Metadata;
use crate::user::{User, UserStatus};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SignUpInput {
    client_id: String,
    username: String,
    password: Option<String>,
    secret_hash: Option<String>,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    client_metadata: Option<Metadata>,
}

pub(super) async fn sign_up(service: &Service, input: &SignUpInput) -> Result<Value, Refusal> {
    let place = Place::find(service, Door::Public, None, &input.client_id)?;
    let settings = &place.pool.settings;
    check_secret_hash(
        &place.client,
        input.secret_hash.as_deref(),
        &input.username,
        None,
    )?;
    if settings
        .admin_create_user_config
        .allow_admin_create_user_only
    {
        return Err(Refusal::not_authorized(
            "SignUp is not permitted for this user pool",
        ));
    }
    check_attributes(&settings.schema, &input.user_attributes)?;
    check_writable(&place, &input.user_attributes)?;
    let password = input
        .password
        .as_deref()
        .filter(|password| !password.is_empty());
    let now = service.now();
    let mut user = User::new(
        service.random(),
        &place.pool,
        &input.username,
        &input.user_attributes,
        now,
    )?;
    if let Some(name) = user.missing_attributes(settings).first() {
        return Err(Refusal::invalid(format!(
            "Attributes did not conform to the schema: {name}: The attribute is required"
        )));
    }
    let policy = &settings.policies.password_policy;
    match password {
        Some(password) => {
            policy.check(password)?;
            let identity = Identity::new(&place.pool.id, &user.username);
            let kept = NewPassword::of(password, identity, service.random()).await?;
            user.take_password(kept, policy);
        }
        None if !settings.allows_factor("EMAIL_OTP") => {
            return Err(Refusal::missing_parameter("PASSWORD"));
        }
        None if user.email().is_none() => {
            return Err(Refusal::invalid(
                "User must have an email attribute to sign up without a password.",
            ));
        }
        None => {}
    }
    let (user, code) = service.store.change(now, |transaction| {
        user.insert(transaction, &place.pool, "User already exists")?;
        let code = if settings.verifies_email() && user.email().is_some() {
            Some(Purpose::SignUp.issue(
                transaction,
                &place.pool.id,
                &user.username,
                service.random(),
                now,
            )?)
        } else {
            None
        };
        Ok((user, code))
    })?;
    let session = place.open_session(
        service,
        &input.username,
        Some(&user.username),
        Step::SignedUp,
    )?;
    let mut answer = json!({
        "UserConfirmed": false,
        "UserSub": user.sub,
        "Session": session,
    });
    if let (Some(code), Some(email)) = (code, user.email()) {
        let why = (Occurrence::SignUp, input.client_metadata.as_ref());
        let mail = Mail::verification_code(email, &code);
        let client = Some(place.client.id.as_str());
        custom_message::send(service, &place.pool, client, &user, why, mail).await?;
        answer["CodeDeliveryDetails"] = delivery_details(&masked(email));
    }
    Ok(answer)
}

/// Checks attributes that people write about themselves: only those that the app client may write,
/// and never that an address is verified.
pub(super) fn check_writable(place: &Place, attributes: &[Attribute]) -> Result<(), Refusal> {
    let writable = place.client.settings.write_attributes.as_ref();
    for attribute in attributes {
        let allowed = !attribute.name.ends_with("_verified")
            && writable.is_none_or(|names| names.contains(&attribute.name));
        if !allowed {
            return Err(Refusal::not_authorized(
                "A client attempted to write unauthorized attribute",
            ));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConfirmInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    #[serde(default)]
    force_alias_creation: bool,
    session: Option<String>,
}

/// `ConfirmSignUp`. With the session of `SignUp` it gives one back that `InitiateAuth` takes
/// instead of another code.
pub(super) fn confirm(service: &Service, input: &ConfirmInput) -> Result<Value, Refusal> {
    let place = Place::find(service, Door::Public, None, &input.client_id)?;
    let now = service.now();
    let user = find_or_pretend(
        service,
        &place,
        &input.username,
        input.secret_hash.as_deref(),
    )?;
    place.count(
        service,
        Counted::ConfirmSignUp,
        user.as_ref(),
        &input.username,
    )?;
    let Some(user) = user else {
        return Err(Refusal::wrong_verification_code());
    };
    let confirmed = service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &place.pool, &user.username)?;
        if user.status != UserStatus::Unconfirmed {
            return Err(Refusal::not_authorized(format!(
                "User cannot be confirmed. Current status is {}",
                user.status.name()
            )));
        }
        Purpose::SignUp.redeem(
            transaction,
            &place.pool.id,
            &user.username,
            &input.confirmation_code,
            now,
        )?;
        let with_session = match &input.session {
            None => false,
            Some(text) => {
                let found = Session::find(transaction, &service.session_key, text, now)?;
                let fits = matches!(found.session.step, Step::SignedUp)
                    && found.session.client == place.client.id
                    && found.session.username.as_deref() == Some(&user.username);
                if !fits {
                    return Err(Session::invalid());
                }
                found.consume(transaction)?;
                true
            }
        };
        user.email_was_proved();
        user.save(transaction, &place.pool, now, input.force_alias_creation)?;
        Ok(with_session)
    })?;
    if !confirmed {
        return Ok(json!({}));
    }
    let session = place.open_session(
        service,
        &input.username,
        Some(&user.username),
        Step::Confirmed,
    )?;
    Ok(json!({"Session": session}))
}

/// The user of a typed name. For an unknown one: `None` if the app client hides that, otherwise an
/// error.
pub(super) fn find_or_pretend(
    service: &Service,
    place: &Place,
    typed: &str,
    secret_hash: Option<&str>,
) -> Result<Option<User>, Refusal> {
    let user = service
        .store
        .read(|connection| User::look_for(connection, &place.pool, typed))?;
    check_secret_hash(&place.client, secret_hash, typed, user.as_ref())?;
    if user.is_none() && !place.client.settings.hides_unknown_users() {
        return Err(Refusal::user_not_found());
    }
    Ok(user)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResendInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    client_metadata: Option<Metadata>,
}

pub(super) async fn resend(service: &Service, input: &ResendInput) -> Result<Value, Refusal> {
    let place = Place::find(service, Door::Public, None, &input.client_id)?;
    let user = find_or_pretend(
        service,
        &place,
        &input.username,
        input.secret_hash.as_deref(),
    )?;
    place.count(
        service,
        Counted::ResendConfirmationCode,
        user.as_ref(),
        &input.username,
    )?;
    let hides = place.client.settings.hides_unknown_users();
    let Some(user) = user.filter(|user| user.enabled || !hides) else {
        return Ok(json!({"CodeDeliveryDetails": delivery_details(&masked(&input.username))}));
    };
    if !user.enabled {
        return Err(Refusal::user_disabled());
    }
    if user.status != UserStatus::Unconfirmed {
        return Err(Refusal::invalid("User is already confirmed."));
    }
    let Some(email) = user.email() else {
        return Err(Refusal::new(
            Exception::InvalidParameter,
            "Cannot resend codes. Auto verification not turned on.",
        ));
    };
    let now = service.now();
    let code = service.store.change(now, |transaction| {
        Purpose::SignUp.issue(
            transaction,
            &place.pool.id,
            &user.username,
            service.random(),
            now,
        )
    })?;
    let why = (Occurrence::ResendCode, input.client_metadata.as_ref());
    let mail = Mail::verification_code(email, &code);
    let client = Some(place.client.id.as_str());
    custom_message::send(service, &place.pool, client, &user, why, mail).await?;
    Ok(json!({"CodeDeliveryDetails": delivery_details(&masked(email))}))
}
