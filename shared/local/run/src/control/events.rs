//! Events of guests, as a deployment's bus delivers them: from the activity's stream, by the
//! template of the pipe.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use auth_api::EVENT_TEMPLATE;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;
use crate::world::Inner;
use crate::world::account::{ACCOUNT_ID, REGION};
use crate::world::dynamodb::{DynamoDb, Place};
use crate::world::random;

/// The table whose new items are events.
const TABLE: &str = "activity";

/// How often the stream is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// Looks without an event, before a comment shows that the connection lives.
const LOOKS_UNTIL_SIGN: u32 = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Events after this instant are sent, old ones too; `0` for all. Without it only new ones are.
    since: Option<String>,
}

/// The place in the stream, and the events that were read and are still to be sent.
struct Following {
    dynamodb: DynamoDb,
    place: String,
    since: String,
    ready: VecDeque<Value>,
}

/// Server-sent events: each an event in `EventBridge`'s envelope, under its own id and type.
pub(super) async fn follow(
    State(world): State<Arc<Inner>>,
    Query(asked): Query<Asked>,
) -> Response {
    let from = match asked.since {
        Some(_) => Place::Oldest,
        None => Place::Newest,
    };
    let place = match world.dynamodb().stream(TABLE, from) {
        Ok(place) => place,
        Err(error) => {
            let refusal = Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
            return refusal.into_response();
        }
    };
    let following = Following {
        dynamodb: world.dynamodb().clone(),
        place,
        since: asked.since.unwrap_or_default(),
        ready: VecDeque::new(),
    };
    let events = stream::try_unfold(following, |mut following| async move {
        let sent = following.next().await?;
        Ok::<_, io::Error>(Some((sent, following)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

impl Following {
    /// The next event as it is sent. A reset of the world ends the stream, and the client begins
    /// another.
    async fn next(&mut self) -> Result<Bytes, io::Error> {
        for _ in 0..LOOKS_UNTIL_SIGN {
            if let Some(event) = self.ready.pop_front() {
                let (id, kind) = (&event["detail"]["id"], &event["detail"]["type"]);
                let (id, kind) = (id.as_str().unwrap_or(""), kind.as_str().unwrap_or(""));
                let sent = format!("id: {id}\nevent: {kind}\ndata: {event}\n\n");
                return Ok(Bytes::from(sent));
            }
            self.look()?;
            if self.ready.is_empty() {
                tokio::time::sleep(EVERY).await;
            }
        }
        Ok(Bytes::from_static(b": nothing yet\n\n"))
    }

    fn look(&mut self) -> Result<(), io::Error> {
        let read = self.dynamodb.records(&self.place);
        let (records, place) = read.map_err(io::Error::other)?;
        self.place = place;
        let since = self.since.as_str();
        let events = records.iter().filter_map(event);
        let new = events.filter(|event| event["detail"]["at"].as_str() > Some(since));
        self.ready.extend(new);
        Ok(())
    }
}

/// A record of the stream as the event that `EventBridge` delivers. A new item is an event if it
/// names one, as with a pipe whose filter admits every type.
fn event(record: &Value) -> Option<Value> {
    if record["eventName"] != "INSERT" || !record["dynamodb"]["NewImage"]["event"]["S"].is_string()
    {
        return None;
    }
    let detail: Value = serde_json::from_str(&filled(EVENT_TEMPLATE, record)).ok()?;
    // EventBridge knows whole seconds.
    let time = detail["at"].as_str()?.split('.').next()?;
    Some(json!({
        "version": "0",
        "id": random::uuid(),
        "detail-type": "Latchkey event",
        "source": "latchkey.local",
        "account": ACCOUNT_ID,
        "time": format!("{time}Z"),
        "region": REGION,
        "resources": [],
        "detail": detail,
    }))
}

/// The template with the record's values in the places of their paths, as `EventBridge` Pipes fills
/// its own.
fn filled(template: &str, record: &Value) -> String {
    let mut parts = template.split("<$.");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (path, rest) = part.split_once('>').unwrap_or((part, ""));
        let pointer = format!("/{}", path.replace('.', "/"));
        let value = record.pointer(&pointer).and_then(Value::as_str);
        text.push_str(value.unwrap_or_default());
        text.push_str(rest);
    }
    text
}
