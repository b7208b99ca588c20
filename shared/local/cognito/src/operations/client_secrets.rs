//! The secrets of a confidential client: a second one beside the first, so that a rotation leaves
//! no gap.

use local_kit::seconds;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app_client::{AppClient, ClientSecret};
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;

/// A client has two at a time (API reference, `AddUserPoolClientSecret`).
const MOST: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    user_pool_id: String,
    client_id: String,
    client_secret: Option<String>,
}

/// `AddUserPoolClientSecret`: the caller's own secret, or a generated one, which only this answer
/// shows.
pub(super) fn add(service: &Service, input: &Input) -> Result<Value, Refusal> {
    let now = service.now();
    let added = service.store.change(now, |transaction| {
        Pool::find(transaction, &input.user_pool_id)?;
        let mut client = AppClient::of_pool(transaction, &input.user_pool_id, &input.client_id)?;
        if !client.is_confidential() {
            return Err(Refusal::invalid(format!(
                "Client {} has no secret",
                client.id
            )));
        }
        if client.secrets.len() >= MOST {
            return Err(Refusal::new(
                Exception::LimitExceeded,
                format!("Client {} has {MOST} secrets", client.id),
            ));
        }
        let value = input.client_secret.clone();
        let value = value.unwrap_or_else(|| service.new_client_secret());
        let secret = client.new_secret(value, now);
        client.secrets.push(secret.clone());
        client.save(transaction)?;
        Ok(secret)
    })?;
    let mut descriptor = described(&added);
    if input.client_secret.is_none() {
        descriptor["ClientSecretValue"] = json!(added.value);
    }
    Ok(json!({"ClientSecretDescriptor": descriptor}))
}

/// `ListUserPoolClientSecrets`, without the secrets' values.
pub(super) fn list(service: &Service, input: &Input) -> Result<Value, Refusal> {
    let client = service.store.read(|connection| {
        Pool::find(connection, &input.user_pool_id)?;
        AppClient::of_pool(connection, &input.user_pool_id, &input.client_id)
    })?;
    let secrets: Vec<Value> = client.secrets.iter().map(described).collect();
    Ok(json!({"ClientSecrets": secrets}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Deletion {
    #[serde(flatten)]
    client: Input,
    client_secret_id: String,
}

/// `DeleteUserPoolClientSecret`. The last one stays.
pub(super) fn delete(service: &Service, input: &Deletion) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        let Input {
            user_pool_id,
            client_id,
            ..
        } = &input.client;
        Pool::find(transaction, user_pool_id)?;
        let mut client = AppClient::of_pool(transaction, user_pool_id, client_id)?;
        let before = client.secrets.len();
        client
            .secrets
            .retain(|secret| secret.id != input.client_secret_id);
        if client.secrets.len() == before {
            return Err(Refusal::new(
                Exception::ResourceNotFound,
                format!("Client secret {} does not exist.", input.client_secret_id),
            ));
        }
        if client.secrets.is_empty() {
            return Err(Refusal::invalid("Cannot delete the last client secret"));
        }
        client.save(transaction)
    })?;
    Ok(json!({}))
}

fn described(secret: &ClientSecret) -> Value {
    json!({
        "ClientSecretId": secret.id,
        "ClientSecretCreateDate": seconds(secret.created),
    })
}
