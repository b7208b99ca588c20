//! Why a document is not a contract.

/// Why a document is not a contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// Not JSON, a part missing, a key or a value that is not known here.
    #[error("the document does not have the shape of a contract")]
    Shape(#[from] serde_json::Error),
    /// Parts that contradict each other; says which and how.
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
