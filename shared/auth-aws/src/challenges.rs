//! The challenges table, for its capabilities.

use aws_sdk_dynamodb::{
    Client,
    operation::{
        delete_item::builders::DeleteItemFluentBuilder, get_item::builders::GetItemFluentBuilder,
        put_item::builders::PutItemFluentBuilder, query::builders::QueryFluentBuilder,
        update_item::builders::UpdateItemFluentBuilder,
    },
    types::AttributeValue,
};

use crate::{ConfigurationError, Platform, clients::dynamodb};

/// The table that `CHALLENGES_TABLE_NAME` names. Its key is `pk`.
#[derive(Clone)]
pub(crate) struct Challenges {
    client: Client,
    table: String,
}

impl Challenges {
    pub(crate) fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let table = platform.environment().text("CHALLENGES_TABLE_NAME")?;
        Ok(Self {
            client: dynamodb(platform)?,
            table: table.to_owned(),
        })
    }

    pub(crate) fn get(&self, key: AttributeValue) -> GetItemFluentBuilder {
        let get = self.client.get_item().table_name(&self.table);
        get.key("pk", key).consistent_read(true)
    }

    pub(crate) fn put(&self, key: AttributeValue) -> PutItemFluentBuilder {
        let put = self.client.put_item().table_name(&self.table);
        put.item("pk", key)
    }

    pub(crate) fn update(&self, key: AttributeValue) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table);
        update.key("pk", key)
    }

    pub(crate) fn delete(&self, key: AttributeValue) -> DeleteItemFluentBuilder {
        let delete = self.client.delete_item().table_name(&self.table);
        delete.key("pk", key)
    }

    pub(crate) fn query(&self, index: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        query.index_name(index)
    }
}
