//! The one list: which operations Latchkey has, how they are reached, what they need, and what they may say.
//!
//! `openapi.yaml` is the list, and `calls.yaml` beside it has the AWS calls of every function. [`Contract`] is what the gateway, the docs page and the tests read of it; the `Checker` (feature
//! `check`) holds what was really said on the wire against it.

mod calls;
#[cfg(feature = "check")]
mod check;
mod contract;
mod in_order;
#[cfg(feature = "check")]
mod strict_json;

use std::sync::LazyLock;

pub use calls::{Call, Calls, Case, MalformedCall};
#[cfg(feature = "check")]
pub use check::{Checker, CheckerError, Exchange, Side, Violation};
pub use contract::{
    Bounds, Contract, ContractError, Grant, Maker, MalformedGrant, Method, NONE, Operation,
    Resource, Routed, Security, Segment, Setting, SettingKind, Throttle, Tool, ToolSchema,
    ToolSchemaKind, Trigger, TriggerKind, UnfitValue, UnknownMethod, Unrouted,
};

/// The document as JSON, its keys in the order in which `openapi.yaml` has them.
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

impl Contract {
    /// The contract that this build was made with.
    #[must_use]
    pub fn embedded() -> &'static Self {
        #[expect(clippy::expect_used, reason = "the build script read this very text")]
        static EMBEDDED: LazyLock<Contract> =
            LazyLock::new(|| Contract::read(DOCUMENT).expect("the build script has read it"));
        &EMBEDDED
    }
}

impl Calls {
    /// The calls that this build was made with.
    #[must_use]
    pub fn embedded() -> &'static Self {
        #[expect(clippy::expect_used, reason = "the build script read this very text")]
        static EMBEDDED: LazyLock<Calls> = LazyLock::new(|| {
            let text = include_str!(concat!(env!("OUT_DIR"), "/calls.json"));
            Calls::read(text).expect("the build script has read it")
        });
        &EMBEDDED
    }
}
