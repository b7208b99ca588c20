//! Attempts at a challenge, counted in its item as a set of names: a retry of the write counts
//! once. One attempt ends the challenge, and may open it again.

use auth_domain::{AttemptId, Problem};
use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue,
};

use crate::items::{Item, Written, conditional_update, number, text};

/// The condition that fewer than `:most` attempts are counted.
pub(crate) const SOME_LEFT: &str = "(attribute_not_exists(attempts) OR size(attempts) < :most)";

/// Adds to a write on an item: it counts `attempt`, if `condition` holds and fewer than `most` are
/// counted. An attempt that is counted already stays counted.
pub(crate) fn counting(
    write: UpdateItemFluentBuilder,
    condition: &str,
    attempt: &AttemptId,
    most: u32,
) -> UpdateItemFluentBuilder {
    write
        .update_expression("ADD attempts :attempt")
        .condition_expression(format!(
            "{condition} AND ({SOME_LEFT} OR contains(attempts, :attemptName))"
        ))
        .expression_attribute_values(":attempt", set_of(attempt))
        .expression_attribute_values(":attemptName", text(attempt.as_str()))
        .expression_attribute_values(":most", number(most))
}

/// Restores an attempt that nothing evaluated, by a write on its item. An item that is gone has
/// none to restore.
pub(crate) async fn give_back(
    write: UpdateItemFluentBuilder,
    attempt: &AttemptId,
) -> Result<(), Problem> {
    let write = write
        .update_expression("DELETE attempts :attempt")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":attempt", set_of(attempt));
    match conditional_update(write, "give back the attempt").await? {
        Written::Made(_) | Written::Refused(_) => Ok(()),
    }
}

/// Ends the challenge by a write on its item, which removes `attributes`. `true` for the one
/// attempt that ends it, also on a retry, `false` for any other.
pub(crate) async fn finish(
    write: UpdateItemFluentBuilder,
    attributes: &str,
    attempt: &AttemptId,
) -> Result<bool, Problem> {
    let write = write
        .update_expression(format!("SET finishedBy = :attempt REMOVE {attributes}"))
        .condition_expression(
            "attribute_exists(pk) AND (attribute_not_exists(finishedBy) OR finishedBy = :attempt)",
        )
        .expression_attribute_values(":attempt", text(attempt.as_str()));
    let written = conditional_update(write, "finish the sign-in").await?;
    Ok(written.is_made())
}

/// Undoes [`finish`] for this attempt, by a write on the item that sets `attributes` again. Another
/// attempt's end stays.
pub(crate) async fn reopen(
    write: UpdateItemFluentBuilder,
    attributes: &str,
    attempt: &AttemptId,
) -> Result<(), Problem> {
    let write = write
        .update_expression(format!("SET {attributes} REMOVE finishedBy"))
        .condition_expression("finishedBy = :attempt")
        .expression_attribute_values(":attempt", text(attempt.as_str()));
    match conditional_update(write, "reopen the sign-in").await? {
        Written::Made(_) | Written::Refused(_) => Ok(()),
    }
}

/// The number of attempts that an item counts.
pub(crate) fn counted(item: &Item) -> u32 {
    let names = item.get("attempts").and_then(|set| set.as_ss().ok());
    names.map_or(0, |names| u32::try_from(names.len()).unwrap_or(u32::MAX))
}

fn set_of(attempt: &AttemptId) -> AttributeValue {
    AttributeValue::Ss(vec![attempt.as_str().to_owned()])
}
