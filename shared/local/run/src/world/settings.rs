//! A person's settings: the limits and switches that the functions read from their environment,
//! under the same names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use auth_api::{Contract, Maker, Setting, SettingKind, UnfitValue};
use url::Url;

/// The defaults that differ from the contract's. A stand-in answers in a few milliseconds, so much
/// lower floors hide as much. The public client is on, for trying it.
const LOCAL_DEFAULTS: [(&str, &str); 3] = [
    ("OTP_RESPONSE_FLOOR_MS", "150"),
    ("OTP_REFUSAL_FLOOR_MS", "50"),
    ("PUBLIC_CLIENT", "sign-in"),
];

/// The three positions of `PUBLIC_CLIENT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublicClient {
    /// The pool has no public client.
    Off,
    /// It signs in at Cognito. Latchkey accepts none of its tokens.
    SignIn,
    /// Its tokens open the JWT routes.
    Api,
}

impl PublicClient {
    fn named(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "sign-in" => Some(Self::SignIn),
            "api" => Some(Self::Api),
            _ => None,
        }
    }
}

/// Configured values by the names that the functions know them under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

/// Why a setting cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// The file system's error.
        source: io::Error,
    },
    /// A line is neither empty, nor a comment, nor `NAME = value`.
    #[error("line {0} is not of the form NAME = value")]
    Line(usize),
    /// No function reads a variable of this name.
    #[error("{name} is not a setting; the settings are {known}")]
    Unknown {
        /// The given name.
        name: String,
        /// The known names.
        known: String,
    },
    /// The local run sets this one.
    #[error("{0} is set by the local run itself")]
    MadeHere(String),
    /// The same name twice.
    #[error("{0} is set twice")]
    Twice(String),
    /// A value of the wrong kind, or outside the setting's bounds.
    #[error("{name} {unfit}")]
    Value {
        /// The setting.
        name: String,
        /// The form of its value.
        unfit: UnfitValue,
    },
    /// Two values that contradict each other.
    #[error("{0}")]
    Together(&'static str),
    /// No absolute URL.
    #[error("{0} must be an absolute URL with a host")]
    Url(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self(
            LOCAL_DEFAULTS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        )
    }
}

impl Settings {
    /// Reads `NAME = value` lines. Empty lines and lines that begin with `#` are ignored.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path).map_err(|source| SettingsError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::from_text(&text)
    }

    /// As [`Settings::from_file`], from the file's content.
    pub fn from_text(text: &str) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let mut seen = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once('=').ok_or(SettingsError::Line(index + 1))?;
            let name = name.trim();
            if seen.contains(&name) {
                return Err(SettingsError::Twice(name.to_owned()));
            }
            seen.push(name);
            settings = settings.with(name, value.trim())?;
        }
        settings.check_together()?;
        Ok(settings)
    }

    /// The same with one more value.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, SettingsError> {
        let setting = Contract::embedded()
            .settings()
            .iter()
            .find(|setting| setting.name == name)
            .ok_or_else(|| SettingsError::Unknown {
                name: name.to_owned(),
                known: configurable()
                    .map(|setting| setting.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
        if is_made_here(setting) {
            return Err(SettingsError::MadeHere(name.to_owned()));
        }
        setting.check(value).map_err(|unfit| SettingsError::Value {
            name: name.to_owned(),
            unfit,
        })?;
        let is_url = setting.kind == SettingKind::Url;
        if is_url && !Url::parse(value).is_ok_and(|url| url.has_host()) {
            return Err(SettingsError::Url(name.to_owned()));
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }

    /// Refuses values that contradict each other, before anything starts.
    pub(crate) fn check_together(&self) -> Result<(), SettingsError> {
        let is_required = self.value("SECOND_FACTOR") == Some("required");
        if is_required && self.public_client() == PublicClient::Api {
            return Err(SettingsError::Together(
                "PUBLIC_CLIENT must not be api where SECOND_FACTOR is required: \
                 that client asks for no second factor",
            ));
        }
        Ok(())
    }

    /// The configured value, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The configured value, or the contract's default.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).or_else(|| setting(name)?.default.as_deref())
    }

    /// The position of the public client.
    pub(crate) fn public_client(&self) -> PublicClient {
        self.value("PUBLIC_CLIENT")
            .and_then(PublicClient::named)
            .unwrap_or(PublicClient::Off)
    }
}

fn setting(name: &str) -> Option<&'static Setting> {
    Contract::embedded()
        .settings()
        .iter()
        .find(|setting| setting.name == name)
}

fn configurable() -> impl Iterator<Item = &'static Setting> {
    Contract::embedded()
        .settings()
        .iter()
        .filter(|setting| !is_made_here(setting))
}

fn is_made_here(setting: &Setting) -> bool {
    setting.made_by.contains(&Maker::Local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Settings::from_text(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_names_settings_as_the_functions_do() {
        let settings = Settings::from_text(
            "# tight\n\nOTP_ATTEMPTS = 2\nFRONTEND_URL=http://localhost:3000\n",
        )
        .unwrap();
        assert_eq!(settings.get("OTP_ATTEMPTS"), Some("2"));
        assert_eq!(settings.get("FRONTEND_URL"), Some("http://localhost:3000"));
        assert_eq!(settings.get("OTP_RESPONSE_FLOOR_MS"), Some("150"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        assert!(refusal("OTP_ATTEMPT = 2").starts_with("OTP_ATTEMPT is not a setting"));
        assert_eq!(
            refusal("OTP_ATTEMPTS = two"),
            "OTP_ATTEMPTS must be a whole number from 1 to 100"
        );
        assert_eq!(
            refusal("OTP_ATTEMPTS = 101"),
            "OTP_ATTEMPTS must be a whole number from 1 to 100"
        );
        assert_eq!(
            refusal("LOG_LEVEL = loud"),
            "LOG_LEVEL must be one of error, warn, info, debug, trace"
        );
        assert_eq!(
            refusal("FRONTEND_URL = /login"),
            "FRONTEND_URL must be an absolute URL"
        );
        assert_eq!(
            refusal("OTP_ATTEMPTS = 1\nOTP_ATTEMPTS = 2"),
            "OTP_ATTEMPTS is set twice"
        );
        assert_eq!(
            refusal("SECRETS_ID = mine"),
            "SECRETS_ID is set by the local run itself"
        );
        assert_eq!(
            refusal("OTP_ATTEMPTS"),
            "line 1 is not of the form NAME = value"
        );
        assert_eq!(
            refusal("PUBLIC_CLIENT = api\nSECOND_FACTOR = required"),
            "PUBLIC_CLIENT must not be api where SECOND_FACTOR is required: \
             that client asks for no second factor"
        );
        assert_eq!(
            refusal("PUBLIC_CLIENT = on"),
            "PUBLIC_CLIENT must be one of off, sign-in, api"
        );
    }
}
