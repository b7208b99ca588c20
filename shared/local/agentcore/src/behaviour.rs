//! AWS's undocumented or uncertain behaviour. Each point has a switch that works while the stand-in
//! runs.

use std::time::Duration;

/// The stand-in's answers at points where AWS's behaviour is unknown.
///
/// A default is the behaviour seen on real accounts, if there is any, and otherwise the stricter
/// one. Correct code works under every value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// The lifetime of a workload access token. AWS's answer does not contain it.
    pub workload_token_lifetime: Duration,
    /// The refusal of an expired or invalid workload access token.
    pub ended_workload_token: ErrorClass,
    /// The refusal of a user token with a bad signature, issuer or time.
    pub bad_user_token: ErrorClass,
    /// `CompleteResourceTokenAuth`'s refusal of an identifier that did not begin the session.
    pub wrong_user: ErrorClass,
    /// The refusal of an unknown, ended, failed, used or not yet authorized session.
    pub ended_session: ErrorClass,
    /// The refusal of a name that is taken. Older models of the service have no conflict.
    pub taken_name: ErrorClass,
    /// Whether another token of the same user may complete a session.
    pub fresh_user_token: Permission,
    /// Whether a completed session may be completed again, without effect.
    pub second_completion: Permission,
    /// Whether an authorization URL may be opened more than once.
    pub second_visit: Permission,
    /// Whether `customState` may contain a colon. AWS was seen to refuse it, with a message about
    /// another member.
    pub colon_in_custom_state: Permission,
    /// The query parameter of the return URL that carries `customState`; `None` if there is none.
    pub state_parameter: Option<String>,
    /// How return URLs are compared with those that the workload identity allows.
    pub return_urls: ReturnUrls,
    /// The return URL's parameters when the person or the provider refuses.
    pub denial: Denial,
    /// The session's status afterwards.
    pub denied_session: DeniedSession,
    /// When the provider's authorization code becomes tokens.
    pub code_exchange: CodeExchange,
    /// Whether the vault returns a token that was obtained with other `customParameters`.
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

/// Whether an action is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Accepted,
    /// The action is refused.
    Refused,
}

/// The comparison of a return URL with the allowed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnUrls {
    /// Character by character.
    Exact,
    /// As URLs, and without query, fragment and a slash at the end.
    WithoutQuery,
}

/// The return URL's parameters without a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// `error` and `error_description` as the provider gave them (RFC 6749, section 4.1.2.1), and
    /// the state.
    Error,
    /// The same, and `session_id`.
    ErrorWithSession,
    /// `session_id` and the state, as after a consent.
    Session,
    /// Only the state.
    Nothing,
}

/// The answer of `GetResourceOauth2Token` for a denied session.
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
