//! A guest's sessions and activity. Their items are kept under the user's sub.

use std::collections::HashMap;

use auth_domain::{Problem, Report, UserSub};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, DeleteRequest, WriteRequest},
};

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::dynamodb,
    failure::failure,
    items::{Item, text},
};

/// Items of one batch, at most (`BatchWriteItem`).
const BATCH: usize = 25;

/// How often the items that `DynamoDB` left out of a batch are sent again.
const ROUNDS: usize = 5;

/// The tables of sessions and activity.
#[derive(Clone)]
pub struct AccountRecords {
    client: Client,
    sessions: String,
    activity: String,
}

impl AccountRecords {
    /// Records in the tables that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: dynamodb(platform)?,
            sessions: environment.text("USER_SESSIONS_TABLE_NAME")?.to_owned(),
            activity: environment.text("ACTIVITY_TABLE_NAME")?.to_owned(),
        })
    }

    /// Deletes a user's sessions. A repeated call deletes the rest.
    pub async fn forget_sessions(&self, sub: &UserSub) -> Result<(), Problem> {
        self.forget(&self.sessions, "sessionId", sub).await
    }

    /// Deletes a user's activity, likewise.
    pub async fn forget_activity(&self, sub: &UserSub) -> Result<(), Problem> {
        self.forget(&self.activity, "eventId", sub).await
    }

    async fn forget(&self, table: &str, sort: &str, sub: &UserSub) -> Result<(), Problem> {
        let mut pages = self
            .client
            .query()
            .table_name(table)
            .consistent_read(true)
            .projection_expression("#sub, #sort")
            .key_condition_expression("#sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_names("#sort", sort)
            .expression_attribute_values(":sub", text(sub.as_str()))
            .into_paginator()
            .items()
            .send();
        let mut keys = Vec::new();
        while let Some(key) = pages.next().await {
            keys.push(key.map_err(failure("list what is to be deleted"))?);
        }
        for batch in keys.chunks(BATCH) {
            self.delete(table, batch).await?;
        }
        Ok(())
    }

    async fn delete(&self, table: &str, keys: &[Item]) -> Result<(), Problem> {
        let deletions = keys.iter().map(deletion);
        let deletions = deletions.collect::<Result<Vec<_>, Problem>>()?;
        let mut left = HashMap::from([(table.to_owned(), deletions)]);
        for _ in 0..ROUNDS {
            let answer = self
                .client
                .batch_write_item()
                .set_request_items(Some(left))
                .send()
                .boxed()
                .await
                .map_err(failure("delete what the guest leaves"))?;
            left = answer.unprocessed_items.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(Problem::contended("items were left out of a batch"))
    }
}

fn deletion(key: &HashMap<String, AttributeValue>) -> Result<WriteRequest, Problem> {
    let request = DeleteRequest::builder()
        .set_key(Some(key.clone()))
        .build()
        .map_err(|error| Problem::Internal(Report::new("describe the deletion", error)))?;
    Ok(WriteRequest::builder().delete_request(request).build())
}
