//! The world's clock: the system's time and how far it was moved ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_domain::{Clock, Timestamp};

/// The clock of everything in a world: operations, stand-ins, tokens, time to live. It can be moved
/// forward and stopped.
#[derive(Clone, Debug, Default)]
pub struct WorldClock {
    ahead_ms: Arc<AtomicI64>,
    stopped_at: Arc<OnceLock<SystemTime>>,
}

impl WorldClock {
    /// A clock that is `ahead` of the system's.
    pub(crate) fn ahead_by(ahead: Duration) -> Self {
        let clock = Self::default();
        clock.advance(ahead);
        clock
    }

    /// Moves the clock. Use [`World::advance`](crate::World::advance), which also deletes expired
    /// items.
    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// Moves the clock to an instant, back too.
    pub(crate) fn move_to(&self, instant: Timestamp) {
        let ahead = instant.as_millis() - millis_of(self.system());
        self.ahead_ms.store(ahead, Ordering::SeqCst);
    }

    /// Back to the system's time.
    pub(crate) fn reset(&self) {
        self.ahead_ms.store(0, Ordering::SeqCst);
    }

    /// Stops the clock for good: from now on it only changes when it is moved. So a test can reach
    /// the exact edge of a limit.
    pub fn stop(&self) {
        self.stopped_at.get_or_init(system_time);
    }

    /// How far the clock was moved; nothing if it was moved back.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.ahead_ms.load(Ordering::SeqCst)).unwrap_or(0))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(millis_of(self.system_time()))
    }

    /// The present instant, in the stand-ins' type.
    #[must_use]
    pub fn system_time(&self) -> SystemTime {
        let ahead = self.ahead_ms.load(Ordering::SeqCst);
        let by = Duration::from_millis(ahead.unsigned_abs());
        if ahead < 0 {
            self.system() - by
        } else {
            self.system() + by
        }
    }

    fn system(&self) -> SystemTime {
        self.stopped_at.get().copied().unwrap_or_else(system_time)
    }

    /// As the operations take it.
    pub(crate) fn for_operations(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }

    /// The clock in the stand-ins' type.
    pub(crate) fn for_stand_ins(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.system_time())
    }
}

fn millis_of(instant: SystemTime) -> i64 {
    let since_epoch = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

fn system_time() -> SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the local run's time comes from"
    )]
    SystemTime::now()
}
