//! The passkeys of an access token's holder: registered, listed and deleted. These operations have
//! no Admin form.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::passkey::{self, MOST, Passkey};
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::tokens::{self, Holder};
use crate::user::{User, UserStatus};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartInput {
    access_token: String,
}

/// `StartWebAuthnRegistration`: the options are a document. A second one replaces the first.
pub(super) fn start(service: &Service, input: &StartInput) -> Result<Value, Refusal> {
    let holder = holder(service, &input.access_token)?;
    enabled(&holder.pool)?;
    let relying_party = service.relying_party(&holder.pool)?.ok_or_else(|| {
        Refusal::new(
            Exception::WebAuthnConfigurationMissing,
            "The user pool has neither a relying party id nor a domain.",
        )
    })?;
    let verification = holder.pool.settings.user_verification();
    let now = service.now();
    let options = service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
        room_for_another(&user)?;
        let (begun, options) = passkey::begin_registration(
            &user,
            &holder.client.id,
            &relying_party,
            verification,
            now,
        )?;
        user.passkey_begun = Some(begun);
        user.save_quietly(transaction, &holder.pool)?;
        Ok(options)
    })?;
    Ok(json!({"CredentialCreationOptions": options}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CompleteInput {
    access_token: String,
    credential: Value,
}

/// `CompleteWebAuthnRegistration`: any answer uses the challenge up.
pub(super) fn complete(service: &Service, input: &CompleteInput) -> Result<Value, Refusal> {
    let holder = holder(service, &input.access_token)?;
    enabled(&holder.pool)?;
    let relying_party = service.relying_party(&holder.pool)?;
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
        let outcome = registered(&mut user, &holder, relying_party.as_deref(), input, now);
        user.save_quietly(transaction, &holder.pool)?;
        Ok(outcome)
    })??;
    Ok(json!({}))
}

fn registered(
    user: &mut User,
    holder: &Holder,
    relying_party: Option<&str>,
    input: &CompleteInput,
    now: i64,
) -> Result<(), Refusal> {
    let begun = user
        .passkey_begun
        .take()
        .filter(|begun| now < begun.expires)
        .ok_or_else(|| {
            Refusal::new(
                Exception::WebAuthnChallengeNotFound,
                "The challenge of the credential was not found.",
            )
        })?;
    if begun.client != holder.client.id {
        return Err(Refusal::new(
            Exception::WebAuthnClientMismatch,
            "The registration was begun with another app client.",
        ));
    }
    if relying_party != Some(&begun.relying_party) {
        return Err(Refusal::new(
            Exception::WebAuthnRelyingPartyMismatch,
            "The credential is of another relying party.",
        ));
    }
    room_for_another(user)?;
    let passkey = passkey::finish_registration(&begun, &input.credential, now)?;
    if user.passkeys.iter().any(|known| known.id == passkey.id) {
        return Err(Refusal::invalid("The credential is already registered."));
    }
    user.passkeys.push(passkey);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    access_token: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// `ListWebAuthnCredentials`.
pub(super) fn list(service: &Service, input: &ListInput) -> Result<Value, Refusal> {
    let Holder { user, .. } = holder(service, &input.access_token)?;
    let from = match &input.next_token {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| Refusal::invalid("Invalid pagination token."))?,
    };
    let most = input.max_results.filter(|most| *most != 0).unwrap_or(MOST);
    let shown: Vec<Value> = user
        .passkeys
        .iter()
        .skip(from)
        .take(most)
        .map(Passkey::shown)
        .collect();
    let next = from + shown.len();
    let mut answer = json!({"Credentials": shown});
    if next < user.passkeys.len() {
        answer["NextToken"] = json!(next.to_string());
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    access_token: String,
    credential_id: String,
}

/// `DeleteWebAuthnCredential`.
pub(super) fn delete(service: &Service, input: &DeleteInput) -> Result<Value, Refusal> {
    let holder = holder(service, &input.access_token)?;
    service.store.change(service.now(), |transaction| {
        let mut user = User::find(transaction, &holder.pool, &holder.user.username)?;
        let before = user.passkeys.len();
        user.passkeys
            .retain(|passkey| passkey.id != input.credential_id);
        if user.passkeys.len() == before {
            return Err(Refusal::new(
                Exception::ResourceNotFound,
                "The credential does not exist.",
            ));
        }
        user.save_quietly(transaction, &holder.pool)
    })?;
    Ok(json!({}))
}

fn holder(service: &Service, token: &str) -> Result<Holder, Refusal> {
    let holder = tokens::holder(service, token)?;
    if holder.user.status == UserStatus::ResetRequired {
        return Err(Refusal::new(
            Exception::PasswordResetRequired,
            "Password reset required for the user",
        ));
    }
    Ok(holder)
}

fn enabled(pool: &Pool) -> Result<(), Refusal> {
    if pool.settings.allows_factor("WEB_AUTHN") {
        return Ok(());
    }
    Err(Refusal::new(
        Exception::WebAuthnNotEnabled,
        "WEB_AUTHN is not an allowed first auth factor of the user pool.",
    ))
}

fn room_for_another(user: &User) -> Result<(), Refusal> {
    if user.passkeys.len() < MOST {
        return Ok(());
    }
    Err(Refusal::new(
        Exception::LimitExceeded,
        format!("A user can have {MOST} passkeys."),
    ))
}
