//! Transactions of DynamoDB: made, refused by a condition, or in the way of another one.
//!
//! The SDK gives each transaction a token of its own, so one whose answer was lost is made once
//! however often it is sent. Conflicts are sent again as often as other failures are (see
//! [`Conflicts`]).

use auth_domain::Problem;
use aws_sdk_dynamodb::{
    Client,
    config::{
        interceptors::InterceptorContext,
        retry::{ClassifyRetry, RetryAction},
    },
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{CancellationReason, TransactWriteItem},
};

use crate::failure::{Failure, failure};

/// The reasons for which a transaction was not made and may be made later.
const NOT_NOW: [&str; 3] = [
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
];

/// Makes all of the writes or none. `false` where a condition refused one.
pub(crate) async fn transact(
    client: &Client,
    writes: Vec<TransactWriteItem>,
    attempted: &'static str,
) -> Result<bool, Problem> {
    let written = client
        .transact_write_items()
        .set_transact_items(Some(writes))
        .send()
        .await;
    let Err(error) = written else {
        return Ok(true);
    };
    let reasons = reasons(error.as_service_error());
    if has(reasons, &["ConditionalCheckFailed"]) {
        return Ok(false);
    }
    let passes = has(reasons, &NOT_NOW);
    let failed: Failure = failure(attempted)(error);
    Err(if passes {
        failed.not_now()
    } else {
        failed.into()
    })
}

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

/// Makes the SDK retry a request that conflicts with another transaction. By itself the SDK gives
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
                || (has(reasons, &NOT_NOW) && !has(reasons, &["ConditionalCheckFailed"]))
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
