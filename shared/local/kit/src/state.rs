//! The state: one SQLite database, in memory or in a file, behind one lock.
//!
//! Every change is one immediate transaction, so two requests that race are decided here and
//! nowhere else. The journal is a write-ahead log: an answered change survives the end of the
//! process at any moment.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::clock::Millis;

/// The place of the state.
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    /// Nowhere: it ends with the process.
    Memory,
    /// In this file. A missing file is made, for its owner only.
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

/// A stand-in's state.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// SQL that makes missing tables and indexes.
    pub tables: &'static str,
    /// Deletes the rows that have ended by this time.
    pub sweep: fn(&Transaction<'_>, Millis) -> rusqlite::Result<()>,
}

/// The interval between two sweeps, by the stand-in's clock.
const SWEEP_EVERY: Millis = 60_000;

/// The database of a stand-in whose refusals are `Refusal`s.
pub struct Store<Refusal> {
    inner: Mutex<Inner>,
    sweep: fn(&Transaction<'_>, Millis) -> rusqlite::Result<()>,
    refusal: PhantomData<fn() -> Refusal>,
}

impl<Refusal> fmt::Debug for Store<Refusal> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Store")
    }
}

struct Inner {
    connection: Connection,
    swept: Millis,
}

/// A copy of a stand-in's database, to which it can return.
pub struct Snapshot {
    copy: Mutex<Connection>,
    swept: Millis,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Snapshot")
    }
}

impl<Refusal: From<rusqlite::Error>> Store<Refusal> {
    /// Opens the database and makes the tables that it lacks.
    pub fn open(state: &State, layout: Layout) -> rusqlite::Result<Self> {
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
        connection.set_prepared_statement_cache_capacity(128);
        connection.execute_batch(layout.tables)?;
        Ok(Self {
            inner: Mutex::new(Inner {
                connection,
                swept: Millis::MIN,
            }),
            sweep: layout.sweep,
            refusal: PhantomData,
        })
    }

    /// Runs `prepare` on the open database, before the first request.
    pub fn prepare<T>(
        &self,
        prepare: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        prepare(&self.locked().connection)
    }

    /// Runs `change` alone. Its error takes everything back; a refusal that must leave a trace is
    /// returned inside `Ok`.
    pub fn change<T>(
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
            (self.sweep)(&transaction, now)?;
        }
        let outcome = change(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Runs `read` on a consistent state.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        read(&self.locked().connection)
    }

    /// Copies the state into memory.
    pub fn snapshot(&self) -> Result<Snapshot, Refusal> {
        let inner = self.locked();
        let mut copy = Connection::open_in_memory()?;
        copy_database(&inner.connection, &mut copy)?;
        Ok(Snapshot {
            copy: Mutex::new(copy),
            swept: inner.swept,
        })
    }

    /// Returns to a copy of the state.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), Refusal> {
        let mut inner = self.locked();
        let copy = snapshot.copy.lock().unwrap_or_else(PoisonError::into_inner);
        copy_database(&copy, &mut inner.connection)?;
        inner.swept = snapshot.swept;
        Ok(())
    }

    /// A panic rolls its transaction back, so a poisoned lock is still valid.
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces all that a database holds by what another one holds.
pub fn copy_database(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    Backup::new(from, to)?.run_to_completion(i32::MAX, Duration::from_millis(1), None)
}

/// The file holds tokens and secrets. SQLite gives its journal the same permissions, and reports a
/// failure here better in the next step.
fn make_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _opened_again_by_sqlite = options.open(path);
}

/// Deletes every row of these tables.
pub fn empty(transaction: &Transaction<'_>, tables: &[&str]) -> rusqlite::Result<()> {
    for table in tables {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}
