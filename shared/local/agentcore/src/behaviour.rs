//! What AWS does not document, or not surely: each point can be answered both ways, while the
//! stand-in runs.

use std::time::Duration;

/// How the stand-in answers where AWS's behaviour is unknown.
///
/// The defaults are what was seen on real accounts where anything was, and the stricter way
/// elsewhere. Code that is right under every value is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// How long a workload access token is good for. The answer that carries one does not say.
    pub workload_token_lifetime: Duration,
    /// What the use of a workload access token that has ended, or was never issued, is refused
    /// with.
    pub ended_workload_token: ErrorClass,
    /// What a user token with a bad signature, issuer or time is refused with.
    pub bad_user_token: ErrorClass,
    /// What `CompleteResourceTokenAuth` refuses an identifier with that did not begin the session.
    pub wrong_user: ErrorClass,
    /// What an unknown, ended, failed, used or not yet authorized session is refused with.
    pub ended_session: ErrorClass,
    /// What the creation of something under a name that is taken is refused with. Older models of
    /// the service know no conflict.
    pub taken_name: ErrorClass,
    /// Whether another token of the same user may complete a session.
    pub fresh_user_token: Permission,
    /// Whether a completed session may be completed again, without effect.
    pub second_completion: Permission,
    /// Whether an authorization URL may be opened more than once.
    pub second_visit: Permission,
    /// Whether `customState` may hold a colon. Seen to be refused, with a message about another
    /// member.
    pub colon_in_custom_state: Permission,
    /// The query parameter in which the return URL gets `customState` back; `None` where it gets
    /// nothing.
    pub state_parameter: Option<String>,
    /// How return URLs are held against those that the workload identity allows.
    pub return_urls: ReturnUrls,
    /// What the return URL is told when the person refuses, or the provider does.
    pub denial: Denial,
    /// The session's status afterwards.
    pub denied_session: DeniedSession,
    /// When the provider's authorization code becomes tokens.
    pub code_exchange: CodeExchange,
    /// Whether a token that was obtained with other `customParameters` is found in the vault.
    pub other_custom_parameters: Permission,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            workload_token_lifetime: Duration::from_mins(15),
            ended_workload_token: ErrorClass::Unauthorized,
            bad_user_token: ErrorClass::Unauthorized,
            wrong_user: ErrorClass::AccessDenied,
            ended_session: ErrorClass::Validation,
            taken_name: ErrorClass::Conflict,
            fresh_user_token: Permission::Refused,
            second_completion: Permission::Refused,
            second_visit: Permission::Refused,
            colon_in_custom_state: Permission::Refused,
            state_parameter: Some("state".to_owned()),
            return_urls: ReturnUrls::Exact,
            denial: Denial::Error,
            denied_session: DeniedSession::Failed,
            code_exchange: CodeExchange::AtCallback,
            other_custom_parameters: Permission::Refused,
        }
    }
}

/// An exception of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// `AccessDeniedException`, 403.
    AccessDenied,
    /// `ConflictException`, 409.
    Conflict,
    /// `ResourceNotFoundException`, 404.
    ResourceNotFound,
    /// `UnauthorizedException`, 401.
    Unauthorized,
    /// `ValidationException`, 400.
    Validation,
}

/// Whether something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Accepted,
    /// It may not.
    Refused,
}

/// How a return URL is held against one that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnUrls {
    /// Character by character.
    Exact,
    /// As URLs, and without query, fragment and a slash at the end.
    WithoutQuery,
}

/// What the return URL is told when no consent was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// `error` and `error_description` as the provider gave them (RFC 6749, section 4.1.2.1), and
    /// the state.
    Error,
    /// The same, and `session_id`.
    ErrorWithSession,
    /// `session_id` and the state, as if nothing had happened.
    Session,
    /// The state and nothing else.
    Nothing,
}

/// What `GetResourceOauth2Token` says of a session that was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedSession {
    /// `FAILED`.
    Failed,
    /// `IN_PROGRESS`, until its time is over.
    InProgress,
}

/// When an authorization code is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeExchange {
    /// When the provider's redirect arrives; the tokens are withheld until the session is
    /// completed.
    AtCallback,
    /// When the session is completed. A code that the provider takes for five minutes then ends a
    /// session of ten.
    AtCompletion,
}
