//! DynamoDB's wire protocol in front of the database.
//!
//! Dynoxide has its own server, but that one answers every origin and every host name: any web page
//! open on this machine could read the tables. This server answers only programs, behind the guard
//! of all ports.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::routing::any;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::auth_material::{self, AuthMaterial};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::random;

const JSON: &str = "application/x-amz-json-1.0";

const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// DynamoDB's own limit.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

type Exception = fn(String) -> DynoxideError;

/// By these Dynoxide's request types say, before their sentence, which exception a value is refused
/// with.
const REFUSED_WITH: [(&str, Exception); 5] = [
    ("VALIDATION_REQUEST:", DynoxideError::ValidationException),
    ("VALIDATION_AS_READ:", DynoxideError::ValidationException),
    ("VALIDATION:", DynoxideError::ValidationException),
    (
        "SERIALIZATION_AS_READ:",
        DynoxideError::SerializationException,
    ),
    ("SERIALIZATION:", DynoxideError::SerializationException),
];

pub(crate) fn router(database: Database) -> Router {
    Router::new()
        .route("/", any(call))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Api {
            database,
            transactions: Arc::default(),
        })
}

#[derive(Clone)]
struct Api {
    database: Database,
    transactions: Arc<Transactions>,
}

async fn call(State(api): State<Api>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signature = AuthMaterial {
        authorization: text(AUTHORIZATION.as_str()),
        query: uri.query().unwrap_or(""),
        has_date_header: headers.contains_key("x-amz-date") || headers.contains_key(DATE),
    };
    if let Some(refusal) = auth_material::validate(signature) {
        return respond(StatusCode::BAD_REQUEST, refusal);
    }
    let operation = text("x-amz-target").and_then(|target| target.strip_prefix(TARGET_PREFIX));
    match operation.and_then(|operation| api.run(operation, &body)) {
        Some(Ok(answer)) => respond(StatusCode::OK, answer),
        Some(Err(error)) => {
            let status = StatusCode::from_u16(error.status_code());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            respond(status, error.to_json())
        }
        None => {
            let unknown = json!({ "__type": "com.amazon.coral.service#UnknownOperationException" });
            respond(StatusCode::BAD_REQUEST, unknown.to_string())
        }
    }
}

impl Api {
    /// An operation's answer; `None` if it is not served here.
    fn run(&self, operation: &str, body: &[u8]) -> Option<Result<String, DynoxideError>> {
        let database = &self.database;
        Some(match operation {
            "BatchGetItem" => answer(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => answer(body, |request| database.batch_write_item(request)),
            "CreateTable" => answer(body, |request| database.create_table(request)),
            "DeleteItem" => answer(body, |request| database.delete_item(request)),
            "DeleteTable" => answer(body, |request| database.delete_table(request)),
            "DescribeTable" => answer(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => answer(body, |request| database.describe_time_to_live(request)),
            "ExecuteStatement" => answer(body, |request| database.execute_statement(request)),
            "GetItem" => answer(body, |request| database.get_item(request)),
            "ListTables" => answer(body, |request| database.list_tables(request)),
            "PutItem" => answer(body, |request| database.put_item(request)),
            "Query" => answer(body, |request| database.query(request)),
            "Scan" => answer(body, |request| database.scan(request)),
            "TransactGetItems" => answer(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => self.transactions.write(database, body),
            "UpdateItem" => answer(body, |request| database.update_item(request)),
            "UpdateTable" => answer(body, |request| database.update_table(request)),
            "UpdateTimeToLive" => answer(body, |request| database.update_time_to_live(request)),
            _ => return None,
        })
    }
}

/// For this long a token stands for its transaction.
const TOKEN_LIFETIME: Duration = Duration::from_mins(10);

/// A token's longest text.
const LONGEST_TOKEN: usize = 36;

/// The transactions of the last minutes that came with a token: a second request is answered as the
/// first was, and writes nothing.
///
/// Dynoxide does the same, but looks at every token again for each transaction: under load, every
/// sign-in would make the next one slower.
#[derive(Default)]
struct Transactions(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    written: HashMap<String, Written>,
    /// The oldest first.
    order: VecDeque<(Instant, String)>,
    hashes: RandomState,
}

struct Written {
    items: u64,
    answer: String,
}

impl Transactions {
    fn write(&self, database: &Database, body: &[u8]) -> Result<String, DynoxideError> {
        let mut request: TransactWriteItemsRequest = read(body)?;
        let is_valid = |token: &mut String| token.len() <= LONGEST_TOKEN;
        let Some(token) = request.client_request_token.take_if(is_valid) else {
            return written(&database.transact_write_items(request)?);
        };
        // Held until the answer is kept: a second request at the same moment waits for the first.
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.forget_older_than(TOKEN_LIFETIME);
        // As a value, which hashes its members in their order; the request has them in any.
        let items =
            serde_json::to_value(&request.transact_items).map_err(|error| failed(&error))?;
        let items = tokens.hashes.hash_one(items);
        if let Some(known) = tokens.written.get(&token) {
            if known.items == items {
                return Ok(known.answer.clone());
            }
            return Err(DynoxideError::IdempotentParameterMismatchException(
                "The token stands for another transaction.".to_owned(),
            ));
        }
        let answer = written(&database.transact_write_items(request)?)?;
        tokens.order.push_back((Instant::now(), token.clone()));
        let kept = answer.clone();
        tokens.written.insert(
            token,
            Written {
                items,
                answer: kept,
            },
        );
        Ok(answer)
    }
}

impl Tokens {
    fn forget_older_than(&mut self, age: Duration) {
        let is_old = |(at, _): &mut (Instant, String)| at.elapsed() >= age;
        while let Some((_, token)) = self.order.pop_front_if(is_old) {
            self.written.remove(&token);
        }
    }
}

fn answer<Request: DeserializeOwned, Answer: Serialize>(
    body: &[u8],
    run: impl FnOnce(Request) -> Result<Answer, DynoxideError>,
) -> Result<String, DynoxideError> {
    written(&run(read(body)?)?)
}

fn read<Request: DeserializeOwned>(body: &[u8]) -> Result<Request, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| unreadable(&error))
}

fn written(answer: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(answer).map_err(|error| failed(&error))
}

fn failed(error: &serde_json::Error) -> DynoxideError {
    DynoxideError::InternalServerError(error.to_string())
}

fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    for (mark, exception) in REFUSED_WITH {
        if let Some(sentence) = text.strip_prefix(mark) {
            let sentence = sentence.split(" at line ").next().unwrap_or_default();
            return exception(sentence.to_owned());
        }
    }
    if error.is_data() && (text.contains("missing field") || text.contains("unknown variant")) {
        DynoxideError::ValidationException(text)
    } else {
        DynoxideError::SerializationException(text)
    }
}

