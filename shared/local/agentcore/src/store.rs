//! Retention: records and their lifetimes.

use local_kit::{DAY, Layout, Millis, empty};
use rusqlite::Transaction;
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

pub(crate) type Store = local_kit::Store<Refusal>;

pub(crate) const LAYOUT: Layout = Layout {
    tables: TABLES,
    sweep: sweep_out,
};

/// The stored form of a secret that is only compared, and of keys made of several parts.
pub(crate) type Fingerprint = [u8; 32];

pub(crate) fn fingerprint(text: &str) -> Fingerprint {
    Sha256::digest(text.as_bytes()).into()
}

/// How long an ended session is kept. Its use is then reported as ended, not as unknown.
const REMEMBERED: Millis = DAY;

const TABLES: &str = "
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

fn sweep_out(transaction: &Transaction<'_>, now: Millis) -> Result<(), rusqlite::Error> {
    transaction.execute("DELETE FROM workload_tokens WHERE expires <= ?1", [now])?;
    transaction.execute(
        "DELETE FROM sessions WHERE expires <= ?1",
        [now - REMEMBERED],
    )?;
    Ok(())
}

/// Forgets sessions and the vault. Workload tokens stay good: their holder cannot know of a
/// reset.
pub(crate) fn forget_people(transaction: &Transaction<'_>) -> Result<(), Refusal> {
    Ok(empty(transaction, &["sessions", "vault"])?)
}
