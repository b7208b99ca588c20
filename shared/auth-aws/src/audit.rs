//! The audit table: the acts of operators. Each act has two items, one written before and one
//! after. An item is only put, and only under a new key. No function may read, change or delete
//! one.

use auth_domain::{ActSubject, OperatorEvent, Problem, Report, Timestamp};
use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::dynamodb,
    failure::failure,
    items::{Item, get_text, text},
};

/// The audit table.
#[derive(Clone)]
pub struct AuditLog {
    client: Client,
    table: String,
}

impl AuditLog {
    /// The table that `AUDIT_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: dynamodb(platform)?,
            table: platform.environment().text("AUDIT_TABLE_NAME")?.to_owned(),
        })
    }

    /// Records the start of an act. The act must not begin before this write.
    pub async fn begin(&self, event: &OperatorEvent) -> Result<(), Problem> {
        self.put(item(event, "begun"), "record the act").await
    }

    /// Records the outcome of an act: `OK`, or the problem's code.
    pub async fn conclude(
        &self,
        event: &OperatorEvent,
        outcome: &'static str,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let mut item = item(event, "ended");
        item.insert("outcome".to_owned(), text(outcome));
        item.insert("endedAt".to_owned(), text(now.to_string()));
        self.put(item, "record the act's outcome").await
    }

    /// Puts an item under a new key. An item from this very request is accepted: its answer was
    /// lost.
    async fn put(&self, item: Item, attempted: &'static str) -> Result<(), Problem> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(subject)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .boxed()
            .await;
        let Err(error) = put else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                let same = |name| {
                    refused.item().and_then(|it| get_text(it, name)) == get_text(&item, name)
                };
                if ["act", "principal", "outcome"].into_iter().all(same) {
                    Ok(())
                } else {
                    Err(Problem::Internal(Report::of("two acts have one name")))
                }
            }
            Some(_) | None => Err(failure(attempted)(error).into()),
        }
    }
}

/// The item for one end of an act. Its key sorts both ends of an act together, and a guest's acts
/// in order.
fn item(event: &OperatorEvent, end: &str) -> Item {
    let name = format!("{} {} {end}", event.at, event.request_id);
    let mut item = Item::from([
        ("subject".to_owned(), subject_key(&event.subject)),
        ("event".to_owned(), text(name)),
        ("act".to_owned(), text(event.act.as_str())),
        ("principal".to_owned(), text(event.principal.as_str())),
        ("requestId".to_owned(), text(&event.request_id)),
        ("at".to_owned(), text(event.at.to_string())),
    ]);
    if let ActSubject::Guest(guest_id) = &event.subject {
        item.insert("guestId".to_owned(), text(guest_id.as_str()));
    }
    if let Some(reason) = &event.reason {
        item.insert("reason".to_owned(), text(reason.as_str()));
    }
    item
}

fn subject_key(subject: &ActSubject) -> AttributeValue {
    match subject {
        ActSubject::Guest(guest_id) => text(format!("guest#{guest_id}")),
        ActSubject::Address(tag) => text(format!("address#{tag}")),
        ActSubject::User(sub) => text(format!("user#{}", sub.as_str())),
    }
}
