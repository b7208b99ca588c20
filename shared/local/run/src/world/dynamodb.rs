//! DynamoDB in the process: dynoxide with Latchkey's tables, and time to live by the world's clock.

use std::collections::BTreeMap;
use std::ops::Index;
use std::path::PathBuf;

use auth_api::{Contract, Table};
use auth_domain::Timestamp;
use dynoxide::{Database, DynoxideError};
use local_kit::copy_database;
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::random;

/// The names of the contract's tables, by their names in grants.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Tables(BTreeMap<&'static str, String>);

impl Tables {
    pub(crate) fn local() -> Self {
        let names = Contract::embedded().tables();
        let names = names.map(|(resource, _)| {
            let name = resource.name.as_str();
            (name, format!("latchkey-local-{name}"))
        });
        Self(names.collect())
    }

    /// The resource of the contract that the table of this name is.
    #[must_use]
    pub fn resource(&self, table: &str) -> Option<&'static str> {
        let mut names = self.0.iter();
        names.find_map(|(resource, name)| (name == table).then_some(*resource))
    }

    /// The names with their tables.
    fn described(&self) -> impl Iterator<Item = (&str, &'static Table)> {
        Contract::embedded()
            .tables()
            .map(|(resource, table)| (&self[resource.name.as_str()], table))
    }
}

impl Index<&str> for Tables {
    type Output = str;

    fn index(&self, resource: &str) -> &str {
        &self.0[resource]
    }
}

/// Dynoxide gives each record of a stream the number after the newest one, and reads all records to
/// find that. Without this index, each of ten thousand sign-ins would read those before it.
fn index_streams(place: &str) -> Result<(), DynoxideError> {
    Connection::open(place)
        .and_then(|connection| {
            connection.execute_batch(
                "CREATE INDEX IF NOT EXISTS latchkey_stream_records
                 ON _stream_records (table_name, CAST(sequence_number AS INTEGER))",
            )
        })
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Where one begins to read a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Oldest,
    Newest,
}

/// The items that a sweep looks at in one go, a few milliseconds.
const SWEPT_AT_ONCE: u32 = 100;

/// A part of a table, to be searched for items that have expired.
pub(crate) struct Page {
    table: &'static Table,
    scan: Value,
}

/// The database with its tables. Clones share it.
#[derive(Clone)]
pub(crate) struct DynamoDb {
    database: Database,
    /// By which SQLite opens it.
    place: String,
    tables: Tables,
}

impl DynamoDb {
    /// Opens the database and makes missing tables.
    pub(crate) fn open(file: Option<PathBuf>, tables: Tables) -> Result<Self, DynoxideError> {
        let place = match file {
            Some(path) => path.to_string_lossy().into_owned(),
            // In memory, under a name by which a second connection finds it.
            None => format!("file:{}?mode=memory&cache=shared", random::uuid()),
        };
        let database = Database::new(&place)?;
        index_streams(&place)?;
        let this = Self {
            database,
            place,
            tables,
        };
        this.make_tables()?;
        Ok(this)
    }

    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    fn make_tables(&self) -> Result<(), DynoxideError> {
        let existing = self.database.list_tables(request(json!({}))?)?.table_names;
        for (name, table) in self.tables.described() {
            if existing.iter().any(|existing| existing == name) {
                continue;
            }
            self.database
                .create_table(request(definition(name, table))?)?;
            if let Some(ttl) = &table.ttl {
                self.database.update_time_to_live(request(json!({
                    "TableName": name,
                    "TimeToLiveSpecification": { "AttributeName": ttl, "Enabled": true },
                }))?)?;
            }
        }
        Ok(())
    }

