//! `RevokeToken`, `GlobalSignOut` and `AdminUserGlobalSignOut`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app_client::AppClient;
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::{Service, is_client_secret};
use crate::tokens;
use crate::user::User;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RevokeInput {
    token: String,
    client_id: String,
    client_secret: Option<String>,
}

/// Ends the sign-in of a refresh token. An unknown or ended one gets the same answer.
pub(super) fn revoke(service: &Service, input: &RevokeInput) -> Result<Value, Refusal> {
    let client = service
        .store
        .read(|connection| AppClient::look_for(connection, &input.client_id))?
        .filter(|client| is_client_secret(client, input.client_secret.as_deref()))
        .ok_or_else(|| Refusal::new(Exception::Unauthorized, "Unauthorized"))?;
    if !client.settings.enable_token_revocation {
        return Err(Refusal::new(
            Exception::UnsupportedOperation,
            format!("Token revocation is not enabled for client {}", client.id),
        ));
    }
    if tokens::is_signed_token(&input.token) {
        return Err(Refusal::new(
            Exception::UnsupportedTokenType,
            "Unsupported token type",
        ));
    }
    service.store.change(service.now(), |transaction| {
        tokens::revoke(transaction, &client, &input.token)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    access_token: String,
}

pub(super) fn everywhere(service: &Service, input: &Input) -> Result<Value, Refusal> {
    let holder = tokens::holder(service, &input.access_token)?;
    service.store.change(service.now(), |transaction| {
        tokens::revoke_all(transaction, &holder.pool, &holder.user.username)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AdminInput {
    user_pool_id: String,
    username: String,
}

pub(super) fn admin_everywhere(service: &Service, input: &AdminInput) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        let user = User::find(transaction, &pool, &input.username)?;
        tokens::revoke_all(transaction, &pool, &user.username)
    })?;
    Ok(json!({}))
}
