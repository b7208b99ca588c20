//! The folder that a world's state survives in: held by one process at a time, forgotten file by
//! file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::control::mailbox::write_private;

/// Every file that a world keeps. `--fresh` removes only these from the folder.
const FILES: [&str; 14] = [
    "agentcore.sqlite",
    "agentcore.sqlite-shm",
    "agentcore.sqlite-wal",
    "aws.json",
    "aws.new",
    "clock",
    "cognito.sqlite",
    "cognito.sqlite-shm",
    "cognito.sqlite-wal",
    "dynamodb.sqlite",
    "dynamodb.sqlite-shm",
    "dynamodb.sqlite-wal",
    "mailbox.jsonl",
    "shape",
];

/// The shape of the kept items. Another number whenever this version would not read those of the
/// one before: the keys of tables do not tell that an attribute has another name.
const SHAPE: &str = "2";

/// A state folder, locked until this is dropped. The lock is the operating system's: it ends with
/// the process, however that ends.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    _lock: File,
}

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateFolderError {
    /// Another process uses it.
    #[error("the state folder {0} is in use by another process")]
    InUse(PathBuf),
    /// Another version of Latchkey wrote it.
    #[error("the state folder {0} has an older shape; start with --fresh to forget it")]
    OlderShape(PathBuf),
    /// The file system refused.
    #[error("the state folder {path} cannot be used")]
    File {
        /// The folder.
        path: PathBuf,
        /// The file system's error.
        source: io::Error,
    },
}

impl StateFolder {
    /// Makes a missing folder, with a `.gitignore` of its own, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self, StateFolderError> {
        let failed = |source| StateFolderError::File {
            path: path.to_owned(),
            source,
        };
        make_private_folder(path).map_err(failed)?;
        if !path.join(".gitignore").exists() {
            fs::write(path.join(".gitignore"), "*\n").map_err(failed)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StateFolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Removes everything that a world kept here.
    pub(crate) fn forget(&self) -> Result<(), StateFolderError> {
        for name in FILES {
            match fs::remove_file(self.file(name)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(StateFolderError::File {
                        path: self.path.clone(),
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether this version has kept nothing here yet, or items of its own shape.
    pub(crate) fn has_this_shape(&self) -> bool {
        let kept = fs::read_to_string(self.file("shape")).unwrap_or_default();
        kept == SHAPE || !self.file("dynamodb.sqlite").exists()
    }

    /// Writes down the shape of the items.
    pub(crate) fn keep_shape(&self) -> io::Result<()> {
        write_private(&self.file("shape"), SHAPE.as_bytes())
    }

    /// The refusal of state from an older version.
    pub(crate) fn older_shape(&self) -> StateFolderError {
        StateFolderError::OlderShape(self.path.clone())
    }

    /// One of the files, by its name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        debug_assert!(FILES.contains(&name), "`--fresh` must know {name}");
        self.path.join(name)
    }

    /// How far the kept world's clock was ahead. Its records carry that time, so the clock
    /// continues from there.
    pub(crate) fn clock_ahead(&self) -> Duration {
        let kept = fs::read_to_string(self.file("clock")).unwrap_or_default();
        Duration::from_millis(kept.trim().parse().unwrap_or(0))
    }

    /// Writes down how far the clock is ahead.
    pub(crate) fn keep_clock_ahead(&self, ahead: Duration) -> io::Result<()> {
        write_private(
            &self.file("clock"),
            ahead.as_millis().to_string().as_bytes(),
        )
    }
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
