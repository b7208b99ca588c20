//! The domain of a pool, under which its hosted sign-in is.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::{assign, owner};
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateInput {
    domain: String,
    user_pool_id: String,
    custom_domain_config: Option<Value>,
    managed_login_version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DomainInput {
    domain: String,
    user_pool_id: Option<String>,
}

/// The version of the pages under a domain; 1, the classic ones, by default.
fn version(connection: &Connection, domain: &str) -> Result<i64, Refusal> {
    let version = connection
        .query_row(
            "SELECT version FROM managed_login WHERE domain = ?1",
            [domain],
            |row| row.get(0),
        )
        .optional()?;
    Ok(version.unwrap_or(1))
}

pub(super) fn create(service: &Service, input: &CreateInput) -> Result<Value, Refusal> {
    if input.custom_domain_config.is_some() {
        return Err(Refusal::invalid(
            "cognito-local has no custom domains, only prefixes.",
        ));
    }
    service.store.change(service.now(), |transaction| {
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        assign(transaction, &pool, &input.domain)?;
        if let Some(version) = input.managed_login_version {
            transaction.execute(
                "INSERT OR REPLACE INTO managed_login (domain, version) VALUES (?1, ?2)",
                params![input.domain, version],
            )?;
        }
        Ok(())
    })?;
    let mut answer = json!({});
    if let Some(version) = input.managed_login_version {
        answer["ManagedLoginVersion"] = json!(version);
    }
    Ok(answer)
}

/// `DescribeUserPoolDomain`. The answer for an unknown domain is empty.
pub(super) fn describe(service: &Service, input: &DomainInput) -> Result<Value, Refusal> {
    let (pool, version) = service.store.read(|connection| {
        let pool = owner(connection, &input.domain)?;
        Ok::<_, Refusal>((pool, version(connection, &input.domain)?))
    })?;
    Ok(match pool {
        None => json!({"DomainDescription": {}}),
        Some(pool) => json!({"DomainDescription": {
            "UserPoolId": pool,
            "AWSAccountId": service.options.account_id,
            "Domain": input.domain,
            "Status": "ACTIVE",
            "ManagedLoginVersion": version,
        }}),
    })
}

pub(super) fn delete(service: &Service, input: &DomainInput) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        let owner = owner(transaction, &input.domain)?;
        if owner.is_none() || owner != input.user_pool_id {
            return Err(Refusal::invalid("No such domain or user pool exists."));
        }
        transaction.execute("DELETE FROM domains WHERE domain = ?1", [&input.domain])?;
        transaction.execute(
            "DELETE FROM managed_login WHERE domain = ?1",
            [&input.domain],
        )?;
        Ok(())
    })?;
    Ok(json!({}))
}
