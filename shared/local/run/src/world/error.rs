//! Why a world does not start, or does not do what it was asked.

use super::ports::PortError;
use super::state_folder::StateFolderError;
use crate::functions::FunctionsError;

/// Why a world does not start, or does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A port cannot be had.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The state folder cannot be had.
    #[error(transparent)]
    StateFolder(#[from] StateFolderError),
    /// A function does not start.
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    /// A part of the world failed.
    #[error("{part} failed")]
    Part {
        /// Which one.
        part: &'static str,
        /// What it said.
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
}
