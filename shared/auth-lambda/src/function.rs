//! One operation or trigger with its doors, in the form that Lambda runs.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use auth_domain::{Clock, Deployment, FrontDoor, Problem, Report, Timestamp};
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};
use tracing::Instrument;

use crate::{
    Access, AgentTool, Authorizer, Exchange, Fields, Invocation, MailFeedbackTaker, Metric,
    Operation, ScheduledWork, Trigger,
    authorizer_door::Question,
    code, direct_door,
    door::{Door, Opened},
    http_door,
    logging::{self, Completed},
    mail_feedback,
    problem_details::status,
    strict_json, tool_door,
};

type Answering = Pin<Box<dyn Future<Output = Result<Box<RawValue>, FunctionError>> + Send>>;

/// An operation or a trigger, ready to be invoked.
#[derive(Clone)]
pub struct Function {
    name: &'static str,
    invoke: Arc<dyn Fn(Box<RawValue>, Invocation) -> Answering + Send + Sync>,
}

/// An invocation that ended in an error of the function's own. Operations answer with problems
/// instead; a trigger refuses this way.
#[derive(Clone, Debug)]
pub struct FunctionError {
    /// The error's name.
    pub error_type: String,
    /// A sentence.
    pub message: String,
}

impl Function {
    /// An operation with its HTTP and direct doors. Tool calls are refused: it has no tool.
    pub fn operation<O: Operation>(operation: O, deployment: Deployment) -> Self {
        Self::with_doors(operation, deployment, None)
    }

    /// An operation with all three doors.
    pub fn agent_tool<O: AgentTool>(operation: O, deployment: Deployment) -> Self {
        let tool = Tool {
            name: O::TOOL,
            arguments: O::ARGUMENTS,
            result: O::result,
        };
        Self::with_doors(operation, deployment, Some(tool))
    }

    fn with_doors<O: Operation>(
        operation: O,
        deployment: Deployment,
        tool: Option<Tool<O>>,
    ) -> Self {
        let shared = Arc::new((operation, deployment, tool));
        Self {
            name: O::NAME,
            invoke: Arc::new(move |event, invocation| {
                let shared = Arc::clone(&shared);
                Box::pin(async move {
                    let (operation, deployment, tool) = &*shared;
                    answer(operation, deployment, tool.as_ref(), &event, &invocation).await
                })
            }),
        }
    }

    /// A Cognito trigger.
    pub fn trigger<T: Trigger>(trigger: T) -> Self {
        let trigger = Arc::new(trigger);
        Self {
            name: T::NAME,
            invoke: Arc::new(move |event, _invocation| {
                let trigger = Arc::clone(&trigger);
                Box::pin(async move {
                    let refused = |message: &str| {
                        tracing::error!(reason = message, "trigger refused");
                        FunctionError {
                            error_type: "TriggerRefused".to_owned(),
                            message: message.to_owned(),
                        }
                    };
                    let event = strict_json::parse_object(event.get())
                        .map_err(|_| refused("the event is not a Cognito event"))?;
                    let event = trigger.respond(event).await.map_err(refused)?;
                    raw(&Value::Object(event))
                })
            }),
        }
    }

