//! Numbered entries, the oldest dropped first. They hold the calls, logs and mails of a world.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A bounded list whose entries have growing numbers, so that a reader can ask for new ones.
pub(crate) struct Journal<Entry> {
    entries: Mutex<Entries<Entry>>,
    capacity: usize,
    newest: watch::Sender<u64>,
}

struct Entries<Entry> {
    numbered: VecDeque<(u64, Entry)>,
    last: u64,
}

impl<Entry: Clone> Journal<Entry> {
    /// An empty journal that keeps the newest `capacity` entries.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: Mutex::new(Entries {
                numbered: VecDeque::new(),
                last: 0,
            }),
            capacity,
            newest: watch::Sender::new(0),
        }
    }

    /// Adds the entry that `make` builds from its number, and returns that number.
    pub(crate) fn add(&self, make: impl FnOnce(u64) -> Entry) -> u64 {
        let number = {
            let mut entries = self.locked();
            entries.last += 1;
            let number = entries.last;
            entries.numbered.push_back((number, make(number)));
            if entries.numbered.len() > self.capacity {
                entries.numbered.pop_front();
            }
            number
        };
        self.newest.send_replace(number);
        number
    }

    /// The entries after number `since`, oldest first.
    pub(crate) fn since(&self, since: u64) -> Vec<(u64, Entry)> {
        let entries = self.locked();
        let newer = entries
            .numbered
            .partition_point(|(number, _)| *number <= since);
        entries.numbered.iter().skip(newer).cloned().collect()
    }

    /// The newest entry that `wanted` accepts.
    pub(crate) fn latest(&self, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let entries = self.locked();
        let found = entries
            .numbered
            .iter()
            .rev()
            .find(|(_, entry)| wanted(entry));
        found.map(|(_, entry)| entry.clone())
    }

    /// Waits for an entry that `wanted` accepts, and returns the newest such entry.
    pub(crate) async fn wait_for(&self, wanted: impl Fn(&Entry) -> bool) -> Entry {
        let mut newest = self.newest.subscribe();
        loop {
            newest.mark_unchanged();
            if let Some(entry) = self.latest(&wanted) {
                return entry;
            }
            if newest.changed().await.is_err() {
                // The sender lives in `self`, which is borrowed here.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The number of the newest entry so far.
    pub(crate) fn last(&self) -> u64 {
        self.locked().last
    }

    /// Forgets the entries after number `last`. The numbers continue.
    pub(crate) fn rewind(&self, last: u64) {
        let mut entries = self.locked();
        let kept = entries
            .numbered
            .partition_point(|(number, _)| *number <= last);
        entries.numbered.truncate(kept);
    }

    /// Forgets all entries. The numbers continue.
    pub(crate) fn clear(&self) {
        self.locked().numbered.clear();
    }

    /// The code under the lock cannot panic, so a poisoned lock is still valid.
    fn locked(&self) -> MutexGuard<'_, Entries<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
