//! What an operator sees of a guest: nothing that signs anybody in.

use auth_domain::{
    ClientName, Country, Guest, GuestName, LimitState, SessionId, SignInMethod, Timestamp,
    UserSession, WaitingGuest,
};
use serde::Serialize;

/// The answer.
#[derive(Serialize)]
pub(crate) struct Found {
    pub(crate) user: FoundUser,
    pub(crate) status: Status,
    pub(crate) factors: FoundFactors,
    pub(crate) sessions: Vec<FoundSession>,
    pub(crate) limits: Vec<FoundLimit>,
}

/// Whether the guest can sign in.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Active,
    Disabled,
    Waiting,
    UserMissing,
}

/// The guest's record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundUser {
    guest_id: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_sub: Option<String>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
}

/// The guest's ways to prove who they are.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundFactors {
    password: bool,
    authenticator: bool,
    backup_codes: usize,
    passkeys: usize,
}

/// One session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundSession {
    session_id: SessionId,
    created_at: Timestamp,
    last_used_at: Timestamp,
    method: SignInMethod,
    device: ClientName,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
}

/// One limit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundLimit {
    policy: &'static str,
    quota: u32,
    window_seconds: u64,
    remaining: u32,
    reset_seconds: u64,
}

impl FoundUser {
    pub(crate) fn of(guest: &Guest) -> Self {
        Self {
            guest_id: guest.guest_id.to_string(),
            email: guest.email.as_str().to_owned(),
            name: guest.name.as_ref().map(text),
            email_verified: guest.email_verified,
            cognito_sub: Some(guest.cognito_sub.as_str().to_owned()),
            created_at: guest.created_at,
            updated_at: Some(guest.updated_at),
        }
    }

    pub(crate) fn of_waiting(guest: &WaitingGuest) -> Self {
        Self {
            guest_id: guest.guest_id.to_string(),
            email: guest.email.as_str().to_owned(),
            name: guest.name.as_ref().map(text),
            email_verified: guest.email_verified,
            cognito_sub: None,
            created_at: guest.created_at,
            updated_at: None,
        }
    }
}

impl FoundFactors {
    pub(crate) fn of(guest: &Guest) -> Self {
        let authenticator = guest.authenticator.as_ref();
        Self {
            password: guest.has_password,
            authenticator: authenticator.is_some(),
            backup_codes: authenticator.map_or(0, |one| one.backup_codes.len()),
            passkeys: guest.passkeys.len(),
        }
    }
}

impl From<UserSession> for FoundSession {
    fn from(session: UserSession) -> Self {
        Self {
            session_id: session.id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            method: session.origin.method,
            device: session.origin.device,
            country: session.origin.country,
        }
    }
}

impl From<LimitState> for FoundLimit {
    fn from(state: LimitState) -> Self {
        Self {
            policy: state.limit.name,
            quota: state.limit.quota,
            window_seconds: state.limit.window.as_secs(),
            remaining: state.remaining,
            reset_seconds: state.reset_seconds,
        }
    }
}

fn text(name: &GuestName) -> String {
    name.as_str().to_owned()
}
