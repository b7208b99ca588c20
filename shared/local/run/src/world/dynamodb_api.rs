//! DynamoDB's wire protocol in front of the database.
//!
//! Dynoxide has its own server, but that one answers every origin and every host name: any web page
//! open on this machine could read the tables. This server answers only programs, behind the guard
//! of all ports.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::routing::any;
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
        .with_state(database)
}

async fn call(
    State(database): State<Database>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
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
    match operation.and_then(|operation| run(&database, operation, &body)) {
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

/// An operation's answer; `None` if it is not served here.
fn run(database: &Database, operation: &str, body: &[u8]) -> Option<Result<String, DynoxideError>> {
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
        "TransactWriteItems" => answer(body, |request| database.transact_write_items(request)),
        "UpdateItem" => answer(body, |request| database.update_item(request)),
        "UpdateTable" => answer(body, |request| database.update_table(request)),
        "UpdateTimeToLive" => answer(body, |request| database.update_time_to_live(request)),
        _ => return None,
    })
}

fn answer<Request: DeserializeOwned, Answer: Serialize>(
    body: &[u8],
    run: impl FnOnce(Request) -> Result<Answer, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    serde_json::to_string(&run(request)?)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
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
