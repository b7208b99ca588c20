//! `exportAccount`, POST /me/export: returns all stored data of the guest.
//!
//! It takes a fresh proof, and the authenticator of a guest who has one: an open session must not
//! suffice for a full copy. The items are returned as they are stored, so a new attribute is
//! included without a change here. A secret reads `withheld`.
//!
//! If a call fails: nothing has changed, except that a mailed code and a code of the authenticator
//! are used up. The guest's activity lists every export. If that event cannot be written, the log
//! reports it.

mod export_account;

use auth_aws::{Callers, ConfigurationError, Platform, StoredRecords};
use auth_domain::{Clock, Guest, Problem, ProofPurpose, Proofs, Timestamp};
use auth_flows::{Activities, FreshProofs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;
use serde_json::Value;

/// The function with its dependencies.
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

/// The operation's dependencies.
struct ExportAccount {
    callers: Callers,
    proofs: FreshProofs,
    stored: StoredRecords,
    activities: Activities,
    clock: Clock,
}

/// All stored data of the guest.
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