    /// Whether every table has this version's key and indexes. Kept tables may be of another
    /// version.
    pub(crate) fn has_this_shape(&self) -> Result<bool, DynoxideError> {
        for (name, table) in self.tables.described() {
            let kept = self
                .database
                .describe_table(request(json!({ "TableName": name }))?)?;
            let (kept, wanted) = (json!(kept), definition(name, table));
            if kept["Table"]["KeySchema"] != wanted["KeySchema"]
                || kept["Table"]["StreamSpecification"] != wanted["StreamSpecification"]
                || names_of_indexes(&kept["Table"]) != names_of_indexes(&wanted)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes the items that have expired by `now`. Dynoxide's own sweep reads the system's clock,
    /// which tests cannot move.
    pub(crate) fn sweep(&self, now: Timestamp) -> Result<(), DynoxideError> {
        let mut pages = self.pages(now);
        while let Some(page) = pages.pop() {
            pages.extend(self.sweep_page(page)?);
        }
        Ok(())
    }

    /// The first page of each table whose items expire.
    pub(crate) fn pages(&self, now: Timestamp) -> Vec<Page> {
        let values = json!({ ":now": { "N": now.as_seconds().to_string() } });
        let page = |(name, table): (&str, &'static Table)| {
            let ttl = table.ttl.as_ref()?;
            let scan = json!({
                "TableName": name,
                "FilterExpression": "#ttl < :now",
                "ExpressionAttributeNames": { "#ttl": ttl },
                "ExpressionAttributeValues": values,
                "Limit": SWEPT_AT_ONCE,
            });
            Some(Page { table, scan })
        };
        self.tables.described().filter_map(page).collect()
    }

    /// Deletes what has expired on a page, and returns the next page of the table.
    pub(crate) fn sweep_page(&self, mut page: Page) -> Result<Option<Page>, DynoxideError> {
        let Page { table, scan } = &mut page;
        let found = self.database.scan(request(scan.clone())?)?;
        for mut item in found.items.unwrap_or_default() {
            let keys = std::iter::once(&table.key).chain(&table.sort);
            let key: serde_json::Map<String, Value> = keys
                .filter_map(|key| Some((key.clone(), json!(item.remove(key)?))))
                .collect();
            let deleted = self.database.delete_item(request(json!({
                "TableName": scan["TableName"],
                "Key": key,
                "ConditionExpression": scan["FilterExpression"],
                "ExpressionAttributeNames": scan["ExpressionAttributeNames"],
                "ExpressionAttributeValues": scan["ExpressionAttributeValues"],
            }))?);
            match deleted {
                // Renewed since the scan: it stays.
                Ok(_) | Err(DynoxideError::ConditionalCheckFailedException(..)) => {}
                Err(error) => return Err(error),
            }
        }
        let Some(last) = found.last_evaluated_key else {
            return Ok(None);
        };
        scan["ExclusiveStartKey"] = json!(last);
        Ok(Some(page))
    }

    /// A place in the stream of a table: before its oldest record, or behind its newest.
    pub(crate) fn stream(&self, resource: &str, from: Place) -> Result<String, DynoxideError> {
        let described = self
            .database
            .describe_table(request(json!({ "TableName": self.tables[resource] }))?)?;
        let arn = json!(described)["Table"]["LatestStreamArn"].clone();
        let stream = self
            .database
            .describe_stream(request(json!({ "StreamArn": arn }))?)?;
        let shard = &json!(stream)["StreamDescription"]["Shards"][0]["ShardId"];
        let kind = match from {
            Place::Oldest => "TRIM_HORIZON",
            Place::Newest => "LATEST",
        };
        let asked = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind });
        let found = self.database.get_shard_iterator(request(asked)?)?;
        Ok(found.shard_iterator.unwrap_or_default())
    }

    /// The records behind a place in a stream, as DynamoDB Streams writes them, and the place
    /// behind them.
    pub(crate) fn records(&self, place: &str) -> Result<(Vec<Value>, String), DynoxideError> {
        let asked = json!({ "ShardIterator": place });
        let found = self.database.get_records(request(asked)?)?;
        let records = found.records.iter().map(|record| json!(record)).collect();
        let next = found.next_shard_iterator;
        Ok((records, next.unwrap_or_else(|| place.to_owned())))
    }

