//! The token vault: users' consents, by workload, user, provider, scopes and parameters.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::behaviour::{Behaviour, Permission};
use crate::credential_provider::Provider;
use crate::oauth2::{self, Failure, Grant, Targets, Tokens};
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::store::{Fingerprint, fingerprint};
use crate::workload_token::Bearer;

/// A token's requested scope.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Purpose {
    pub(crate) scopes: Vec<String>,
    /// The additional parameters for the provider's authorization endpoint.
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) targets: Targets,
}

/// One entry's name. Scopes are a set, parameters are exact.
pub(crate) fn key(
    behaviour: &Behaviour,
    bearer: &Bearer,
    provider: &str,
    purpose: &Purpose,
) -> Fingerprint {
    let parameters = match behaviour.other_custom_parameters {
        Permission::Refused => Some(&purpose.parameters),
        Permission::Accepted => None,
    };
    let scopes: BTreeSet<&String> = purpose.scopes.iter().collect();
    let name = json!([
        bearer.workload,
        bearer.principal.user_key(),
        provider,
        scopes,
        parameters,
        purpose.targets.resources,
        purpose.targets.audiences,
    ]);
    fingerprint(&name.to_string())
}

pub(crate) fn put(
    transaction: &Transaction<'_>,
    key: &Fingerprint,
    provider: &str,
    tokens: &Tokens,
) -> Result<(), Refusal> {
    transaction.execute(
        "INSERT OR REPLACE INTO vault (key, provider, document) VALUES (?1, ?2, ?3)",
        params![key, provider, serde_json::to_string(tokens)?],
    )?;
    Ok(())
}

fn find(connection: &Connection, key: &Fingerprint) -> Result<Option<Tokens>, Refusal> {
    let document: Option<String> = connection
        .prepare_cached("SELECT document FROM vault WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(document
        .map(|document| serde_json::from_str(&document))
        .transpose()?)
}

/// A valid access token: the stored one, or a renewed one. `None` if a new consent is needed,
/// because there was none or the provider no longer honours it.
pub(crate) async fn access_token(
    service: &Service,
    key: &Fingerprint,
    provider: &Provider,
    purpose: &Purpose,
) -> Result<Option<String>, Refusal> {
    let _turn = service.vault_turns.turn(key).await;
    let Some(kept) = service.store.read(|connection| find(connection, key))? else {
        return Ok(None);
    };
    if kept.expires.is_none_or(|end| service.now() < end) {
        return Ok(Some(kept.access_token));
    }
    let renewed = match &kept.refresh_token {
        Some(refresh_token) => {
            let grant = Grant::Refresh { refresh_token };
            oauth2::tokens(service, provider, &grant, &purpose.targets).await
        }
        None => Err(Failure::Refused("there is no refresh token".to_owned())),
    };
    match renewed {
        Ok(mut renewed) => {
            renewed.refresh_token = renewed.refresh_token.or(kept.refresh_token);
            service.store.change(service.now(), |transaction| {
                put(transaction, key, &provider.name, &renewed)
            })?;
            Ok(Some(renewed.access_token))
        }
        Err(cause @ Failure::Refused(_)) => {
            tracing::info!(%cause, provider = provider.name, "a consent has ended");
            service.store.change(service.now(), |transaction| {
                transaction.execute("DELETE FROM vault WHERE key = ?1", [key])?;
                Ok(None)
            })
        }
        Err(cause @ (Failure::Unreachable(..) | Failure::Senseless(_))) => Err(unreachable(&cause)),
    }
}

/// An access token of the workload's own.
pub(crate) async fn own_access_token(
    service: &Service,
    key: &Fingerprint,
    provider: &Provider,
    purpose: &Purpose,
    anew: bool,
) -> Result<String, Refusal> {
    let _turn = service.vault_turns.turn(key).await;
    let kept = service.store.read(|connection| find(connection, key))?;
    if let Some(kept) = kept
        && !anew
        && kept.expires.is_some_and(|end| service.now() < end)
    {
        return Ok(kept.access_token);
    }
    let grant = Grant::ClientCredentials {
        scopes: &purpose.scopes,
    };
    match oauth2::tokens(service, provider, &grant, &purpose.targets).await {
        Ok(tokens) => {
            service.store.change(service.now(), |transaction| {
                put(transaction, key, &provider.name, &tokens)
            })?;
            Ok(tokens.access_token)
        }
        Err(Failure::Refused(code)) => Err(Refusal::new(
            Exception::AccessDenied,
            format!("the credential provider refused the client: {code}"),
        )),
        Err(cause @ (Failure::Unreachable(..) | Failure::Senseless(_))) => Err(unreachable(&cause)),
    }
}

/// The provider's fault, which the service can only pass on as its own.
fn unreachable(cause: &Failure) -> Refusal {
    Refusal::internal(cause)
}
