//! `exportAccount`, POST /me/export: everything that is stored about the guest.
//!
//! It takes a fresh proof, and the authenticator of a guest who has one: a copy of everything is
//! more than a session left open should give. The items are shown as they are stored, so nothing
//! that is added later is left out. A secret reads `withheld`.
//!
//! If a call fails: nothing has changed, but that the proof is used up where it was a mailed code,
//! and so is a code of the authenticator. The guest's activity names every export; where that
//! cannot be noted, the log says so.

mod export_account;

use auth_aws::{Callers, ConfigurationError, Platform, StoredRecords};
use auth_domain::{Clock, Guest, Problem, ProofPurpose, Proofs, Timestamp};
use auth_flows::{Activities, FreshProofs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;
use serde_json::Value;

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ExportAccount {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, ExportAccount::NAME, ProofPurpose::Export)?,
        stored: StoredRecords::new(platform)?,
        activities: Activities::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// What the operation works with.
struct ExportAccount {
    callers: Callers,
    proofs: FreshProofs,
    stored: StoredRecords,
    activities: Activities,
    clock: Clock,
}

/// Everything.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    #[serde(rename = "exportedAt")]
    at: Timestamp,
    user: Guest,
    records: Records,
}

/// The items as they are stored.
#[derive(Serialize)]
struct Records {
    guest: Vec<Value>,
    sessions: Vec<Value>,
    activity: Vec<Value>,
    directory: Value,
}

impl Operation for ExportAccount {
    const NAME: &'static str = "export-account";
    const ACCESS: Access = Access::Caller;

    type Input = Proofs;
    type Output = Exported;

    fn parse(&self, fields: &mut Fields) -> Result<Proofs, Problem> {
        let proofs = fields.proofs();
        fields.finish_with(proofs)
    }

    async fn run(&self, proofs: Proofs, exchange: &Exchange) -> Result<Exported, Problem> {
        self.export(&proofs, exchange).await
    }
}
