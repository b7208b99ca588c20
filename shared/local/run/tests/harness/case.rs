//! The registry of cases: each case of `calls.yaml`, ready to run in a world.
//!
//! Every `operations/<operation>.rs` has `pub(crate) fn cases() -> Vec<Case>`, one for each case of
//! its function. The fault sweep (`rules/failing_calls.rs`) and the walk that compares calls and
//! looks for secrets (`rules/costs.rs`) run all of them. They fail if a case of
//! `calls.yaml` is missing here, or a case here is missing in `calls.yaml`.
//!
//! # Add a case
//!
//! 1. Name it in `calls.yaml`, with its calls.
//! 2. Add it to `cases()` of its operation: its name, its answer without a failure, and a [`Stage`]
//!    on which everything before the request is done.
//!
//! ```ignore
//! Case::of("update-profile", "renamed", "200", |world| Box::pin(renaming(world)))
//!
//! async fn renaming(world: &TestWorld) -> Stage<'_> {
//!     let body = json!({ "name": "Ada Lovelace" });
//!     Stage::signed_in(world.sign_in(ADA).await, Method::PATCH, "/me", body)
//! }
//! ```
//!
//! 3. Run the sweep for this operation alone, with its table:
//!    `SWEEP=update-profile cargo test -p auth-local --test local every_call_may -- --nocapture`
//!
//! The sweep prepares the case once, and returns to that moment before it refuses or loses a call:
//! so a stage must be a value that can be copied. By the plain rule a single failure heals
//! within the request, and after a lasting one the same request succeeds as soon as AWS does. If a
//! case needs more, [`Case::then`] performs a person's next steps and checks the end. The file
//! `tests/outcomes/<function>.txt` has the outcome of each call that the plain rule does not cover.
//! After a change the sweep writes these files anew; read the difference as you read code:
//!
//! `SWEEP=update-profile SWEEP_WRITES=1 cargo test -p auth-local --test local every_call_may`

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use auth_local::{Fault, FaultKind};

use crate::harness::stage::Stage;
use crate::harness::{Answer, TestWorld};

/// How often the SDK sends a call at most.
pub(crate) const TRIES: u32 = 3;

/// The time after which an operation takes over the claim of a dead request.
pub(crate) const UNTIL_TAKEN_OVER_SECONDS: u64 = 31;

/// A case of a function, as `calls.yaml` has it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The function's name in `calls.yaml`.
    pub(crate) function: &'static str,
    /// The case's name there.
    pub(crate) name: &'static str,
    /// The answer without a failure, in the form of [`Answer::in_short`].
    pub(crate) healthy: &'static str,
    /// Settings of its world that differ from other worlds'.
    pub(crate) settings: &'static [(&'static str, &'static str)],
    /// An action that is always denied to it. Empty for none.
    pub(crate) denied: &'static str,
    /// Whether the case also runs by the function's tool, if it has one.
    pub(crate) by_tool: bool,
    /// Whether the case needs a new world.
    pub(crate) fresh: bool,
    prepare: Prepare,
    go_on: GoOn,
}

/// Does everything before the request.
pub(crate) type Prepare = for<'world> fn(&'world TestWorld) -> Soon<'world, Stage<'world>>;

/// Performs a person's next steps, and returns them. Fails unless the request's whole effect has
/// been reached.
pub(crate) type GoOn = for<'a> fn(&'a Case, &'a mut Stage<'_>, &'a Answer) -> Soon<'a, Then>;

pub(crate) type Soon<'a, Thing> = Pin<Box<dyn Future<Output = Thing> + Send + 'a>>;

impl Case {
    /// A case to which the plain rule applies.
    pub(crate) fn of(
        function: &'static str,
        name: &'static str,
        healthy: &'static str,
        prepare: Prepare,
    ) -> Self {
        Self {
            function,
            name,
            healthy,
            settings: &[],
            denied: "",
            by_tool: true,
            fresh: false,
            prepare,
            go_on: |case, stage, answer| Box::pin(async { case.reach(stage, answer).await.0 }),
        }
    }

    /// The same in a world with settings of its own.
    pub(crate) fn with(self, settings: &'static [(&'static str, &'static str)]) -> Self {
        Self { settings, ..self }
    }

    /// The same with an action of Cognito denied to the function. The sweep harms the calls that
    /// the function then makes.
    pub(crate) fn denied(self, action: &'static str) -> Self {
        Self {
            denied: action,
            ..self
        }
    }

    /// The same without the tool: a tool has no cookie, and takes no access token.
    pub(crate) fn not_by_tool(self) -> Self {
        Self {
            by_tool: false,
            ..self
        }
    }

