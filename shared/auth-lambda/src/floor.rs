//! The floor under an answer's time.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep_until};

/// The shortest response time, so that a fast path looks like a slow one (ASVS 5.0 6.3.8).
#[derive(Clone, Copy, Debug)]
pub struct ResponseFloor(Duration);

impl ResponseFloor {
    /// A floor of `duration`. It must exceed the time of the slowest path: a slower path would be
    /// noticeable.
    #[must_use]
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// The answer of `work`, not before the floor.
    pub async fn hold<T>(&self, work: impl Future<Output = T>) -> T {
        let floor = Instant::now() + self.0;
        let answer = work.await;
        sleep_until(floor).await;
        answer
    }

    /// The answer of `work`. A refusal does not leave before the floor.
    pub async fn hold_refusals<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let floor = Instant::now() + self.0;
        let answer = work.await;
        if answer.is_err() {
            sleep_until(floor).await;
        }
        answer
    }
}
