//! Workload access tokens: opaque, bound to a workload and the user that it acts for, and ending
//! unannounced.

use local_kit::base64url;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::{Fingerprint, fingerprint};
use crate::user_token;
use crate::workload_identity::WorkloadIdentity;

/// The user that a workload acts for, by the identifier of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Principal {
    /// The workload itself.
    Workload,
    /// A name that the workload vouches for.
    UserId(String),
    /// The subject of a token that its issuer vouches for.
    Token {
        issuer: String,
        subject: String,
        /// Distinguishes this token from others of the same subject.
        token: Fingerprint,
    },
}

impl Principal {
    /// A user. An identifier of another kind with the same text is another subject.
    pub(crate) fn user_key(&self) -> Value {
        match self {
            Self::Workload => json!(["workload"]),
            Self::UserId(id) => json!(["userId", id]),
            Self::Token {
                issuer, subject, ..
            } => json!(["userToken", issuer, subject]),
        }
    }
}

/// The meaning of a workload access token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Bearer {
    pub(crate) workload: String,
    pub(crate) principal: Principal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForWorkload {
    workload_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForUserId {
    workload_name: String,
    user_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForJwt {
    workload_name: String,
    user_token: String,
}

pub(crate) fn for_workload(service: &Service, input: ForWorkload) -> Result<Value, Refusal> {
    issue(service, input.workload_name, Principal::Workload)
}

pub(crate) fn for_user_id(service: &Service, input: ForUserId) -> Result<Value, Refusal> {
    issue(
        service,
        input.workload_name,
        Principal::UserId(input.user_id),
    )
}

pub(crate) async fn for_jwt(service: &Service, input: ForJwt) -> Result<Value, Refusal> {
    let principal = user_token::verify(service, &input.user_token).await?;
    issue(service, input.workload_name, principal)
}

fn issue(service: &Service, workload: String, principal: Principal) -> Result<Value, Refusal> {
    // 256 bits, begun as AWS's own samples begin.
    let token = format!("AgV4{}", base64url(service.random(), 32));
    let expires = service.later(service.behaviour().workload_token_lifetime);
    service.store.change(service.now(), |transaction| {
        WorkloadIdentity::find(transaction, &workload)?;
        let bearer = Bearer {
            workload,
            principal,
        };
        transaction.execute(
            "INSERT INTO workload_tokens (key, expires, document) VALUES (?1, ?2, ?3)",
            params![
                fingerprint(&token),
                expires,
                serde_json::to_string(&bearer)?
            ],
        )?;
        Ok(())
    })?;
    Ok(json!({"workloadAccessToken": token}))
}

/// The user of a token, and the workload identity, which may have been deleted since.
pub(crate) fn bearer(
    service: &Service,
    token: &str,
) -> Result<(Bearer, WorkloadIdentity), Refusal> {
    let now = service.now();
    service.store.read(|connection| {
        let document: Option<String> = connection
            .prepare_cached("SELECT document FROM workload_tokens WHERE key = ?1 AND expires > ?2")?
            .query_row(params![fingerprint(token), now], |row| row.get(0))
            .optional()?;
        let document = document.ok_or_else(|| {
            Refusal::new(
                service.behaviour().ended_workload_token,
                "Workload access token is invalid or expired",
            )
        })?;
        let bearer: Bearer = serde_json::from_str(&document)?;
        let identity = WorkloadIdentity::find(connection, &bearer.workload)?;
        Ok((bearer, identity))
    })
}