    /// Copies all tables and streams into memory.
    pub(crate) fn snapshot(&self) -> rusqlite::Result<Connection> {
        let mut copy = Connection::open_in_memory()?;
        copy_database(&Connection::open(&self.place)?, &mut copy)?;
        Ok(copy)
    }

    /// Returns to a copy.
    pub(crate) fn restore(&self, copy: &Connection) -> rusqlite::Result<()> {
        copy_database(copy, &mut Connection::open(&self.place)?)
    }

    /// Empties every table.
    pub(crate) fn clear(&self) -> Result<(), DynoxideError> {
        for (name, _) in self.tables.described() {
            self.database
                .delete_table(request(json!({ "TableName": name }))?)?;
        }
        self.make_tables()
    }
}

/// A table as `CreateTable` wants it. Keys are text, and an index sorts by a number.
fn definition(name: &str, table: &Table) -> Value {
    let hash = |key: &str| json!({ "AttributeName": key, "KeyType": "HASH" });
    let typed = |key: &str, kind: &str| json!({ "AttributeName": key, "AttributeType": kind });
    let range = |key: &str| json!({ "AttributeName": key, "KeyType": "RANGE" });
    let mut keys = vec![hash(&table.key)];
    let mut attributes = vec![typed(&table.key, "S")];
    if let Some(sort) = &table.sort {
        keys.push(range(sort));
        attributes.push(typed(sort, "S"));
    }
    let mut indexes = Vec::new();
    for (name, index) in &table.indexes {
        let mut keys = vec![hash(&index.key)];
        attributes.push(typed(&index.key, "S"));
        if let Some(sort) = &index.sort {
            keys.push(range(sort));
            attributes.push(typed(sort, "N"));
        }
        indexes.push(json!({
            "IndexName": name,
            "KeySchema": keys,
            "Projection": { "ProjectionType": "ALL" },
        }));
    }
    let mut definition = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys,
        "AttributeDefinitions": attributes,
    });
    if table.stream {
        definition["StreamSpecification"] =
            json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
    }
    if !indexes.is_empty() {
        definition["GlobalSecondaryIndexes"] = indexes.into();
    }
    definition
}

fn names_of_indexes(table: &Value) -> Vec<&str> {
    let indexes = table["GlobalSecondaryIndexes"].as_array();
    let names = indexes.into_iter().flatten();
    names
        .filter_map(|index| index["IndexName"].as_str())
        .collect()
}

/// A request in the words of the DynamoDB API.
fn request<Request: DeserializeOwned>(words: Value) -> Result<Request, DynoxideError> {
    serde_json::from_value(words)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

#[cfg(test)]
mod tests {
    use auth_domain::Timestamp;
    use serde_json::json;

    use super::{DynamoDb, SWEPT_AT_ONCE, Tables, request};

    #[test]
    fn a_sweep_deletes_what_has_expired_on_every_page_and_nothing_else() {
        let dynamodb = DynamoDb::open(None, Tables::local()).expect("a database");
        let table = &dynamodb.tables["challenges"];
        for number in 0..3 * SWEPT_AT_ONCE {
            let until = if number % 3 == 0 { 2_000 } else { 1_000 };
            let item =
                json!({ "pk": { "S": number.to_string() }, "ttl": { "N": until.to_string() } });
            let put = request(json!({ "TableName": table, "Item": item })).expect("a request");
            dynamodb.database.put_item(put).expect("it is put");
        }
        dynamodb
            .sweep(Timestamp::from_seconds(1_500))
            .expect("it sweeps");
        let all = request(json!({ "TableName": table })).expect("a request");
        let left = dynamodb.database.scan(all).expect("a scan").items;
        let left = json!(left.unwrap_or_default());
        let left = left.as_array().expect("items");
        assert_eq!(left.len(), SWEPT_AT_ONCE as usize);
        assert!(left.iter().all(|item| item["ttl"]["N"] == "2000"));
    }
}
