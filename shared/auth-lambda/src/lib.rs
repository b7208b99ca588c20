//! The doors of an operation: HTTP through API Gateway, a direct invocation, an agent's tool call.
//! This is the only crate of Latchkey that knows Lambda or HTTP.
//!
//! An operation defines its input and its answer ([`Operation`]). [`Function`] builds all three
//! doors of it. [`serve`] runs it in Lambda, and the local run calls [`Function::invoke`] with the
//! same events.

mod authorizer_door;
mod code_sent;
mod cookie;
mod direct_door;
mod door;
mod exchange;
mod fields;
mod floor;
mod function;
mod http_door;
mod invocation;
mod issued_tokens;
pub mod logging;
mod mail_feedback;
mod metric;
mod operation;
mod origin;
mod page;
mod passkey_asked;
mod problem_details;
mod redirect;
mod runtime_api;
mod sign_in_answer;
mod strict_json;
mod tool_door;

pub use authorizer_door::Passed;
pub use code_sent::{CodeSent, Delivery, session_token};
pub use cookie::{SameSite, SetCookie};
pub use exchange::Exchange;
pub use fields::{Fields, Patch, parse_object};
pub use floor::ResponseFloor;
pub use function::{Function, FunctionError, system_clock};
pub use invocation::{ClientContext, Invocation, ToolCall};
pub use issued_tokens::IssuedTokens;
pub use metric::{Counter, Metric, MetricLog};
pub use operation::{
    Access, AgentTool, Authorizer, MailFeedbackTaker, Operation, ScheduledWork, Trigger,
};
pub use origin::{InvalidOrigin, Origin};
pub use page::{Page, PagePolicy};
pub use passkey_asked::PasskeyAsked;
pub use problem_details::{ProblemDetails, code, status};
pub use redirect::Redirect;
pub use runtime_api::{ProcessError, serve};
pub use sign_in_answer::{SignInAnswer, SignedIn};
