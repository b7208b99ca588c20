//! Authorization sessions: the request, its user, and the state of the consent.
//!
//! A session has one course: begun, opened, exchanging, returned, completed; or it fails. Each step
//! is one transaction that checks the previous step, so of two concurrent requests one takes it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_kit::Millis;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::behaviour::DeniedSession;
use crate::credential_provider::Provider;
use crate::oauth2::{self, Failure, Grant, Tokens};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::{Fingerprint, fingerprint};
use crate::vault::Purpose;
use crate::workload_token::Bearer;

/// AWS: "the authorization URL and its session are valid for 10 minutes" ("OAuth2 authorization URL
/// session binding").
const LIFETIME: Duration = Duration::from_mins(10);

/// The prefix of a session's id (RFC 9126, section 2.2).
const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) asked: Asked,
    pub(crate) progress: Progress,
    ends: Millis,
}

/// The purpose of a session.
#[derive(Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) bearer: Bearer,
    /// The credential provider's name.
    pub(crate) provider: String,
    pub(crate) purpose: Purpose,
    /// The place of the tokens in the vault.
    pub(crate) key: Fingerprint,
    pub(crate) return_url: String,
    pub(crate) custom_state: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum Progress {
    /// The URL has not been opened.
    Begun,
    /// The browser is at the provider's.
    Opened { verifier: String },
    /// One request is asking the provider for tokens, and only it decides the next step.
    Exchanging,
    /// The person consented. The tokens are not usable yet.
    Returned(Withheld),
    /// The tokens lie in the vault.
    Completed,
    /// The session failed. It has no consent.
    Failed,
}

/// The tokens of a consent.
#[derive(Serialize, Deserialize)]
pub(crate) enum Withheld {
    Tokens(Tokens),
    Code { code: String, verifier: String },
}

/// The state for a polling caller.
pub(crate) enum Standing {
    InProgress,
    Completed,
    Failed,
}

impl Session {
    /// Begins a session and returns its URI.
    pub(crate) fn begin(service: &Service, asked: Asked) -> Result<String, Refusal> {
        // Real ids have this form: the text of a UUID, encoded in base64url.
        let uri = format!("{URI_PREFIX}{}", URL_SAFE_NO_PAD.encode(service.uuid()));
        let session = Self {
            asked,
            progress: Progress::Begun,
            ends: service.later(LIFETIME),
        };
        service.store.change(service.now(), |transaction| {
            session.keep(transaction, &uri, None)
        })?;
        Ok(uri)
    }

    pub(crate) fn find(connection: &Connection, uri: &str) -> Result<Option<Self>, Refusal> {
        let document: Option<String> = connection
            .prepare_cached("SELECT document FROM sessions WHERE uri = ?1")?
            .query_row([uri], |row| row.get(0))
            .optional()?;
        Ok(document
            .map(|document| serde_json::from_str(&document))
            .transpose()?)
    }

    /// The session whose browser a provider sent back with this state, and its URI.
    pub(crate) fn sent_back(
        connection: &Connection,
        state: &str,
    ) -> Result<Option<(String, Self)>, Refusal> {
        let row: Option<(String, String)> = connection
            .prepare_cached("SELECT uri, document FROM sessions WHERE state = ?1")?
            .query_row([fingerprint(state)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(uri, document)| Ok((uri, serde_json::from_str(&document)?)))
            .transpose()
    }

    /// Stores the session. Its browser must bring `state` back from the provider.
    pub(crate) fn keep(
        &self,
        transaction: &Transaction<'_>,
        uri: &str,
        state: Option<&str>,
    ) -> Result<(), Refusal> {
        let document = serde_json::to_string(self)?;
        transaction.execute(
            "INSERT OR REPLACE INTO sessions (uri, state, expires, document) VALUES (?1, ?2, ?3, ?4)",
            params![uri, state.map(fingerprint), self.ends, document],
        )?;
        Ok(())
    }

    /// The step after [`Progress::Exchanging`].
    pub(crate) fn move_on(service: &Service, uri: &str, progress: Progress) -> Result<(), Refusal> {
        service.store.change(service.now(), |transaction| {
            let Some(mut session) = Self::find(transaction, uri)? else {
                return Ok(());
            };
            session.progress = progress;
            session.keep(transaction, uri, None)
        })
    }

    pub(crate) fn is_live(&self, now: Millis) -> bool {
        now < self.ends
    }

    /// The state of the session with this URI, which must belong to this user.
    pub(crate) fn standing(
        service: &Service,
        uri: &str,
        bearer: &Bearer,
    ) -> Result<Standing, Refusal> {
        let session = service
            .store
            .read(|connection| Self::find(connection, uri))?
            .ok_or_else(|| ended(service))?;
        let theirs = &session.asked.bearer;
        if theirs.workload != bearer.workload
            || theirs.principal.user_key() != bearer.principal.user_key()
        {
            return Err(wrong_user(service));
        }
        let live = session.is_live(service.now());
        Ok(match session.progress {
            Progress::Completed => Standing::Completed,
            Progress::Failed => match service.behaviour().denied_session {
                DeniedSession::InProgress if live => Standing::InProgress,
                DeniedSession::InProgress | DeniedSession::Failed => Standing::Failed,
            },
            Progress::Begun
            | Progress::Opened { .. }
            | Progress::Exchanging
            | Progress::Returned(_) => {
                if live {
                    Standing::InProgress
                } else {
                    Standing::Failed
                }
            }
        })
    }

    /// Asks the provider for the tokens behind a code.
    pub(crate) async fn exchange(
        &self,
        service: &Service,
        provider: &Provider,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, Failure> {
        let grant = Grant::Code {
            code,
            redirect_uri: &provider.callback_url(service),
            verifier,
        };
        let exchanged =
            oauth2::tokens(service, provider, &grant, &self.asked.purpose.targets).await;
        if let Err(cause) = &exchanged {
            tracing::warn!(%cause, provider = provider.name, "a code could not be exchanged");
        }
        exchanged
    }
}

/// The URL that a person opens to give consent.
pub(crate) fn authorization_url(service: &Service, session_uri: &str) -> String {
    let id = session_uri.replace(':', "%3A");
    service.url(&format!("/identities/oauth2/authorize?request_uri={id}"))
}

pub(crate) fn ended(service: &Service) -> Refusal {
    Refusal::new(
        service.behaviour().ended_session,
        "Invalid or expired session",
    )
}

pub(crate) fn wrong_user(service: &Service) -> Refusal {
    Refusal::new(
        service.behaviour().wrong_user,
        "The user identifier is not the one that began this session",
    )
}