    /// Scheduled work. A failed run is an error of the function, which an alarm counts.
    pub fn scheduled<W: ScheduledWork>(work: W) -> Self {
        let work = Arc::new(work);
        Self {
            name: W::NAME,
            invoke: Arc::new(move |_event, _invocation| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let report = work.run().await.map_err(|problem| {
                        let reason = problem.report().map(Report::chain);
                        tracing::error!(error = reason, "scheduled work failed");
                        FunctionError {
                            error_type: "ScheduledWorkFailed".to_owned(),
                            message: "the log says why; the next run goes on".to_owned(),
                        }
                    })?;
                    raw(&report)
                })
            }),
        }
    }

    /// A function for feedback about mails. A failure is an error: Lambda tries twice more, and an
    /// alarm counts it. An event without final feedback is acknowledged and ignored.
    pub fn mail_feedback<T: MailFeedbackTaker>(taker: T) -> Self {
        let taker = Arc::new(taker);
        Self {
            name: T::NAME,
            invoke: Arc::new(move |event, _invocation| {
                let taker = Arc::clone(&taker);
                Box::pin(async move {
                    let feedback = strict_json::parse_object(event.get())
                        .ok()
                        .and_then(|event| mail_feedback::read(&event));
                    let Some(feedback) = feedback else {
                        tracing::info!("nothing final was said of a mail");
                        return raw(&json!({}));
                    };
                    taker.take(feedback).await.map_err(|problem| {
                        let reason = problem.report().map(Report::chain);
                        tracing::error!(error = reason, "feedback to a mail was not noted");
                        FunctionError {
                            error_type: "FeedbackNotNoted".to_owned(),
                            message: "the log says why".to_owned(),
                        }
                    })?;
                    raw(&json!({}))
                })
            }),
        }
    }

    /// A Lambda authorizer of a team's own APIs. If it cannot decide, the function fails: the API
    /// then answers 500, and asks again next time.
    pub fn authorizer<A: Authorizer>(authorizer: A) -> Self {
        let authorizer = Arc::new(authorizer);
        Self {
            name: A::NAME,
            invoke: Arc::new(move |event, _invocation| {
                let authorizer = Arc::clone(&authorizer);
                Box::pin(async move { authorize(&*authorizer, &event).await })
            }),
        }
    }

    /// The function's name: the crate's.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// One invocation, as the Lambda runtime makes it.
    pub async fn invoke(
        &self,
        event: Box<RawValue>,
        invocation: Invocation,
    ) -> Result<Box<RawValue>, FunctionError> {
        let span = tracing::info_span!(
            "invocation",
            function = self.name,
            requestId = invocation.request_id
        );
        (self.invoke)(event, invocation).instrument(span).await
    }
}

async fn authorize<A: Authorizer>(
    authorizer: &A,
    event: &RawValue,
) -> Result<Box<RawValue>, FunctionError> {
    let failed = |error_type: &str, message: &str| FunctionError {
        error_type: error_type.to_owned(),
        message: message.to_owned(),
    };
    let event = strict_json::parse_object(event.get()).ok();
    let Some(question) = event.as_ref().and_then(Question::read) else {
        tracing::error!("the event is not an authorizer's");
        return Err(failed(
            "NotAnAuthorizersEvent",
            "attach the function as an authorizer",
        ));
    };
    match authorizer.authorize(&question.token).await {
        Ok(passed) => raw(&question.answer(Some(&passed))),
        Err(problem) => match problem.report() {
            None => {
                tracing::info!(outcome = code(&problem), "refused");
                raw(&question.answer(None))
            }
            Some(report) => {
                tracing::error!(outcome = code(&problem), error = report.chain(), "failed");
                Err(failed("Undecided", "the log says why"))
            }
        },
    }
}

struct Tool<O: Operation> {
    name: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    result: fn(O::Output) -> Map<String, Value>,
}

async fn answer<O: Operation>(
    operation: &O,
    deployment: &Deployment,
    tool: Option<&Tool<O>>,
    event: &RawValue,
    invocation: &Invocation,
) -> Result<Box<RawValue>, FunctionError> {
    let started = Instant::now();
    let door = Door::of(event, &invocation.client_context);
    let Some((exchange, fields)) = open(door, tool, &deployment.front_door, event, invocation)
    else {
        tracing::warn!("refused: the request did not come through CloudFront");
        return raw(&http_door::forbidden());
    };
    let outcome = decide(operation, deployment, fields, &exchange).await;
    if let Err(problem) = &outcome {
        note(problem, &exchange);
        if exchange.shows_pages() {
            operation.show_refusal(problem, &exchange);
        }
    }
    logging::completed(&Completed {
        function: O::NAME,
        door: door.name(),
        request_id: exchange.request_id(),
        invocation_id: &invocation.request_id,
        trace_id: invocation.trace_id.as_deref(),
        viewer: exchange.ip_address(),
        outcome: outcome.as_ref().map_or_else(code, |_| "OK"),
        status: outcome.as_ref().map_or_else(status, O::status),
        duration: started.elapsed(),
        metrics: &exchange.metrics(),
        timestamp: deployment.clock.now(),
        environment: &deployment.environment,
    });
    close(tool, outcome, &exchange)
}

