//! `sweep-unproved-users`: removes, on a schedule, users that Latchkey made and whose address was
//! not proved in time.
//!
//! A sign-in or a registration makes a user for any typed address, and Cognito bills users. Only
//! users with a note from the start that made them are removed; never imported, adopted or foreign
//! users. One conditional write claims a user for removal, not before the last start at the address
//! is 15 minutes old, and not after a proof has claimed it.
//!
//! If a call fails: the run continues with the next address, and ends as failed. If a user was
//! claimed but not removed, the next run claims it again, or the next start at the address removes
//! it. If a user was removed but not forgotten, the next run forgets it.

mod sweep_unproved_users;

use std::time::Duration;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Clock, Problem};
use auth_flows::UnprovedSweep;
use auth_lambda::{Function, ScheduledWork};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let hours: u32 = platform.environment().required("UNPROVED_USER_HOURS")?;
    Ok(Function::scheduled(SweepUnprovedUsers {
        sweep: UnprovedSweep::new(platform)?,
        clock: platform.clock(),
        wait: Duration::from_hours(hours.into()),
    }))
}

/// The function's dependencies.
struct SweepUnprovedUsers {
    sweep: UnprovedSweep,
    clock: Clock,
    /// How long an unproved user stays.
    wait: Duration,
}

/// The result of a run.
#[derive(Serialize)]
struct Swept {
    /// The number of removed users.
    removed: u32,
    /// Addresses that were due.
    due: usize,
}

impl ScheduledWork for SweepUnprovedUsers {
    const NAME: &'static str = "sweep-unproved-users";

    type Report = Swept;

    async fn run(&self) -> Result<Swept, Problem> {
        self.sweep().await
    }
}
