//! Retention: records and their lifetimes.

use local_kit::{DAY, HOUR, Layout, Millis, empty};
use rusqlite::{Connection, Transaction};

use crate::refusal::Refusal;

pub(crate) type Store = local_kit::Store<Refusal>;

pub(crate) const LAYOUT: Layout = Layout {
    tables: TABLES,
    sweep: sweep_out,
};

const TABLES: &str = "
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
    settings TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS client_secrets (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    value TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS secrets_of_client ON client_secrets (client, created);
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
CREATE TABLE IF NOT EXISTS import_jobs (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    created INTEGER NOT NULL,
    document TEXT NOT NULL,
    file BLOB
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

/// How long an ended sign-in or code is kept. Its use is then reported as expired, not as unknown.
const REMEMBERED: Millis = DAY;

fn sweep_out(transaction: &Transaction<'_>, now: Millis) -> Result<(), rusqlite::Error> {
    for table in ["sessions", "hosted"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE expires <= ?1"), [now])?;
    }
    transaction.execute("DELETE FROM attempts WHERE began <= ?1", [now - HOUR])?;
    transaction.execute(
        "UPDATE import_jobs SET file = NULL WHERE created <= ?1",
        [now - DAY],
    )?;
    for table in ["sign_ins", "grants", "refresh_tokens", "codes"] {
        transaction.execute(
            &format!("DELETE FROM {table} WHERE expires <= ?1"),
            [now - REMEMBERED],
        )?;
    }
    Ok(())
}

/// Fails the import jobs that an earlier process left running.
pub(crate) fn fail_interrupted_imports(
    connection: &Connection,
    now: Millis,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE import_jobs
         SET document = json_set(document, '$.status', 'Failed', '$.completed', ?1)
         WHERE json_extract(document, '$.status') IN ('Pending', 'InProgress', 'Stopping')",
        [now],
    )?;
    Ok(())
}

/// Forgets everything but pools, clients and keys.
pub(crate) fn forget_people(transaction: &Transaction<'_>) -> Result<(), Refusal> {
    let tables = [
        "users",
        "aliases",
        "sessions",
        "sign_ins",
        "refresh_tokens",
        "codes",
        "attempts",
        "hosted",
        "grants",
        "import_jobs",
    ];
    Ok(empty(transaction, &tables)?)
}
