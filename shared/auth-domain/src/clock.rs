//! Instants, and the clock that callers pass in.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::Language;

/// An instant in milliseconds since the Unix epoch, UTC. Prints and serializes as RFC 3339
/// (`2026-11-21T05:40:50.123Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that lies `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The start of a whole second, as JWTs and DynamoDB's TTL count them.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Reads an RFC 3339 instant; `None` for any other text.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(instant.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Self)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The calendar year, UTC.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date_time().year()
    }

    /// The instant `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The instant `duration` earlier.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Whole seconds from `now` until this instant, rounded up, never negative: the unit of
    /// `Retry-After` and `expiresIn`.
    #[must_use]
    pub fn seconds_from(self, now: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(now.0))
            .unwrap_or(0)
            .div_ceil(1000)
    }

    /// Day, month and minute, as a person reads them: `21 November 2026, 05:40 UTC`.
    #[must_use]
    pub fn for_people(self, language: Language) -> String {
        let at = self.date_time();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, _) = at.to_hms();
        let date = match language {
            Language::English => format!("{day} {month} {year}"),
            Language::German => format!("{day}.{}.{year}", u8::from(month)),
        };
        format!("{date}, {hour:02}:{minute:02} UTC")
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date_time();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second, millisecond) = at.to_hms_milli();
        let month = u8::from(month);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The source of "now": the system in a Lambda, a clock that tests move in the local run.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now` each time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_as_rfc_3339_and_reads_back() {
        let instant = Timestamp::from_millis(1_795_239_650_123);
        assert_eq!(instant.to_string(), "2026-11-21T05:40:50.123Z");
        for (language, text) in [
            (Language::English, "21 November 2026, 05:40 UTC"),
            (Language::German, "21.11.2026, 05:40 UTC"),
        ] {
            assert_eq!(instant.for_people(language), text);
        }
        assert_eq!(
            Timestamp::from_seconds(0).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
        assert_eq!(
            Timestamp::from_rfc3339("2026-11-21T05:40:50.123Z"),
            Some(instant)
        );
    }

    #[test]
    fn a_started_second_counts_whole() {
        let now = Timestamp::from_millis(1000);
        assert_eq!(Timestamp::from_millis(1001).seconds_from(now), 1);
        assert_eq!(Timestamp::from_millis(1000).seconds_from(now), 0);
        assert_eq!(Timestamp::from_millis(0).seconds_from(now), 0);
    }
}
