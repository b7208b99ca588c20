//! The operator's view of a guest. It contains no credential.

use auth_aws::Numbered;
use auth_domain::{Guest, LimitState, MailRefusal, UserSession};
use serde::Serialize;

/// The answer.
#[derive(Serialize)]
pub(crate) struct Found {
    pub(crate) user: Numbered,
    pub(crate) status: Status,
    pub(crate) factors: FoundFactors,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undeliverable: Option<MailRefusal>,
    pub(crate) sessions: Vec<UserSession>,
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

/// The guest's factors.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundFactors {
    password: bool,
    authenticator: bool,
    backup_codes: usize,
    passkeys: usize,
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

impl FoundFactors {
    pub(crate) fn of(guest: &Guest) -> Self {
        let authenticator = guest.authenticator.as_ref();
        Self {
            password: guest.has_password(),
            authenticator: authenticator.is_some(),
            backup_codes: authenticator.map_or(0, |one| one.backup_codes.len()),
            passkeys: guest.passkeys.len(),
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
