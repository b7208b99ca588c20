//! Gates: work under one key runs one after another, work under other keys at the same time.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use tokio::sync::{Mutex, MutexGuard};

/// A fixed number of gates that all keys share. Two keys may share a gate: then they wait for each
/// other, without further effect.
#[derive(Debug)]
pub struct Gates(Vec<Mutex<()>>);

impl Gates {
    /// `count` gates, at least one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self((0..count.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Waits for the turn of this key. The turn lasts until the guard is dropped.
    pub async fn turn(&self, key: &impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let gate = usize::try_from(hasher.finish() % self.0.len() as u64).unwrap_or(0);
        self.0[gate].lock().await
    }
}