fn respond(status: StatusCode, body: String) -> Response<Body> {
    #[expect(clippy::expect_used, reason = "every header is a constant or a UUID")]
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, JSON)
        .header("x-amzn-requestid", random::uuid())
        .body(Body::from(body))
        .expect("a response of plain headers")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dynoxide::{Database, DynoxideError};
    use serde_json::{Value, json};

    use super::{Api, Transactions};

    fn api() -> Api {
        let api = Api {
            database: Database::memory().expect("a database in memory"),
            transactions: std::sync::Arc::default(),
        };
        let table = json!({
            "TableName": "counts",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        asked(&api, "CreateTable", &table).expect("a table");
        api
    }

    fn asked(api: &Api, operation: &str, request: &Value) -> Result<Value, DynoxideError> {
        let answer = api.run(operation, request.to_string().as_bytes());
        Ok(serde_json::from_str(&answer.expect("an operation")?).expect("JSON"))
    }

    /// Counts one more under `key`.
    fn count(api: &Api, key: &str, token: Option<&str>) -> Result<Value, DynoxideError> {
        let update = json!({
            "TableName": "counts",
            "Key": { "pk": { "S": key } },
            "UpdateExpression": "ADD times :one SET a = :a, b = :b, c = :c, d = :d",
            "ExpressionAttributeValues": {
                ":one": { "N": "1" },
                ":a": { "S": "a" },
                ":b": { "S": "b" },
                ":c": { "S": "c" },
                ":d": { "S": "d" },
            },
        });
        let mut request = json!({ "TransactItems": [{ "Update": update }] });
        if let Some(token) = token {
            request["ClientRequestToken"] = json!(token);
        }
        asked(api, "TransactWriteItems", &request)
    }

    fn times(api: &Api, key: &str) -> String {
        let get = json!({ "TableName": "counts", "Key": { "pk": { "S": key } } });
        let item = asked(api, "GetItem", &get).expect("an answer");
        item["Item"]["times"]["N"]
            .as_str()
            .unwrap_or("0")
            .to_owned()
    }

    #[test]
    fn a_token_stands_for_one_transaction() {
        let api = api();
        for _ in 0..3 {
            count(&api, "a", Some("token-1")).unwrap();
        }
        assert_eq!(times(&api, "a"), "1");
        count(&api, "a", Some("token-2")).unwrap();
        count(&api, "a", None).unwrap();
        assert_eq!(times(&api, "a"), "3");
        let other = count(&api, "b", Some("token-1")).unwrap_err();
        let is_mismatch = matches!(
            other,
            DynoxideError::IdempotentParameterMismatchException(_)
        );
        assert!(is_mismatch, "{other}");
        assert_eq!(times(&api, "b"), "0");
        assert!(count(&api, "b", Some(&"t".repeat(37))).is_err());
    }

    #[test]
    fn a_refused_transaction_does_not_use_its_token_up() {
        let api = api();
        let refused = json!({ "TransactItems": [{ "Delete": {
            "TableName": "counts",
            "Key": { "pk": { "S": "a" } },
            "ConditionExpression": "attribute_exists(pk)",
        } }], "ClientRequestToken": "token-1" });
        assert!(asked(&api, "TransactWriteItems", &refused).is_err());
        count(&api, "a", Some("token-1")).unwrap();
        assert_eq!(times(&api, "a"), "1");
    }

    #[test]
    fn old_tokens_are_forgotten() {
        let api = api();
        count(&api, "a", Some("token-1")).unwrap();
        let Transactions(tokens) = &*api.transactions;
        let mut tokens = tokens.lock().unwrap();
        tokens.forget_older_than(Duration::from_mins(1));
        assert_eq!((tokens.written.len(), tokens.order.len()), (1, 1));
        tokens.forget_older_than(Duration::ZERO);
        assert_eq!((tokens.written.len(), tokens.order.len()), (0, 0));
    }
}
