//! Time, which callers pass in.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The source of time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Milliseconds since 1970.
pub type Millis = i64;

/// An hour in milliseconds.
pub const HOUR: Millis = 3_600_000;

/// A day in milliseconds.
pub const DAY: Millis = 24 * HOUR;

/// The system's clock.
#[must_use]
pub fn system_clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the time that is passed on comes from"
    )]
    Arc::new(SystemTime::now)
}

/// The current time by this clock.
#[must_use]
pub fn millis(clock: &Clock) -> Millis {
    let since = clock().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// An instant as the JSON protocols write it: seconds since 1970, with a fraction.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 stay exact in a double for 285,000 years"
)]
pub fn seconds(instant: Millis) -> f64 {
    instant as f64 / 1_000.0
}
