//! The common parts of every stand-in for an AWS service: the wire, AWS's service model, the state,
//! clock and randomness that callers pass in, and the program around a router.
//!
//! The kit knows no service. A stand-in brings its operations, its exceptions and its words; the
//! kit imports nothing of this workspace.

mod clock;
mod fault;
mod gates;
mod model;
mod program;
mod random;
mod signature;
mod state;
mod wire;

pub use crate::clock::{Clock, DAY, HOUR, Millis, millis, seconds, system_clock};
pub use crate::fault::{Fault, FaultKind, SpecError};
pub use crate::gates::Gates;
pub use crate::model::{Breach, Model, Operation, Unfit, summary};
pub use crate::program::{Failure, Listening, Program, Served};
pub use crate::random::{Random, base64url, bytes, digits, letters, system_random, uuid};
pub use crate::signature::Scope;
pub use crate::state::{Layout, Snapshot, State, Store, copy_database, empty};
pub use crate::wire::{Answer, Protocol, Service, call, respond, target};
