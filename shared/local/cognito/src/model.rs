//! AWS's model of user pools, `model.json`, and how a breach of it is refused.

use std::sync::LazyLock;

use local_kit::{Model, Protocol, Unfit, summary};
use serde_json::Value;

use crate::refusal::{Exception, Refusal};

static MODEL: LazyLock<Model> =
    LazyLock::new(|| Model::read(include_str!("model.json"), Protocol::Json11));

/// The name of the operation, if this stand-in serves it.
pub(crate) fn operation(name: &str) -> Option<&'static str> {
    MODEL.operation(name).map(|(name, _)| name)
}

/// Checks the body of a call of `operation` against the model.
pub(crate) fn check(operation: &str, body: &Value) -> Result<(), Refusal> {
    MODEL.check(operation, body).map_err(|unfit| match unfit {
        Unfit::Unreadable(message) => Refusal::new(Exception::Serialization, message),
        Unfit::Breached(breaches) => Refusal::invalid(summary(&breaches)),
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
