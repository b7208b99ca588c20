//! Batches of DynamoDB: several items, read consistently in one call.

use std::collections::HashMap;

use auth_domain::{Problem, Report};
use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};

use crate::{boxed::Boxed as _, failure::failure, items::Item};

/// How often the keys that `DynamoDB` left out of a batch are read again. It leaves some out, with
/// status 200, if a table is throttled.
const ROUNDS: usize = 3;

/// The existing items of these keys, by table. `action` describes the read.
pub(crate) async fn read_batch(
    client: &Client,
    keys: impl IntoIterator<Item = (&str, Vec<Item>)>,
    action: &'static str,
) -> Result<HashMap<String, Vec<Item>>, Problem> {
    let mut wanted = HashMap::new();
    for (table, keys) in keys {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| Problem::Internal(Report::new("describe what to read", error)))?;
        wanted.insert(table.to_owned(), keys);
    }
    let mut found: HashMap<String, Vec<Item>> = HashMap::new();
    for _ in 0..ROUNDS {
        let answer = client
            .batch_get_item()
            .set_request_items(Some(wanted))
            .send()
            .boxed()
            .await
            .map_err(failure(action))?;
        for (table, items) in answer.responses.unwrap_or_default() {
            found.entry(table).or_default().extend(items);
        }
        wanted = answer.unprocessed_keys.unwrap_or_default();
        if wanted.is_empty() {
            return Ok(found);
        }
    }
    Err(Problem::contended("a batch left items out"))
}
