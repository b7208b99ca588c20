//! Throttling by token buckets, for the stage and for each route, on the world's clock.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use auth_api::{Operation, Throttle};
use auth_domain::Timestamp;

/// The default quota that an account's HTTP APIs share in a Region.
const STAGE: Throttle = Throttle {
    rate_per_second: 10_000,
    burst: 5_000,
};

/// The buckets of the stage and of the routes that were used.
#[derive(Default)]
pub(super) struct Throttles {
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled_at: Timestamp,
}

impl Throttles {
    /// Takes a token for the request, or refuses it.
    pub(super) fn admit(&self, operation: &Operation, now: Timestamp) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut take = |name: &str, throttle: Throttle| {
            let bucket = buckets.entry(name.to_owned()).or_insert(Bucket {
                tokens: throttle.burst.into(),
                filled_at: now,
            });
            bucket.take(throttle, now)
        };
        take("$default", STAGE) && take(&operation.operation_id, operation.throttle)
    }

    /// Fills every bucket.
    pub(super) fn reset(&self) {
        self.buckets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Bucket {
    fn take(&mut self, throttle: Throttle, now: Timestamp) -> bool {
        let passed_ms = u32::try_from(now.as_millis() - self.filled_at.as_millis()).unwrap_or(0);
        let earned = f64::from(passed_ms) / 1000.0 * f64::from(throttle.rate_per_second);
        self.tokens = (self.tokens + earned).min(throttle.burst.into());
        self.filled_at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let throttle = Throttle {
            rate_per_second: 2,
            burst: 3,
        };
        let mut bucket = Bucket {
            tokens: 3.0,
            filled_at: Timestamp::from_millis(0),
        };
        let mut take = |ms| bucket.take(throttle, Timestamp::from_millis(ms));
        assert_eq!(
            [take(0), take(0), take(0), take(0)],
            [true, true, true, false]
        );
        assert_eq!([take(499), take(500), take(500)], [false, true, false]);
        assert_eq!(
            [take(60_000), take(60_000), take(60_000), take(60_000)],
            [true, true, true, false]
        );
    }
}
