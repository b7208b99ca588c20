//! The error of a world that fails to start, or that fails to do as asked.

use std::path::PathBuf;

use super::ports::PortError;
use super::state_folder::StateFolderError;
use crate::functions::FunctionsError;

/// The reason why a world fails to start, or fails to do as asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A port cannot be had.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The state folder cannot be had.
    #[error(transparent)]
    StateFolder(#[from] StateFolderError),
    /// A function failed to start.
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    /// The kept state cannot be read.
    #[error(
        "{part} cannot use its kept state in {file}; start with --fresh to forget all that is kept"
    )]
    Kept {
        /// The part whose state it is.
        part: &'static str,
        /// The file of the state.
        file: PathBuf,
        /// Its message.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A part of the world failed.
    #[error("{part} failed")]
    Part {
        /// Which one.
        part: &'static str,
        /// Its message.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl WorldError {
    /// For `map_err`: names the part that failed.
    pub(crate) fn of<E>(part: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Part {
            part,
            source: source.into(),
        }
    }

    /// For `map_err` in a part that opens its state's file, if it has one.
    pub(crate) fn of_kept<E>(part: &'static str, file: Option<PathBuf>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| match file {
            Some(file) => Self::Kept {
                part,
                file,
                source: source.into(),
            },
            None => Self::of(part)(source),
        }
    }
}