/// Reads the event by the rules of its door. `None` for a request that bypassed the front door.
fn open<O: Operation>(
    door: Door,
    tool: Option<&Tool<O>>,
    front_door: &FrontDoor,
    event: &RawValue,
    invocation: &Invocation,
) -> Option<Opened> {
    match door {
        Door::Http => http_door::open::<O>(event, front_door, invocation),
        Door::Direct => Some(direct_door::open(event, invocation)),
        Door::Tool => {
            let tool = tool.map(|tool| (tool.name, tool.arguments));
            Some(tool_door::open(event, tool, invocation))
        }
    }
}

async fn decide<O: Operation>(
    operation: &O,
    deployment: &Deployment,
    fields: Result<Fields, Problem>,
    exchange: &Exchange,
) -> Result<O::Output, Problem> {
    match O::ACCESS {
        Access::Public => {}
        Access::CallerOrProof => {
            if exchange.caller().is_ok() {
                exchange.require_caller_of(&deployment.app_clients)?;
            }
        }
        Access::Caller => exchange.require_caller_of(&deployment.app_clients)?,
        Access::Agent | Access::Operator => exchange.require_iam()?,
    }
    let input = operation.parse(&mut fields?)?;
    operation.run(input, exchange).await
}

/// Logs a problem for the operator, and counts it for the alarms.
fn note(problem: &Problem, exchange: &Exchange) {
    if let Some(report) = problem.report() {
        tracing::error!(outcome = code(problem), error = report.chain(), "failed");
    }
    match problem {
        Problem::RateLimited { .. }
        | Problem::PasswordLocked { .. }
        | Problem::MaxAttemptsExceeded(_) => {
            exchange.count(Metric::LimitRefusals);
        }
        Problem::EmailDeliveryFailed(_) => exchange.count(Metric::EmailDeliveryFailures),
        Problem::InvalidOtp(_) => exchange.count(Metric::CodeFailures),
        Problem::InvalidCredentials => exchange.count(Metric::PasswordFailures),
        Problem::ServiceUnavailable { .. } => exchange.count(Metric::DependencyUnavailable),
        Problem::ValidationFailed(_)
        | Problem::InvalidSession
        | Problem::SignInCompleted
        | Problem::AuthRequired
        | Problem::ConsentRequired(_)
        | Problem::EmailExists
        | Problem::PasskeyLimit
        | Problem::PasskeyRequired
        | Problem::InvalidRefreshToken(_)
        | Problem::UserMismatch
        | Problem::NotFound
        | Problem::OtpExpired
        | Problem::SessionExpired
        | Problem::PayloadTooLarge
        | Problem::UnsupportedMediaType
        | Problem::Internal(_) => {}
    }
}

/// Writes the answer by the rules of its door.
fn close<O: Operation>(
    tool: Option<&Tool<O>>,
    outcome: Result<O::Output, Problem>,
    exchange: &Exchange,
) -> Result<Box<RawValue>, FunctionError> {
    let body = |output: &O::Output| {
        serde_json::to_string(output)
            .map_err(|error| Problem::Internal(Report::new("write the answer", error)))
    };
    match (exchange.door(), outcome) {
        (Door::Http, outcome) => {
            let written = outcome.and_then(|output| Ok((O::status(&output), body(&output)?)));
            let response = match written {
                Ok((status, body)) => http_door::success(status, body, exchange),
                Err(problem) => http_door::refusal(&problem, exchange),
            };
            raw(&response)
        }
        (Door::Tool, Ok(output)) => match tool {
            Some(tool) => raw(&tool_door::success((tool.result)(output))),
            None => raw(&tool_door::failure(
                &Problem::NotFound,
                &[],
                exchange.request_id(),
            )),
        },
        (Door::Tool, Err(problem)) => {
            let names = tool.map_or(&[][..], |tool| tool.arguments);
            raw(&tool_door::failure(&problem, names, exchange.request_id()))
        }
        (Door::Direct, Ok(output)) => raw(&direct_door::success(O::status(&output), &output)),
        (Door::Direct, Err(problem)) => raw(&direct_door::failure(&problem, exchange.request_id())),
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, FunctionError> {
    to_raw_value(value).map_err(|_| FunctionError {
        error_type: "AnswerNotWritten".to_owned(),
        message: "the answer could not be written".to_owned(),
    })
}

/// The system's clock.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a function's time comes from"
)]
pub fn system_clock() -> Clock {
    Clock::new(|| {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    })
}
