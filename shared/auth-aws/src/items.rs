//! DynamoDB's attribute types, and the two outcomes of a conditional write.

use std::collections::HashMap;

use auth_domain::{Report, Sealed, Timestamp};
use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    primitives::Blob,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use crate::boxed::Boxed as _;
use crate::failure::{Failure, failure};

/// An item or a key.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(crate) fn sealed(value: &Sealed) -> AttributeValue {
    AttributeValue::B(Blob::new(value.as_bytes()))
}

/// An instant in milliseconds, which conditions compare.
pub(crate) fn millis(at: Timestamp) -> AttributeValue {
    number(at.as_millis())
}

pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn get_sealed(item: &Item, name: &str) -> Option<Sealed> {
    item.get(name)?
        .as_b()
        .ok()
        .map(|blob| Sealed::from_bytes(blob.as_ref()))
}

pub(crate) fn get_number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn get_millis(item: &Item, name: &str) -> Option<Timestamp> {
    get_number(item, name).map(Timestamp::from_millis)
}

/// A record that does not parse: another program wrote it, or another version of Latchkey with a
/// different shape.
pub(crate) fn unreadable(what: &'static str) -> Report {
    Report::of(what)
}

/// The outcome of a conditional write.
pub(crate) enum Written {
    /// The write was made. The item after it.
    Made(Item),
    /// The condition did not hold. The present item, if there is one.
    Refused(Option<Item>),
}

impl Written {
    /// Whether the condition held.
    pub(crate) fn is_made(&self) -> bool {
        match self {
            Self::Made(_) => true,
            Self::Refused(_) => false,
        }
    }
}

/// Sends an update that returns the item after it, or the present item if the condition does not
/// hold.
pub(crate) async fn conditional_update(
    update: UpdateItemFluentBuilder,
    attempted: &'static str,
) -> Result<Written, Failure> {
    let sending = update
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send();
    // The SDK's futures are large, and several writes stand side by side in one.
    match sending.boxed().await {
        Ok(output) => Ok(Written::Made(output.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Written::Refused(refused.item().cloned()))
            }
            Some(_) | None => Err(failure(attempted)(error)),
        },
    }
}
