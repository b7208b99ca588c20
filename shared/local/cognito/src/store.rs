//! The state: one SQLite database, in memory or in a file, behind one lock.
//!
//! Every change is one immediate transaction, so two requests that race are decided here and nowhere else. The journal
//! is a write-ahead log: what was answered survives the end of the process at any moment.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::refusal::Refusal;

/// Where the state is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    /// Nowhere: it ends with the process.
    Memory,
    /// In this SQLite file, which is made if it is not there.
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

/// How often what has expired is swept out, by the clock that the options brought.
const SWEEP_EVERY: Millis = 60_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS keys (
    name TEXT PRIMARY KEY,
    key BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pools (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pool_keys (
    pool TEXT PRIMARY KEY,
    id BLOB NOT NULL,
    access BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS clients (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    secret TEXT,
    settings TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS clients_of_pool ON clients (pool, id);
CREATE TABLE IF NOT EXISTS users (
    pool TEXT NOT NULL,
    username TEXT NOT NULL,
    sub TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (pool, username),
    UNIQUE (pool, sub)
) STRICT;
CREATE TABLE IF NOT EXISTS aliases (
    pool TEXT NOT NULL,
    alias TEXT NOT NULL,
    username TEXT NOT NULL,
    PRIMARY KEY (pool, alias)
) STRICT;
CREATE INDEX IF NOT EXISTS aliases_of_user ON aliases (pool, username);
CREATE TABLE IF NOT EXISTS sessions (
    key BLOB PRIMARY KEY,
    pool TEXT NOT NULL,
    username TEXT,
    used INTEGER NOT NULL DEFAULT 0,
    expires INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (pool, username);
CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires);
CREATE TABLE IF NOT EXISTS sign_ins (
    origin_jti TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    client TEXT NOT NULL,
    username TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS sign_ins_of_user ON sign_ins (pool, username);
CREATE INDEX IF NOT EXISTS sign_ins_by_end ON sign_ins (expires);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    key BLOB PRIMARY KEY,
    origin_jti TEXT NOT NULL,
    spent INTEGER,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS refresh_tokens_by_end ON refresh_tokens (expires);
CREATE TABLE IF NOT EXISTS codes (
    pool TEXT NOT NULL,
    username TEXT NOT NULL,
    purpose TEXT NOT NULL,
    key BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (pool, username, purpose)
) STRICT;
CREATE INDEX IF NOT EXISTS codes_by_end ON codes (expires);
CREATE TABLE IF NOT EXISTS domains (
    domain TEXT PRIMARY KEY,
    pool TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS managed_login (
    domain TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS hosted (
    key BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    pool TEXT NOT NULL,
    username TEXT,
    expires INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS hosted_of_user ON hosted (pool, username);
CREATE INDEX IF NOT EXISTS hosted_by_end ON hosted (expires);
CREATE TABLE IF NOT EXISTS grants (
    origin_jti TEXT PRIMARY KEY,
    scopes TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    pool TEXT NOT NULL,
    username TEXT NOT NULL,
    operation TEXT NOT NULL,
    began INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (pool, username, operation)
) STRICT;
";

/// An hour in milliseconds.
pub(crate) const HOUR: Millis = 3_600_000;

/// How long an ended sign-in or code is remembered, so that its use is called expired and not unknown: a day.
const REMEMBERED: Millis = 86_400_000;

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
                let connection = Connection::open(path)?;
                connection.pragma_update(None, "journal_mode", "WAL")?;
                connection.pragma_update(None, "synchronous", "NORMAL")?;
                connection
            }
        };
        connection.set_prepared_statement_cache_capacity(128);
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            inner: Mutex::new(Inner {
                connection,
                swept: Millis::MIN,
            }),
        })
    }

    /// The key that authenticates sessions: `fresh`, where the state has none yet.
    pub(crate) fn session_key(&self, fresh: [u8; 32]) -> Result<[u8; 32], rusqlite::Error> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.connection.execute(
            "INSERT OR IGNORE INTO keys (name, key) VALUES ('session', ?1)",
            [fresh],
        )?;
        inner
            .connection
            .query_row("SELECT key FROM keys WHERE name = 'session'", [], |row| {
                row.get(0)
            })
    }

    /// Runs `change` alone. Its error takes everything back; a refusal that must leave a trace is returned inside `Ok`.
    pub(crate) fn change<T>(
        &self,
        now: Millis,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
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
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        read(&inner.connection)
    }
}

fn sweep_out(transaction: &Transaction<'_>, now: Millis) -> Result<(), rusqlite::Error> {
    for table in ["sessions", "hosted"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE expires <= ?1"), [now])?;
    }
    transaction.execute("DELETE FROM attempts WHERE began <= ?1", [now - HOUR])?;
    for table in ["sign_ins", "grants", "refresh_tokens", "codes"] {
        transaction.execute(
            &format!("DELETE FROM {table} WHERE expires <= ?1"),
            [now - REMEMBERED],
        )?;
    }
    Ok(())
}

/// Forgets everything but pools, clients and keys.
pub(crate) fn forget_people(transaction: &Transaction<'_>) -> Result<(), Refusal> {
    for table in [
        "users",
        "aliases",
        "sessions",
        "sign_ins",
        "refresh_tokens",
        "codes",
        "attempts",
        "hosted",
        "grants",
    ] {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}