    /// The same in a new world. In an old world the clock has moved, so a scheduled function would
    /// run beside the case.
    pub(crate) fn in_a_fresh_world(self) -> Self {
        Self {
            fresh: true,
            ..self
        }
    }

    /// The same with other next steps.
    pub(crate) fn then(self, go_on: GoOn) -> Self {
        Self { go_on, ..self }
    }

    /// Does everything before the request.
    pub(crate) async fn prepare<'world>(&self, world: &'world TestWorld) -> Stage<'world> {
        let stage = (self.prepare)(world).await;
        if !self.denied.is_empty() {
            let denied = Fault::new(FaultKind::Denied, "cognito-idp", self.denied);
            world.fault(denied.of(self.function));
        }
        stage
    }

    /// Performs a person's next steps after an answer.
    pub(crate) async fn go_on(&self, stage: &mut Stage<'_>, answer: &Answer) -> Then {
        (self.go_on)(self, stage, answer).await
    }

    /// Whether this is the answer without a failure.
    pub(crate) fn is_healthy(&self, answer: &Answer) -> bool {
        answer.in_short() == self.healthy
    }

    /// Sends the same request again until it has its healthy answer: at once, or after the time in
    /// the refusal. Returns that answer too, unless it was the first one.
    pub(crate) async fn reach(
        &self,
        stage: &mut Stage<'_>,
        answer: &Answer,
    ) -> (Then, Option<Answer>) {
        if self.is_healthy(answer) {
            return (Then::Nothing, None);
        }
        let again = stage.act().await;
        if self.is_healthy(&again) {
            return (Then::SameAgain, Some(again));
        }
        let wait = again.retry_after().unwrap_or(UNTIL_TAKEN_OVER_SECONDS);
        stage.world.advance(wait);
        let later = stage.act().await;
        assert_eq!(later.in_short(), self.healthy, "{}: {}", self, later.body);
        (Then::SameAgainLater, Some(later))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            action,
            nth,
        } = self;
        write!(formatter, "{service} {action} ({nth})")
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}", self.function, self.name)
    }
}

/// A call of a healthy run: the nth one of that action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) service: &'static str,
    pub(crate) action: String,
    pub(crate) nth: u32,
}

/// The harm to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    /// Once. The SDK tries again.
    Once(FaultKind),
    /// At each try of the SDK. The SDK does not retry a denied call, so once is final.
    Lasting(FaultKind),
}

impl Harm {
    pub(crate) fn fault(self, function: &str, call: &Call) -> Fault {
        let (Self::Once(kind) | Self::Lasting(kind)) = self;
        let fault = Fault::new(kind, call.service, &call.action);
        let fault = fault.of(function).nth(call.nth);
        match self {
            Self::Once(_) => fault,
            Self::Lasting(_) => fault.every_try(),
        }
    }

    /// The answer of an operation that needs the call; `None` if the SDK's next try succeeds.
    pub(crate) fn refused(self) -> Option<&'static str> {
        match self {
            Self::Once(_) => None,
            Self::Lasting(FaultKind::Denied) => Some("500 INTERNAL"),
            Self::Lasting(_) => Some("503 SERVICE_UNAVAILABLE"),
        }
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, often) = match self {
            Self::Once(kind) => (kind, " once"),
            Self::Lasting(kind) => (kind, ""),
        };
        write!(formatter, "{kind:?}{often}")
    }
}

/// A person's next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// No step: the answer was the healthy one.
    Nothing,
    /// The same request again, at once.
    SameAgain,
    /// The same request again, after the time that its refusal names.
    SameAgainLater,
    /// No step is possible or needed: the request has had its effect.
    Done,
    /// Another code: of the same sign-in's next mail, or the authenticator's next one.
    AnotherCode,
    /// Everything from the beginning.
    FreshStart,
}

/// The outcome of a harmed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// As [`Answer::in_short`] puts it.
    pub(crate) answer: String,
    pub(crate) then: Then,
    /// The attempts of a continuing sign-in that the harmed request used up.
    pub(crate) attempts: usize,
}

impl Outcome {
    /// The plain rule's outcome, if the healthy answer costs `attempts`.
    pub(crate) fn plain(case: &Case, harm: Harm, attempts: usize) -> Self {
        let (answer, then, attempts) = match harm.refused() {
            None => (case.healthy, Then::Nothing, attempts),
            Some(refused) => (refused, Then::SameAgain, 0),
        };
        Self {
            answer: answer.to_owned(),
            then,
            attempts,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            answer,
            then,
            attempts,
        } = self;
        write!(
            formatter,
            "{answer}, then {then:?}, attempts spent: {attempts}"
        )
    }
}
