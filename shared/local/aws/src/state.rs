//! Secrets and keys, in memory and (with a file) on disk after every change.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use local_kit::State;
use serde::{Deserialize, Serialize};

/// The state file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refused.
    #[error("cannot keep state in {path}")]
    File {
        /// The file to be read or written.
        path: PathBuf,
        /// The file system's error.
        source: io::Error,
    },
    /// The file exists, but is not this crate's.
    #[error("{path} does not hold secrets and keys of this version")]
    Content {
        /// The file that was read.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
}

/// The stored state.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// By name.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// By key id.
    pub(crate) keys: BTreeMap<String, Key>,
    /// Alias (`alias/…`) to key id.
    pub(crate) aliases: BTreeMap<String, String>,
}

/// A secret with the versions that still carry a stage.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secret {
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) created: f64,
    pub(crate) changed: f64,
    /// By version id.
    pub(crate) versions: BTreeMap<String, Version>,
}

/// One value of a secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) value: SecretValue,
    pub(crate) stages: Vec<String>,
    pub(crate) created: f64,
}

/// Text or bytes, in the form of the request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SecretValue {
    /// `SecretString`.
    Text(String),
    /// `SecretBinary`, in its original Base64.
    Binary(String),
}

/// A symmetric key: 32 bytes in Base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) material: String,
    /// Keys older than this member have none.
    #[serde(default)]
    pub(crate) created: f64,
}

/// The kept state and its file.
pub(crate) struct Store {
    kept: Mutex<Kept>,
    file: Option<PathBuf>,
}

impl Store {
    pub(crate) fn open(state: State) -> Result<Self, StateError> {
        let file = match state {
            State::Memory => None,
            State::File(path) => Some(path),
        };
        let kept = match &file {
            Some(path) => read(path)?,
            None => Kept::default(),
        };
        Ok(Self {
            kept: Mutex::new(kept),
            file,
        })
    }

    /// Reads without changing anything.
    pub(crate) fn read<Answer>(&self, look: impl FnOnce(&Kept) -> Answer) -> Answer {
        look(&self.locked())
    }

    /// Changes the state and writes it down. A change that fails half-way is its caller's to avoid:
    /// check first, change last.
    pub(crate) fn change<Answer, Failure: From<StateError>>(
        &self,
        change: impl FnOnce(&mut Kept) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let mut kept = self.locked();
        let answer = change(&mut kept)?;
        if let Some(path) = &self.file {
            write(path, &kept)?;
        }
        Ok(answer)
    }

    pub(crate) fn reset(&self) -> Result<(), StateError> {
        self.change(|kept| {
            *kept = Kept::default();
            Ok(())
        })
    }

    /// A panic elsewhere cannot leave the state half-changed, so a poisoned lock can still be used.
    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<Kept, StateError> {
    match fs::read(path) {
        Ok(content) => serde_json::from_slice(&content).map_err(|source| StateError::Content {
            path: path.to_owned(),
            source,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(source) => Err(StateError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Replaces the file in one step, so that a process that dies while writing leaves the former
/// state.
fn write(path: &Path, kept: &Kept) -> Result<(), StateError> {
    let beside = path.with_extension("new");
    let replace = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&serde_json::to_vec_pretty(kept)?)?;
        fs::rename(&beside, path)
    };
    replace().map_err(|source: io::Error| StateError::File {
        path: path.to_owned(),
        source,
    })
}
