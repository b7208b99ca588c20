//! The meaning of a failed AWS call: unavailable or overloaded, refused for a reason, or our own
//! fault.

use auth_domain::{Problem, Report};
use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse,
    result::{ConnectorError, SdkError},
};
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};

/// Seconds after which a retry may succeed. Cognito's quotas count by the second.
const RETRY_AFTER_SECONDS: u64 = 2;

/// The codes by which AWS asks for a later retry. Cognito gives them status 400 like all others.
const NOT_NOW: [&str; 10] = [
    "InternalErrorException",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
];

/// The codes by which Cognito reports that a trigger was throttled, crashed or timed out: a new
/// account runs ten functions at once. A retry may succeed.
const TRIGGER: [&str; 2] = [
    "InvalidLambdaResponseException",
    "UnexpectedLambdaException",
];

/// The header with AWS's id of a request. AWS's own logs contain it too.
const REQUEST_ID: &str = "x-amzn-requestid";

/// A failed AWS call.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    report: Report,
}

/// An undecided proof: a call failed.
#[derive(Debug)]
pub struct Undecided {
    /// The reason.
    pub problem: Problem,
    /// Whether the proof may have been evaluated. If not, the attempt's counts are restored.
    pub may_be_evaluated: bool,
}

impl Undecided {
    /// The failure of a call that came before the proof was evaluated.
    pub(crate) fn before_evaluation(problem: impl Into<Problem>) -> Self {
        Self {
            problem: problem.into(),
            may_be_evaluated: false,
        }
    }

    /// The failure of a call that came with the evaluation, or after it.
    pub(crate) fn after_evaluation(problem: impl Into<Problem>) -> Self {
        Self {
            problem: problem.into(),
            may_be_evaluated: true,
        }
    }
}

impl From<Failure> for Undecided {
    fn from(failure: Failure) -> Self {
        Self {
            may_be_evaluated: !failure.did_not_act(),
            problem: failure.into(),
        }
    }
}

#[derive(Debug)]
enum Kind {
    /// The call may have acted or not; its answer was lost.
    Unanswered,
    /// AWS asked for a later retry, before it acted.
    NotNow,
    /// A trigger failed, and Cognito did not go on.
    TriggerFailed,
    /// AWS refused, with a code and a message.
    Refused { code: String, message: String },
    /// The request could not be built, or the answer not be parsed.
    Fault,
}

/// Classifies the failure of the call that `attempted` names.
pub(crate) fn failure<E>(
    attempted: &'static str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| {
        let kind = match &error {
            SdkError::DispatchFailure(failure)
                if failure
                    .as_connector_error()
                    .is_some_and(ConnectorError::is_user) =>
            {
                Kind::Fault
            }
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_) => Kind::Unanswered,
            SdkError::ServiceError(context) => {
                let code = context.err().code().unwrap_or_default();
                if NOT_NOW.contains(&code) || context.raw().status().is_server_error() {
                    Kind::NotNow
                } else if TRIGGER.contains(&code) {
                    Kind::TriggerFailed
                } else {
                    Kind::Refused {
                        code: code.to_owned(),
                        message: context.err().message().unwrap_or_default().to_owned(),
                    }
                }
            }
            SdkError::ConstructionFailure(_) | _ => Kind::Fault,
        };
        Failure {
            report: describe(attempted, &error),
            kind,
        }
    }
}

/// A service error's code and AWS's id of the request, or the chain of causes of a failed
/// connection. Never the request, the response, or the error's message: AWS quotes the refused
/// value in it, such as an address.
fn describe<E>(attempted: &'static str, error: &SdkError<E, HttpResponse>) -> Report
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let code = context.err().code().unwrap_or("no code");
            let headers = context.raw().headers();
            let request_id = headers.get(REQUEST_ID).unwrap_or("no id");
            Report::new(attempted, format!("{code}, AWS request {request_id}"))
        }
        SdkError::DispatchFailure(failure) => Report::new(
            attempted,
            failure.as_connector_error().map_or_else(
                || "not sent".to_owned(),
                |error| DisplayErrorContext(error).to_string(),
            ),
        ),
        SdkError::TimeoutError(_) => Report::new(attempted, "timed out"),
        SdkError::ResponseError(_) => Report::new(attempted, "the answer could not be read"),
        SdkError::ConstructionFailure(_) | _ => {
            Report::new(attempted, "the request could not be made")
        }
    }
}

impl Failure {
    /// The error code of AWS's refusal.
    pub(crate) fn code(&self) -> Option<&str> {
        match &self.kind {
            Kind::Refused { code, .. } => Some(code),
            Kind::Unanswered | Kind::NotNow | Kind::TriggerFailed | Kind::Fault => None,
        }
    }

    /// The message of AWS's refusal, to distinguish refusals with the same code.
    pub(crate) fn message(&self) -> &str {
        match &self.kind {
            Kind::Refused { message, .. } => message,
            Kind::Unanswered | Kind::NotNow | Kind::TriggerFailed | Kind::Fault => "",
        }
    }

    /// Whether the call certainly did not act.
    pub(crate) fn did_not_act(&self) -> bool {
        match &self.kind {
            Kind::NotNow | Kind::TriggerFailed | Kind::Refused { .. } => true,
            Kind::Unanswered | Kind::Fault => false,
        }
    }

    /// Whether a trigger of the user pool failed. Cognito calls some of them only for users who
    /// exist.
    pub(crate) fn is_of_trigger(&self) -> bool {
        matches!(self.kind, Kind::TriggerFailed)
    }

    /// The problem of a call that AWS refused for a temporary reason, under a code that does not
    /// show it.
    pub(crate) fn not_now(self) -> Problem {
        Self {
            kind: Kind::NotNow,
            ..self
        }
        .into()
    }

    /// Only the report, for a caller with its own name for the problem.
    pub(crate) fn into_report(self) -> Report {
        self.report
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            Kind::Unanswered | Kind::NotNow | Kind::TriggerFailed => Self::ServiceUnavailable {
                retry_after_seconds: RETRY_AFTER_SECONDS,
                report: failure.report,
            },
            Kind::Refused { .. } | Kind::Fault => Self::Internal(failure.report),
        }
    }
}
