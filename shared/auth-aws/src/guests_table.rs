//! The guests table, for its capabilities: reads, updates, and the parts of transactions.

use auth_domain::{Email, Problem, Report, UserSub};
use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{
        AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
        builders::{ConditionCheckBuilder, DeleteBuilder, UpdateBuilder},
    },
};
use aws_smithy_types::error::operation::BuildError;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::dynamodb,
    failure::failure,
    guest_items::{KEY, address_key},
    items::{Item, text},
    transactions::{Transacted, Write as _, transact, transact_or_look},
};

/// How often a guest is read and written again while other requests write the same one. Each round
/// ends with the success of one request.
pub(crate) const ROUNDS: usize = 8;

/// No item has this key yet.
pub(crate) const IS_NEW: &str = "attribute_not_exists(pk)";

/// An item has this key.
pub(crate) const EXISTS: &str = "attribute_exists(pk)";

/// The table that `GUESTS_TABLE_NAME` names.
#[derive(Clone)]
pub(crate) struct GuestsTable {
    client: Client,
    name: String,
}

impl GuestsTable {
    pub(crate) fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let name = platform.environment().text("GUESTS_TABLE_NAME")?;
        Ok(Self {
            client: dynamodb(platform)?,
            name: name.to_owned(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A key, for a batch of reads.
    pub(crate) fn key(key: AttributeValue) -> Item {
        Item::from([(KEY.to_owned(), key)])
    }

    pub(crate) async fn get(&self, key: AttributeValue) -> Result<Option<Item>, Problem> {
        let sending = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(KEY, key)
            .consistent_read(true)
            .send();
        let answer = sending.boxed().await;
        Ok(answer.map_err(failure("read the guest"))?.item)
    }

    pub(crate) fn update(&self, key: AttributeValue) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.name);
        update.key(KEY, key)
    }

    /// An update in a transaction.
    pub(crate) fn update_in(&self, key: AttributeValue) -> UpdateBuilder {
        Update::builder().table_name(&self.name).key(KEY, key)
    }

    /// A change of the item that claims an address for a user.
    pub(crate) fn update_claim(&self, email: &Email, sub: &UserSub) -> UpdateBuilder {
        self.update_in(address_key(email))
            .condition_expression(IS_OF_USER)
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
    }

    /// A new item in a transaction, which its key must not have yet.
    pub(crate) fn put_new(&self, item: Item) -> Result<TransactWriteItem, Problem> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(IS_NEW)
            .build()
            .map_err(undescribed)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(crate) fn delete_in(&self, key: AttributeValue) -> DeleteBuilder {
        Delete::builder().table_name(&self.name).key(KEY, key)
    }

    /// The deletion of the item that claims an address for a user.
    pub(crate) fn delete_claim(
        &self,
        email: &Email,
        sub: &UserSub,
    ) -> Result<TransactWriteItem, Problem> {
        self.delete_in(address_key(email))
            .condition_expression(IS_OF_USER)
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .write()
    }

    /// A condition in a transaction that changes other items.
    pub(crate) fn check_in(&self, key: AttributeValue) -> ConditionCheckBuilder {
        ConditionCheck::builder()
            .table_name(&self.name)
            .key(KEY, key)
    }

    /// Makes all writes or none. `false` if a condition refused one.
    pub(crate) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
        attempted: &'static str,
    ) -> Result<bool, Problem> {
        transact(&self.client, writes, attempted).await
    }

    /// Makes all writes or none, and returns the item that refused one.
    pub(crate) async fn transact_or_look(
        &self,
        writes: Vec<TransactWriteItem>,
        attempted: &'static str,
    ) -> Result<Transacted, Problem> {
        transact_or_look(&self.client, writes, attempted).await
    }
}

/// The address is claimed for the user.
const IS_OF_USER: &str = "#sub = :sub";

pub(crate) fn undescribed(error: BuildError) -> Problem {
    Problem::Internal(Report::new("describe the guest", error))
}

pub(crate) fn overtaken() -> Problem {
    Problem::contended("others kept changing the same guest")
}
