//! DynamoDB in the process: dynoxide with Latchkey's tables, and time to live by the world's clock.

use std::path::PathBuf;

use auth_domain::Timestamp;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The names of the tables.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Tables {
    /// Guests, their addresses and their ids.
    pub guests: String,
    /// Sign-ins under way, and limits.
    pub challenges: String,
    /// OAuth2 sessions.
    pub sessions: String,
}

impl Tables {
    pub(crate) fn local() -> Self {
        Self {
            guests: "latchkey-local-guests".to_owned(),
            challenges: "latchkey-local-challenges".to_owned(),
            sessions: "latchkey-local-sessions".to_owned(),
        }
    }
}

/// The attribute that says when an item may go, in seconds since the epoch.
const TTL_ATTRIBUTE: &str = "ttl";

/// The database with its tables. Clones share it.
#[derive(Clone)]
pub(crate) struct DynamoDb {
    database: Database,
    tables: Tables,
}

impl DynamoDb {
    /// Opens the database and makes the tables that are not there.
    pub(crate) fn open(file: Option<PathBuf>, tables: Tables) -> Result<Self, DynoxideError> {
        let database = match file {
            Some(path) => Database::new(&path.to_string_lossy())?,
            None => Database::memory()?,
        };
        let this = Self { database, tables };
        this.make_tables()?;
        Ok(this)
    }

    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    fn make_tables(&self) -> Result<(), DynoxideError> {
        let existing = self.database.list_tables(request(json!({}))?)?.table_names;
        for (name, definition) in self.definitions() {
            if existing.contains(name) {
                continue;
            }
            self.database.create_table(request(definition)?)?;
            if self.expiring().any(|(table, _)| table == name) {
                self.database.update_time_to_live(request(json!({
                    "TableName": name,
                    "TimeToLiveSpecification": { "AttributeName": TTL_ATTRIBUTE, "Enabled": true },
                }))?)?;
            }
        }
        Ok(())
    }

    /// Whether every table has the key that this version gives it. Kept tables may be of another version.
    pub(crate) fn has_this_shape(&self) -> Result<bool, DynoxideError> {
        for (name, definition) in self.definitions() {
            let table = json!({ "TableName": name });
            let described = json!(self.database.describe_table(request(table)?)?);
            if described["Table"]["KeySchema"] != definition["KeySchema"] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn definitions(&self) -> [(&String, Value); 3] {
        let keyed_by = |table: &str, key: &str| {
            json!({
                "TableName": table,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
                "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": "S" }],
            })
        };
        let mut guests = keyed_by(&self.tables.guests, "pk");
        guests["AttributeDefinitions"] = json!([
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "cognitoSub", "AttributeType": "S" },
        ]);
        guests["GlobalSecondaryIndexes"] = json!([{
            "IndexName": "cognito-sub-index",
            "KeySchema": [{ "AttributeName": "cognitoSub", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
        }]);
        [
            (&self.tables.guests, guests),
            (
                &self.tables.challenges,
                keyed_by(&self.tables.challenges, "pk"),
            ),
            (
                &self.tables.sessions,
                keyed_by(&self.tables.sessions, "sessionId"),
            ),
        ]
    }

    /// The tables whose items expire, with their partition keys.
    fn expiring(&self) -> impl Iterator<Item = (&String, &'static str)> {
        [
            (&self.tables.challenges, "pk"),
            (&self.tables.sessions, "sessionId"),
        ]
        .into_iter()
    }

    /// Deletes what has outlived its time by `now`. Dynoxide's own sweep reads the system's clock, which nobody can move.
    pub(crate) fn sweep(&self, now: Timestamp) -> Result<(), DynoxideError> {
        let names = json!({ "#ttl": TTL_ATTRIBUTE });
        let values = json!({ ":now": { "N": now.as_seconds().to_string() } });
        for (table, key) in self.expiring() {
            let mut page = json!({
                "TableName": table,
                "FilterExpression": "#ttl < :now",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            });
            loop {
                let found = self.database.scan(request(page.clone())?)?;
                for mut item in found.items.unwrap_or_default() {
                    let Some(value) = item.remove(key) else {
                        continue;
                    };
                    let deleted = self.database.delete_item(request(json!({
                        "TableName": table,
                        "Key": { key: value },
                        "ConditionExpression": "#ttl < :now",
                        "ExpressionAttributeNames": names,
                        "ExpressionAttributeValues": values,
                    }))?);
                    match deleted {
                        // Renewed since the scan: it stays.
                        Ok(_) | Err(DynoxideError::ConditionalCheckFailedException(..)) => {}
                        Err(error) => return Err(error),
                    }
                }
                match found.last_evaluated_key {
                    Some(key) => page["ExclusiveStartKey"] = json!(key),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Empties every table.
    pub(crate) fn clear(&self) -> Result<(), DynoxideError> {
        for (name, _) in self.definitions() {
            self.database
                .delete_table(request(json!({ "TableName": name }))?)?;
        }
        self.make_tables()
    }
}

/// A request in the words of the DynamoDB API.
fn request<Request: DeserializeOwned>(words: Value) -> Result<Request, DynoxideError> {
    serde_json::from_value(words)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))
}
