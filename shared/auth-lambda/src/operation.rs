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
    /// A person with an access token that API Gateway's authorizer has passed. [`Exchange::caller`]
    /// says who.
    Caller,
    /// A person with an access token, which the operation itself checks, or anyone with another
    /// proof. Claims that an invoker names are held against the app clients, as for
    /// [`Access::Caller`].
    CallerOrProof,
    /// An agent or a service that IAM has let in: over HTTP by its signature, at the other doors by
    /// the right to invoke.
    Agent,
    /// An operator whom IAM has let in likewise. [`Exchange::operator`] says who.
    Operator,
}

/// One operation of the contract.
pub trait Operation: Send + Sync + 'static {
    /// The operationId in kebab-case: the name of crate, binary, zip and function.
    const NAME: &'static str;
    /// The callers that the operation accepts.
    const ACCESS: Access;
    /// The status of a success. 204 sends no body, and neither do 302 and 303.
    const STATUS: u16 = 200;

    /// Whether a body is a form of our own page (`application/x-www-form-urlencoded`) instead of
    /// JSON. A browser sends forms across sites without asking first, so such an operation has to
    /// prove where its request comes from.
    const TAKES_FORM: bool = false;

    /// Whether a DELETE brings a body, such as a proof. HTTP itself gives it no meaning (RFC 9110
    /// §9.3.5).
    const DELETES_BY_BODY: bool = false;

    /// The parsed input.
    type Input: Send;
    /// The output of a success.
    type Output: Serialize + Send;

    /// The status of this success, where one operation has two.
    fn status(_output: &Self::Output) -> u16 {
        Self::STATUS
    }

    /// Takes the input out of `fields`. Naming every broken field is [`Fields::finish`]'s work.
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
    /// The tool's arguments and the input fields that they stand for. Any other argument is
    /// ignored: agents of old send some.
    const ARGUMENTS: &'static [(&'static str, &'static str)];

    /// The tool's result, in `snake_case`. `"success": true` is added unless it brings its own, and
    /// members that are null are left out.
    fn result(output: Self::Output) -> Map<String, Value>;
}

/// Work that a schedule asks for again and again. What one run leaves undone, the next one finds.
pub trait ScheduledWork: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// The report of a run.
    type Report: Serialize + Send;

    /// One run.
    fn run(&self) -> impl Future<Output = Result<Self::Report, Problem>> + Send;
}

/// A function that hears what became of mails.
pub trait MailFeedbackTaker: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// Takes a final answer to a mail. It may come twice, and late.
    fn take(&self, feedback: MailFeedback) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// A Cognito trigger: the whole event goes in and comes back changed. An error refuses what Cognito
/// was about to do.
pub trait Trigger: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// Fills in the event's response. The error is a sentence for the log; Cognito's caller sees it
    /// too, so it says nothing else.
    fn respond(
        &self,
        event: Map<String, Value>,
    ) -> impl Future<Output = Result<Map<String, Value>, &'static str>> + Send;
}

/// A Lambda authorizer: whether a request to a team's own API may pass.
pub trait Authorizer: Send + Sync + 'static {
    /// The crate's name.
    const NAME: &'static str;

    /// Who brings the token. A problem without a report refuses the request; one with a report
    /// leaves it undecided.
    fn authorize(&self, token: &str) -> impl Future<Output = Result<Passed, Problem>> + Send;
}
