//! The list of Latchkey's operations: their routes, their needs, and their possible answers.
//!
//! `openapi.yaml` is the list. The gateway, the docs page and the tests read it as [`Contract`].
//! `calls.yaml` has the AWS calls of every function ([`Calls`]), and `user-pool.yaml` describes the
//! user pool and its app clients ([`UserPool`]).

mod calls;
mod contract;
mod in_order;
mod user_pool;

use std::sync::LazyLock;

pub use calls::{Call, Calls, Case, MalformedCall};
pub use contract::{
    Bounds, Contract, ContractError, Cors, Function, FunctionKind, Grant, Index, Maker,
    MalformedGrant, Method, NONE, Operation, Resource, Routed, Security, Segment, Setting,
    SettingKind, Table, Throttle, Tool, ToolSchema, ToolSchemaKind, TriggerKind, UnfitValue,
    UnknownMethod, Unrouted,
};
pub use user_pool::{AppClient, UserPool, UserPoolError};

/// The detail of an event as a deployment's bus delivers it: the pipe's input template. Each value
/// is a path into a record of the activity's stream.
pub const EVENT_TEMPLATE: &str = include_str!("../event.json");

/// The document as JSON, its keys in the order of `openapi.yaml`.
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

impl UserPool {
    /// The description in this build, with the named numbers filled in.
    pub fn described(number: impl Fn(&str) -> Option<u64>) -> Result<Self, UserPoolError> {
        let text = include_str!(concat!(env!("OUT_DIR"), "/user-pool.json"));
        Self::read(text, number)
    }
}
