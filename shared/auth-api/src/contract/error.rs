//! The error of a document that is not a contract.

/// The reason why a document is not a contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The document is not JSON, lacks a part, or has an unknown key or value.
    #[error("the document does not have the shape of a contract")]
    Shape(#[from] serde_json::Error),
    /// Two parts contradict each other. The message names them.
    #[error("{place}: {reason}")]
    Contradiction {
        /// The function, resource, setting or path.
        place: String,
        /// The fault.
        reason: String,
    },
}

pub(super) fn contradiction(place: &str, reason: impl Into<String>) -> ContractError {
    ContractError::Contradiction {
        place: place.to_owned(),
        reason: reason.into(),
    }
}
