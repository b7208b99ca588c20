//! An operation: a value with a name, an input, an output, and a decision between them.

use std::future::Future;

use auth_domain::{MailFeedback, Problem};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Exchange, Fields, Passed};

/// The callers that the operation accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, within limits.
    Public,
    /// A person with an access token that API Gateway's authorizer accepted. [`Exchange::caller`]
    /// returns the person.
    Caller,
    /// A person with an access token, which the operation itself checks, or anyone with another
    /// proof. An invoker's claims are compared with the app clients, as for [`Access::Caller`].
    CallerOrProof,
    /// An agent or a service that IAM admits: over HTTP by its signature, at the other doors by the
    /// permission to invoke.
    Agent,
    /// An operator, also admitted by IAM. [`Exchange::operator`] returns the operator.
    Operator,
}

/// One operation of the contract.
pub trait Operation: Send + Sync + 'static {
    /// The operationId in kebab-case: the name of crate, binary, zip and function.
    const NAME: &'static str;
    /// The callers that the operation accepts.
    const ACCESS: Access;
    /// The status of a success. 204, 302 and 303 send no body.
    const STATUS: u16 = 200;

    /// Whether a body is a form of our own page (`application/x-www-form-urlencoded`) instead of
    /// JSON. A browser sends forms across sites without a preflight, so such an operation must
    /// verify the origin of its request.
    const TAKES_FORM: bool = false;

    /// Whether a DELETE has a body, such as a proof. HTTP itself gives it no meaning (RFC 9110
    /// §9.3.5).
    const DELETES_BY_BODY: bool = false;

    /// The parsed input.
    type Input: Send;
    /// The output of a success.
    type Output: Serialize + Send;

    /// The status of this success, for an operation with two.
    fn status(_output: &Self::Output) -> u16 {
        Self::STATUS
    }

    /// Shows a refusal as a [`Page`](crate::Page), for an operation that people open in a browser.
    /// Whatever shows no page is answered with problem details.
    fn show_refusal(&self, _problem: &Problem, _exchange: &Exchange) {}

    /// Reads the input from `fields`. [`Fields::finish`] names every invalid field.
    fn parse(&self, fields: &mut Fields) -> Result<Self::Input, Problem>;

    /// The decision.
    fn run(
        &self,
        input: Self::Input,
        exchange: &Exchange,
    ) -> impl Future<Output = Result<Self::Output, Problem>> + Send;
}

/// An operation that agents call by a name and fields of their own.
pub trait AgentTool: Operation {
    /// The tool's name, without the gateway's `target___` prefix.
    const TOOL: &'static str;
    /// The tool's arguments and the input fields that they set. Any other argument is ignored: old
    /// agents send some.
    const ARGUMENTS: &'static [(&'static str, &'static str)];

    /// The tool's result, in `snake_case`. `"success": true` is added unless the result has its
    /// own, and null members are omitted.
    fn result(output: Self::Output) -> Map<String, Value>;
}

/// Work that a schedule repeats. The next run finds the work that a run left undone.
pub trait ScheduledWork: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// The report of a run.
    type Report: Serialize + Send;

    /// One run.
    fn run(&self) -> impl Future<Output = Result<Self::Report, Problem>> + Send;
}

/// A function that receives feedback about mails.
pub trait MailFeedbackTaker: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// Takes final feedback about mails. It may come twice, and late.
    fn take(&self, feedback: MailFeedback) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// A Cognito trigger: it receives the whole event and returns it changed. An error refuses
/// Cognito's pending action.
pub trait Trigger: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// Fills in the event's response. The error is a sentence for the log. Cognito's caller sees it
    /// too, so it contains nothing else.
    fn respond(
        &self,
        event: Map<String, Value>,
    ) -> impl Future<Output = Result<Map<String, Value>, &'static str>> + Send;
}

/// A Lambda authorizer: it decides whether a request to a team's own API may pass.
pub trait Authorizer: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// The user of the token. A problem without a report denies the request; one with a report
    /// leaves it undecided.
    fn authorize(&self, token: &str) -> impl Future<Output = Result<Passed, Problem>> + Send;
}
