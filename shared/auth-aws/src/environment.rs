//! Configuration: read once, typed, before the function serves requests.

use std::{
    collections::BTreeMap,
    env,
    fmt::{self, Display},
    ops::RangeInclusive,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use auth_domain::{Ageing, Limit};

/// A variable that stops the start.
#[derive(thiserror::Error)]
pub enum ConfigurationError {
    /// The variable is unset or empty.
    #[error("the environment variable {0} is missing or empty")]
    Missing(String),
    /// The variable has an invalid value.
    #[error("the environment variable {name} {reason}")]
    Invalid {
        /// The variable.
        name: String,
        /// The reason, never the value.
        reason: String,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client does not start")]
    Tls(#[source] aws_smithy_http_client::HttpClientError),
}

impl fmt::Debug for ConfigurationError {
    /// The whole sentence: a process that fails to start prints it on its standard error.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The variables of the function's process.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

/// The most events that a limit may admit in its window: each is an entry of its item, which every
/// write carries whole.
const LARGEST_QUOTA: u32 = 100;

impl Environment {
    /// The process's own environment.
    #[must_use]
    pub fn from_process() -> Self {
        let readable = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_pairs(readable)
    }

    /// An environment that the local run builds, one for each function.
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }

    /// A variable that must be set.
    pub fn text(&self, name: &str) -> Result<&str, ConfigurationError> {
        self.optional(name)?
            .ok_or_else(|| ConfigurationError::Missing(name.to_owned()))
    }

    /// A variable that may be unset, but not empty.
    pub fn optional(&self, name: &str) -> Result<Option<&str>, ConfigurationError> {
        match self.0.get(name).map(String::as_str) {
            Some("") => Err(ConfigurationError::Missing(name.to_owned())),
            value => Ok(value),
        }
    }

    /// A variable that must be set, and parse.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T, ConfigurationError>
    where
        T::Err: Display,
    {
        self.parsed(name)?
            .ok_or_else(|| ConfigurationError::Missing(name.to_owned()))
    }

    /// A variable that must be set: to a valid value, or to `none`.
    pub(crate) fn unless_none<T: FromStr>(
        &self,
        name: &str,
    ) -> Result<Option<T>, ConfigurationError>
    where
        T::Err: Display,
    {
        if self.text(name)? == "none" {
            return Ok(None);
        }
        self.parsed(name)
    }

    /// A number within bounds, so that a typing mistake neither locks all users out nor lifts a
    /// limit.
    pub(crate) fn number_within(
        &self,
        name: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<u32, ConfigurationError> {
        let number = self.required(name)?;
        if bounds.contains(&number) {
            return Ok(number);
        }
        Err(ConfigurationError::Invalid {
            name: name.to_owned(),
            reason: format!("must lie between {} and {}", bounds.start(), bounds.end()),
        })
    }

    /// A duration in whole seconds.
    pub fn seconds(&self, name: &str) -> Result<Duration, ConfigurationError> {
        self.required(name).map(Duration::from_secs)
    }

    /// A duration in milliseconds.
    pub fn milliseconds(&self, name: &str) -> Result<Duration, ConfigurationError> {
        self.required(name).map(Duration::from_millis)
    }

    /// A limit whose table keeps every event: its quota from one variable, its window from another.
    pub fn limit(
        &self,
        policy: &'static str,
        quota: &str,
        window: &str,
    ) -> Result<Limit, ConfigurationError> {
        let limit = Limit {
            name: policy,
            quota: self.number_within(quota, 1..=LARGEST_QUOTA)?,
            window: self.seconds(window)?,
            ageing: Ageing::OneByOne,
        };
        if limit.window.is_zero() {
            return Err(ConfigurationError::Invalid {
                name: window.to_owned(),
                reason: "must be more than nothing".to_owned(),
            });
        }
        Ok(limit)
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ConfigurationError>
    where
        T::Err: Display,
    {
        let Some(value) = self.optional(name)? else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|error: T::Err| ConfigurationError::Invalid {
                name: name.to_owned(),
                reason: format!("does not parse: {error}"),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        Environment::from_pairs([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_failure_names_the_variable_and_not_the_value() {
        let missing = Environment::default()
            .text("GUESTS_TABLE_NAME")
            .unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the environment variable GUESTS_TABLE_NAME is missing or empty"
        );
        let invalid = environment("OTP_ATTEMPTS", "s3cret")
            .required::<u32>("OTP_ATTEMPTS")
            .unwrap_err();
        assert!(
            invalid
                .to_string()
                .starts_with("the environment variable OTP_ATTEMPTS does not parse")
        );
        assert!(!invalid.to_string().contains("s3cret"));
        assert!(
            environment("OTP_ATTEMPTS", "")
                .required::<u32>("OTP_ATTEMPTS")
                .is_err()
        );
    }

    #[test]
    fn a_limit_admits_at_least_one_event_and_at_most_a_hundred() {
        let limit = |quota: &str| {
            let pairs = [("Q", quota), ("W", "900")];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Environment::from_pairs(pairs).limit("policy", "Q", "W")
        };
        assert!(limit("1").is_ok() && limit("100").is_ok());
        assert!(limit("0").is_err() && limit("101").is_err());
    }
}
