//! Transactions of DynamoDB: made, refused by a condition, or in conflict with another one.
//!
//! The SDK gives each transaction its own token, so a retry after a lost answer makes it once.
//! Conflicts are retried as often as other failures (see [`Conflicts`]).

use auth_domain::{Problem, Report};
use aws_sdk_dynamodb::{
    Client,
    config::{
        interceptors::InterceptorContext,
        retry::{ClassifyRetry, RetryAction},
    },
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{
        CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        builders::{ConditionCheckBuilder, DeleteBuilder, UpdateBuilder},
    },
};

use crate::{
    boxed::Boxed as _,
    failure::{Failure, failure},
    items::Item,
};

/// The reasons why a transaction was not made and may succeed later.
const NOT_NOW: [&str; 3] = [
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
];

/// The outcome of a transaction.
pub(crate) enum Transacted {
    /// All of it was written.
    Made,
    /// A condition did not hold. The item of that condition, if there is one.
    Refused(Option<Item>),
}

/// A write as a part of a transaction.
pub(crate) trait Write {
    /// The transaction's part. If its condition does not hold, the refusal contains the present
    /// item.
    fn write(self) -> Result<TransactWriteItem, Problem>;
}

impl Write for UpdateBuilder {
    fn write(self) -> Result<TransactWriteItem, Problem> {
        let update = self
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| Problem::Internal(Report::new("describe the write", error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

impl Write for DeleteBuilder {
    fn write(self) -> Result<TransactWriteItem, Problem> {
        let delete = self
            .build()
            .map_err(|error| Problem::Internal(Report::new("describe the deletion", error)))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

impl Write for ConditionCheckBuilder {
    fn write(self) -> Result<TransactWriteItem, Problem> {
        let check = self
            .build()
            .map_err(|error| Problem::Internal(Report::new("describe the condition", error)))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// Makes all writes or none. `false` if a condition refused one.
pub(crate) async fn transact(
    client: &Client,
    writes: Vec<TransactWriteItem>,
    attempted: &'static str,
) -> Result<bool, Problem> {
    Ok(match transact_or_look(client, writes, attempted).await? {
        Transacted::Made => true,
        Transacted::Refused(_) => false,
    })
}

/// Makes all writes or none, and returns the item that refused one.
pub(crate) async fn transact_or_look(
    client: &Client,
    writes: Vec<TransactWriteItem>,
    attempted: &'static str,
) -> Result<Transacted, Problem> {
    let written = client
        .transact_write_items()
        .set_transact_items(Some(writes))
        .send()
        .boxed()
        .await;
    let Err(error) = written else {
        return Ok(Transacted::Made);
    };
    let reasons = reasons(error.as_service_error());
    let refused = |reason: &&CancellationReason| reason.code() == Some(REFUSED);
    if let Some(reason) = reasons.iter().find(refused) {
        return Ok(Transacted::Refused(reason.item().cloned()));
    }
    let passes = has(reasons, &NOT_NOW);
    let failed: Failure = failure(attempted)(error);
    Err(if passes {
        failed.not_now()
    } else {
        failed.into()
    })
}

/// The reason code of a condition that did not hold.
const REFUSED: &str = "ConditionalCheckFailed";

fn reasons(error: Option<&TransactWriteItemsError>) -> &[CancellationReason] {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        Some(_) | None => &[],
    }
}

fn has(reasons: &[CancellationReason], codes: &[&str]) -> bool {
    let mut named = reasons.iter().filter_map(CancellationReason::code);
    named.any(|code| codes.contains(&code))
}

/// Makes the SDK retry a request that conflicts with another transaction. Its default is to give
/// up.
#[derive(Debug)]
pub(crate) struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context
            .output_or_error()
            .and_then(Result::err)
            .and_then(|error| error.as_operation_error());
        let conflicts = error.is_some_and(|error| {
            let transaction = error.downcast_ref::<TransactWriteItemsError>();
            let reasons = reasons(transaction);
            let update = error.downcast_ref::<UpdateItemError>();
            update.is_some_and(UpdateItemError::is_transaction_conflict_exception)
                || (has(reasons, &NOT_NOW) && !has(reasons, &[REFUSED]))
        });
        if conflicts {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "transaction conflicts"
    }
}
