//! AWS's models of the two services, `model.json`, and how a breach of them is refused.

use std::sync::LazyLock;

use local_kit::{Model, Operation, Protocol, Unfit};
use serde_json::Value;

use crate::refusal::Refusal;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    Model::read(include_str!("model.json"), Protocol::RestJson).refusing_unknown_members()
});

/// The operation that a path means, with its name.
pub(crate) fn operation_at(path: &str) -> Option<(&'static str, &'static Operation)> {
    MODEL.operation_at(path)
}

/// Checks the body of a call of `operation` against the model.
pub(crate) fn check(operation: &str, body: &Value) -> Result<(), Refusal> {
    MODEL.check(operation, body).map_err(|unfit| match unfit {
        Unfit::Unreadable(message) => Refusal::unreadable(message),
        Unfit::Breached(breaches) => Refusal::breached(breaches),
    })
}

#[cfg(test)]
mod tests {
    use super::MODEL;

    #[test]
    fn every_pattern_of_the_model_is_understood_and_every_shape_is_there() {
        assert_eq!(MODEL.flaws(), Vec::<String>::new());
    }
}
