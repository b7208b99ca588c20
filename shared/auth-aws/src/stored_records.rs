//! All stored data of a guest, attribute by attribute: the items under the guest's keys, and
//! Cognito's user.
//!
//! The code selects only the secrets, so a new attribute is included without a change here.

use std::collections::HashMap;

use auth_domain::{Guest, Problem};
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde_json::{Map, Number, Value};

use crate::{
    ConfigurationError, Platform,
    batches::read_batch,
    clients::dynamodb,
    failure::failure,
    guest_items::{REGISTRATION, address_key, guest_key, id_key},
    guests_table::GuestsTable,
    items::text,
    user_pool::UserPool,
};

/// Replaces a secret in a record: its presence is no secret.
const WITHHELD: &str = "withheld";

/// Attributes that hold hashes of codes and names of attempts. Sealed ones are binary.
const SECRET: [&str; 4] = [
    "backupCodes",
    "secondFactorUsed",
    "secondFactorUsedBy",
    REGISTRATION,
];

/// The tables that keep guests' items, and the pool.
#[derive(Clone)]
pub struct StoredRecords {
    client: Client,
    guests: GuestsTable,
    sessions: String,
    activity: String,
    pool: UserPool,
}

impl StoredRecords {
    /// Items of the tables and the pool that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: dynamodb(platform)?,
            guests: GuestsTable::new(platform)?,
            sessions: environment.text("USER_SESSIONS_TABLE_NAME")?.to_owned(),
            activity: environment.text("ACTIVITY_TABLE_NAME")?.to_owned(),
            pool: UserPool::new(platform)?,
        })
    }

    /// The guest's own items: the record, the addresses, and the number.
    pub async fn guest(&self, guest: &Guest) -> Result<Vec<Value>, Problem> {
        let keys = [guest_key(&guest.cognito_sub), id_key(&guest.guest_id)]
            .into_iter()
            .chain(guest.addresses().map(address_key))
            .map(GuestsTable::key)
            .collect();
        let keys = [(self.guests.name(), keys)];
        let found = read_batch(&self.client, keys, "read the guest's items").await?;
        Ok(found.values().flatten().map(shown).collect())
    }

    /// The guest's sessions, those that have ended too.
    pub async fn sessions(&self, guest: &Guest) -> Result<Vec<Value>, Problem> {
        self.under(&self.sessions, guest).await
    }

    /// The guest's activity.
    pub async fn activity(&self, guest: &Guest) -> Result<Vec<Value>, Problem> {
        self.under(&self.activity, guest).await
    }

    async fn under(&self, table: &str, guest: &Guest) -> Result<Vec<Value>, Problem> {
        let mut pages = self
            .client
            .query()
            .table_name(table)
            .consistent_read(true)
            .key_condition_expression("#sub = :sub")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(guest.cognito_sub.as_str()))
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(shown(&item.map_err(failure("read the guest's items"))?));
        }
        Ok(items)
    }

    /// Cognito's user; empty if the user no longer exists.
    pub async fn user(&self, guest: &Guest) -> Result<Value, Problem> {
        let user = self.pool.find(guest.cognito_sub.as_str()).await?;
        Ok(user.map_or_else(|| Value::Object(Map::new()), |user| directory(&user)))
    }
}

fn directory(user: &AdminGetUserOutput) -> Value {
    let mut shown = Map::new();
    shown.insert("username".to_owned(), user.username().into());
    if let Some(status) = user.user_status() {
        shown.insert("status".to_owned(), status.as_str().into());
    }
    shown.insert("enabled".to_owned(), user.enabled().into());
    for attribute in user.user_attributes() {
        let value = attribute.value().unwrap_or_default();
        shown.insert(attribute.name().to_owned(), value.into());
    }
    Value::Object(shown)
}

/// An item as JSON.
fn shown(item: &HashMap<String, AttributeValue>) -> Value {
    let members = item.iter().map(|(name, value)| {
        let value = if SECRET.contains(&name.as_str()) {
            WITHHELD.into()
        } else {
            plain(value)
        };
        (name.clone(), value)
    });
    Value::Object(members.collect())
}

/// A value without DynamoDB's types. Every binary value is sealed.
fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(number) => number
            .parse::<Number>()
            .map_or_else(|_| number.as_str().into(), Value::Number),
        AttributeValue::Bool(flag) => (*flag).into(),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
            texts.iter().map(String::as_str).collect()
        }
        AttributeValue::L(values) => values.iter().map(plain).collect(),
        AttributeValue::M(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        AttributeValue::B(_) | AttributeValue::Bs(_) | _ => WITHHELD.into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use serde_json::json;

    use super::*;
    use crate::items::Item;

    #[test]
    fn everything_is_shown_but_what_is_sealed_or_a_hash() {
        let item = Item::from([
            ("email".to_owned(), text("ada@example.com")),
            ("deviceEpoch".to_owned(), AttributeValue::N("3".to_owned())),
            ("hasPassword".to_owned(), AttributeValue::Bool(true)),
            (
                "authenticatorKeys".to_owned(),
                AttributeValue::B(Blob::new([1, 2])),
            ),
            (
                "backupCodes".to_owned(),
                AttributeValue::Ss(vec!["0a".to_owned()]),
            ),
        ]);
        let expected = json!({
            "email": "ada@example.com",
            "deviceEpoch": 3,
            "hasPassword": true,
            "authenticatorKeys": "withheld",
            "backupCodes": "withheld",
        });
        assert_eq!(shown(&item), expected);
    }
}
