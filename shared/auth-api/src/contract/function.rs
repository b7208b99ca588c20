//! A function of any kind: its caller, and its needs in AWS.

use serde::Deserialize;

use super::error::{ContractError, contradiction};
use super::name::{camel_case, kebab_case};
use super::resource::Grant;

/// A function, and its needs in AWS.
#[derive(Debug, Clone)]
pub struct Function {
    /// In camelCase, such as `verifyOtp`.
    pub operation_id: String,
    /// The operationId in kebab-case: crate, binary, zip, and the function's name after its prefix.
    pub name: String,
    /// Its caller.
    pub kind: FunctionKind,
    /// One line for lists.
    pub summary: String,
    /// The function's memory, which sets its share of a processor too.
    pub memory_mb: u32,
    /// When Lambda gives the function up. Cognito gives a trigger up after five seconds.
    pub timeout_seconds: u32,
    /// All that the function may do in AWS.
    pub grants: Vec<Grant>,
    /// The names of the settings that it reads.
    pub environment: Vec<String>,
}

/// The caller of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// The API, by the route of an operation.
    Route,
    /// Cognito, for every user of the pool.
    Trigger(TriggerKind),
    /// The clock, at intervals.
    Schedule {
        /// The interval between two calls.
        every_minutes: u32,
    },
    /// API Gateway or `AppSync`, before a request to a team's own API.
    Authorizer,
    /// SES, through `EventBridge`, when a mail bounces or its receiver complains.
    MailFeedback,
}

/// The moment at which Cognito calls a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerKind {
    /// When a user begins to sign in; an error refuses that.
    PreAuthentication,
    /// Before tokens are made. Its events have the second version, which can change access tokens.
    PreTokenGeneration,
    /// Before a mail is sent. The trigger can write its words.
    CustomMessage,
}

impl TriggerKind {
    /// The name in the document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreAuthentication => "pre-authentication",
            Self::PreTokenGeneration => "pre-token-generation",
            Self::CustomMessage => "custom-message",
        }
    }
}

/// A function of `x-latchkey-functions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct FunctionItem {
    kind: Kind,
    every_minutes: Option<u32>,
    summary: String,
    memory_mb: u32,
    timeout_seconds: u32,
    grants: Vec<Grant>,
    environment: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    PreAuthentication,
    PreTokenGeneration,
    CustomMessage,
    Schedule,
    Authorizer,
    MailFeedback,
}

impl FunctionItem {
    pub(super) fn named(self, id: String) -> Result<Function, ContractError> {
        let kind = match (self.kind, self.every_minutes) {
            (Kind::Schedule, Some(every_minutes @ 1..)) => FunctionKind::Schedule { every_minutes },
            (Kind::PreAuthentication, None) => {
                FunctionKind::Trigger(TriggerKind::PreAuthentication)
            }
            (Kind::PreTokenGeneration, None) => {
                FunctionKind::Trigger(TriggerKind::PreTokenGeneration)
            }
            (Kind::CustomMessage, None) => FunctionKind::Trigger(TriggerKind::CustomMessage),
            (Kind::Authorizer, None) => FunctionKind::Authorizer,
            (Kind::MailFeedback, None) => FunctionKind::MailFeedback,
            (Kind::Schedule, None | Some(0))
            | (
                Kind::PreAuthentication
                | Kind::PreTokenGeneration
                | Kind::CustomMessage
                | Kind::Authorizer
                | Kind::MailFeedback,
                Some(_),
            ) => {
                let reason = "a schedule has everyMinutes of at least 1, and nothing else has it";
                return Err(contradiction(&id, reason));
            }
        };
        let id = camel_case(id)?;
        Ok(Function {
            name: kebab_case(&id),
            operation_id: id,
            kind,
            summary: self.summary,
            memory_mb: self.memory_mb,
            timeout_seconds: self.timeout_seconds,
            grants: self.grants,
            environment: self.environment,
        })
    }
}
