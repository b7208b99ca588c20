//! Decisions that several operations make, above adapters and doors.

mod admission;

pub use admission::{CodeMails, CodeTries, NetworkAttempts, Requester};
