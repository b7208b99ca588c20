//! A moment of a world, to which it can return: many tests begin where one preparation has ended.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use auth_domain::Timestamp;
use rusqlite::Connection;

use super::{World, WorldError};
use crate::control::faults::Armed;

/// The calls whose answers a function keeps: secrets, signing keys, workload tokens.
const CACHED: [&str; 5] = [
    "GetSecretValue",
    "GetSigningKeys",
    "GetWorkloadAccessToken",
    "GetWorkloadAccessTokenForJWT",
    "GetWorkloadAccessTokenForUserId",
];

/// A moment of a world in memory.
pub struct Snapshot {
    at: Timestamp,
    cognito: cognito_local::Snapshot,
    agentcore: agentcore_local::Snapshot,
    dynamodb: Mutex<Connection>,
    mailbox: (u64, BTreeSet<String>),
    last_call: u64,
    faults: Vec<Armed>,
    started: BTreeSet<&'static str>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Snapshot").field(&self.at).finish()
    }
}

impl World {
    /// Takes a snapshot: people, tables, consents, mails, calls, armed faults and the time.
    /// Secrets, keys and the stand-ins' switches are no part of it.
    pub fn snapshot(&self) -> Result<Snapshot, WorldError> {
        let inner = &self.inner;
        Ok(Snapshot {
            at: inner.clock.now(),
            cognito: inner
                .cognito
                .snapshot()
                .map_err(WorldError::of("Cognito"))?,
            agentcore: inner
                .agentcore
                .snapshot()
                .map_err(WorldError::of("AgentCore"))?,
            dynamodb: Mutex::new(
                inner
                    .dynamodb
                    .snapshot()
                    .map_err(WorldError::of("DynamoDB"))?,
            ),
            mailbox: inner.mailbox.snapshot(),
            last_call: inner.calls.last(),
            faults: inner.calls.faults.snapshot(),
            started: inner.functions.started(),
        })
    }

    /// Returns to a snapshot. A function that has since started ends, and so does one that has read
    /// what it keeps. The others stay as warm as they were. Throttles and log lines are forgotten.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), WorldError> {
        let inner = &self.inner;
        let calls = inner.calls.since(snapshot.last_call).into_iter();
        let has_read: BTreeSet<String> = calls
            .filter(|call| CACHED.contains(&call.action.as_str()))
            .map(|call| call.function)
            .collect();
        inner
            .functions
            .end(|name| snapshot.started.contains(name) && !has_read.contains(name));
        inner
            .cognito
            .restore(&snapshot.cognito)
            .map_err(WorldError::of("Cognito"))?;
        inner
            .agentcore
            .restore(&snapshot.agentcore)
            .map_err(WorldError::of("AgentCore"))?;
        let dynamodb = snapshot.dynamodb.lock();
        let dynamodb = dynamodb.unwrap_or_else(PoisonError::into_inner);
        inner
            .dynamodb
            .restore(&dynamodb)
            .map_err(WorldError::of("DynamoDB"))?;
        inner.mailbox.restore(&snapshot.mailbox);
        inner.calls.rewind(snapshot.last_call);
        inner.calls.faults.restore(&snapshot.faults);
        inner.logs.lines.clear();
        inner.gateway.reset();
        inner.clock.move_to(snapshot.at);
        inner.keep_clock()
    }
}
