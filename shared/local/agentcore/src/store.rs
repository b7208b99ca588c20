//! The state: one SQLite database, in memory or in a file, behind one lock.
//!
//! Every change is one immediate transaction, so two requests that race are decided here and nowhere else. The journal
//! is a write-ahead log: what was answered survives the end of the process at any moment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// Where the state is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    /// Nowhere: it ends with the process.
    Memory,
    /// In this SQLite file, which is made, for its owner only, if it is not there.
    File(PathBuf),
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => formatter.write_str("Memory"),
            Self::File(_) => formatter.write_str("File"),
        }
    }
}

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

/// What is kept of a secret that only has to be recognised, and of keys made of several parts.
pub(crate) type Fingerprint = [u8; 32];

pub(crate) fn fingerprint(text: &str) -> Fingerprint {
    Sha256::digest(text.as_bytes()).into()
}

/// How often what has ended is swept out, by the clock that the options brought.
const SWEEP_EVERY: Millis = 60_000;

/// How long an ended session is remembered, so that its use is called ended and not unknown: a day.
const REMEMBERED: Millis = 86_400_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS workload_identities (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS credential_providers (
    name TEXT PRIMARY KEY,
    callback TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS workload_tokens (
    key BLOB PRIMARY KEY,
    expires INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS workload_tokens_by_end ON workload_tokens (expires);
CREATE TABLE IF NOT EXISTS sessions (
    uri TEXT PRIMARY KEY,
    state BLOB UNIQUE,
    expires INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires);
CREATE TABLE IF NOT EXISTS vault (
    key BLOB PRIMARY KEY,
    provider TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
";

pub(crate) struct Store {
    inner: Mutex<Inner>,
}

struct Inner {
    connection: Connection,
    swept: Millis,
}

impl Store {
    pub(crate) fn open(state: &State) -> Result<Self, rusqlite::Error> {
        let connection = match state {
            State::Memory => Connection::open_in_memory()?,
            State::File(path) => {
                make_private(path);
                let connection = Connection::open(path)?;
                connection.pragma_update(None, "journal_mode", "WAL")?;
                connection.pragma_update(None, "synchronous", "NORMAL")?;
                connection
            }
        };
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            inner: Mutex::new(Inner {
                connection,
                swept: Millis::MIN,
            }),
        })
    }

    /// Runs `change` alone. Its error takes everything back.
    pub(crate) fn change<T>(
        &self,
        now: Millis,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut inner = self.locked();
        let sweep = inner.swept.saturating_add(SWEEP_EVERY) <= now || now < inner.swept;
        if sweep {
            inner.swept = now;
        }
        let transaction = inner
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if sweep {
            sweep_out(&transaction, now)?;
        }
        let outcome = change(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Runs `read` on a state that nobody changes meanwhile.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        read(&self.locked().connection)
    }

    /// A panic takes its transaction back, so a poisoned lock is as good as any.
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file holds tokens and client secrets. What goes wrong here, SQLite says better in the next step; it gives its journal the
/// same permissions.
fn make_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _opened_again_by_sqlite = options.open(path);
}

fn sweep_out(transaction: &Transaction<'_>, now: Millis) -> Result<(), rusqlite::Error> {
    transaction.execute("DELETE FROM workload_tokens WHERE expires <= ?1", [now])?;
    transaction.execute(
        "DELETE FROM sessions WHERE expires <= ?1",
        [now - REMEMBERED],
    )?;
    Ok(())
}

/// Forgets sessions and the vault. Workload tokens stay good: whoever holds one cannot know of a reset.
pub(crate) fn forget_people(transaction: &Transaction<'_>) -> Result<(), Refusal> {
    for table in ["sessions", "vault"] {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}
