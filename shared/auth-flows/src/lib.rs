//! Decisions that several operations make, above adapters and doors.

mod admission;
mod new_users;

pub use admission::{CodeMails, CodeTries, NetworkAttempts, Requester};
pub use new_users::{NewUsers, UnprovedSweep};
