//! The control interface under `/_local`: tests, scripts and the page read a world and change it.
//! It never ships.

pub(crate) mod bounces;
mod events;
pub(crate) mod faults;
pub(crate) mod journal;
pub(crate) mod mailbox;
pub(crate) mod observer;
pub(crate) mod requests;
pub(crate) mod worded_mails;

use std::sync::Arc;
use std::time::Duration;

use auth_domain::Timestamp;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::bounces::Bounce;
use self::faults::Fault;
use self::mailbox::Mail;
use self::requests::{Exchange, Line};
use self::worded_mails::WordedMail;
use crate::functions::aws_calls::AwsCall;
use crate::world::{Inner, Ready, UnknownUser};

/// A wait for mail lasts no longer.
const LONGEST_WAIT_SECONDS: f64 = 60.0;

/// The longest step of the clock: ten years.
const LONGEST_ADVANCE_SECONDS: f64 = 315_576_000.0;

pub(crate) fn router() -> Router<Arc<Inner>> {
    Router::new()
        .route("/mailbox", get(mails).delete(empty_mailbox))
        .route("/mailbox/latest", get(latest_mail))
        .route("/mailbox/{id}/html", get(mail_as_html))
        .route("/bounces", post(bounce))
        .route("/worded-mails", get(worded_mails))
        .route("/worded-mails/{id}/html", get(worded_mail_as_html))
        .route("/requests", get(requests))
        .route("/requests/{id}", get(request))
        .route("/ready", get(ready))
        .route("/clock", get(read_clock).post(advance_clock))
        .route("/calls", get(calls))
        .route("/events", get(events::follow))
        .route("/faults", get(faults).post(arm_fault).delete(clear_faults))
        .route("/logs", get(logs))
        .route("/reset", post(reset))
        .route("/cognito", post(set_cognito))
        .route("/openapi.json", get(openapi))
        .route("/prices.json", get(prices))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    to: Option<String>,
}

async fn mails(State(world): State<Arc<Inner>>, Query(query): Query<Recipient>) -> Json<Vec<Mail>> {
    Json(
        world
            .mailbox
            .to(query.to.as_deref().map(address).as_deref()),
    )
}

/// An address from a query. People leave the plus sign of `ada+test@example.com` unescaped, and a
/// form parser reads it as a space; no address of ours has a space.
fn address(text: &str) -> String {
    text.replace(' ', "+")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Awaited {
    to: Option<String>,
    /// Only mails with a higher id count.
    #[serde(default)]
    after: u64,
    /// Seconds.
    #[serde(default)]
    wait: f64,
}

async fn latest_mail(State(world): State<Arc<Inner>>, Query(query): Query<Awaited>) -> Response {
    let Awaited { to, after, wait } = query;
    let wait = match seconds(wait, LONGEST_WAIT_SECONDS) {
        Ok(wait) => wait,
        Err(refusal) => return refusal.into_response(),
    };
    match world
        .mailbox
        .latest(to.as_deref().map(address).as_deref(), after, wait)
        .await
    {
        Some(mail) => Json(mail).into_response(),
        None => Refusal(StatusCode::NOT_FOUND, "no such mail".to_owned()).into_response(),
    }
}

/// Other people write a mail's HTML, and people put their own names into it. So it is shown without
/// scripts, without requests, and only in a frame of the page.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; \
                           img-src data:; base-uri 'none'; frame-ancestors 'self'";

async fn mail_as_html(State(world): State<Arc<Inner>>, Path(id): Path<u64>) -> Response {
    let found = world.mailbox.find(id).filter(|mail| !mail.html.is_empty());
    as_html(found.map(|mail| mail.html))
}

/// Plays SES: a mail bounces or draws a complaint.
async fn bounce(State(world): State<Arc<Inner>>, body: Bytes) -> Result<StatusCode, Refusal> {
    let bounce: Bounce = read(&body)?;
    if bounce.kind.suppresses() {
        world.mailbox.suppress(&bounce.to);
    }
    world.hear_of_mail(&bounce.event(world.clock.now())).await;
    Ok(StatusCode::ACCEPTED)
}

/// Every mail that Latchkey words, in every language.
async fn worded_mails(State(world): State<Arc<Inner>>) -> Response {
    match worded(&world) {
        Ok(mails) => Json(mails).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn worded_mail_as_html(State(world): State<Arc<Inner>>, Path(id): Path<usize>) -> Response {
    match worded(&world) {
        Ok(mails) => as_html(mails.into_iter().nth(id).map(|mail| mail.html)),
        Err(refusal) => refusal.into_response(),
    }
}

fn worded(world: &Inner) -> Result<Vec<WordedMail>, Refusal> {
    worded_mails::all(&world.mail_words, world.clock.now())
        .map_err(|report| Refusal(StatusCode::INTERNAL_SERVER_ERROR, report.chain()))
}

fn as_html(html: Option<String>) -> Response {
    let Some(html) = html else {
        return Refusal(StatusCode::NOT_FOUND, "no such mail".to_owned()).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, html).into_response()
}

async fn empty_mailbox(State(world): State<Arc<Inner>>) -> StatusCode {
    world.mailbox.clear();
    StatusCode::NO_CONTENT
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClockReading {
    now: Timestamp,
    ahead_seconds: f64,
}

async fn read_clock(State(world): State<Arc<Inner>>) -> Json<ClockReading> {
    Json(ClockReading {
        now: world.clock.now(),
        ahead_seconds: world.clock.ahead().as_secs_f64(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: f64,
}

async fn advance_clock(
    State(world): State<Arc<Inner>>,
    body: Bytes,
) -> Result<Json<ClockReading>, Refusal> {
    let Advance { advance_seconds } = read(&body)?;
    world.advance(seconds(advance_seconds, LONGEST_ADVANCE_SECONDS)?)?;
    Ok(read_clock(State(world)).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn calls(State(world): State<Arc<Inner>>, Query(query): Query<Since>) -> Json<Vec<AwsCall>> {
    Json(world.calls.since(query.since))
}

/// Each line in its original form, with its number for `since`.
async fn logs(State(world): State<Arc<Inner>>, Query(query): Query<Since>) -> Json<Vec<Value>> {
    let lines = world.logs.lines.since(query.since).into_iter();
    Json(lines.map(|(id, line)| numbered(id, &line)).collect())
}

fn numbered(id: u64, line: &str) -> Value {
    let mut fields: Map<String, Value> = serde_json::from_str(line)
        .unwrap_or_else(|_| Map::from_iter([("message".to_owned(), line.into())]));
    fields.insert("id".to_owned(), id.into());
    Value::Object(fields)
}

async fn ready(State(world): State<Arc<Inner>>) -> Json<Ready> {
    Json(world.ready().clone())
}

/// The requests and answers since a number, without the bodies.
async fn requests(State(world): State<Arc<Inner>>, Query(query): Query<Since>) -> Json<Vec<Line>> {
    let exchanges = world.requests.journal.since(query.since);
    Json(
        exchanges
            .into_iter()
            .map(|(_, exchange)| exchange.line())
            .collect(),
    )
}

/// One request with both bodies, the AWS calls that it made, and the lines that were logged for it.
#[derive(Serialize)]
struct Opened {
    #[serde(flatten)]
    exchange: Exchange,
    calls: Vec<AwsCall>,
    logs: Vec<Value>,
}

async fn request(State(world): State<Arc<Inner>>, Path(id): Path<u64>) -> Response {
    let found = world
        .requests
        .journal
        .latest(|exchange| exchange.id() == id);
    let Some(exchange) = found else {
        return Refusal(StatusCode::NOT_FOUND, "no such request".to_owned()).into_response();
    };
    let invocation = exchange.invocation_id();
    let mut calls = Vec::new();
    let mut logs = Vec::new();
    if !invocation.is_empty() {
        calls = world.calls.of(invocation);
        let lines = world.logs.lines.since(0).into_iter();
        let of_it = lines.filter(|(_, line)| line.contains(invocation));
        logs.extend(of_it.map(|(id, line)| numbered(id, &line)));
    }
    calls.sort_by_key(|call| call.at.as_millis());
    Json(Opened {
        exchange,
        calls,
        logs,
    })
    .into_response()
}

async fn faults(State(world): State<Arc<Inner>>) -> Json<Vec<Fault>> {
    Json(world.calls.faults.armed())
}

async fn arm_fault(
    State(world): State<Arc<Inner>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Fault>), Refusal> {
    let fault: Fault = read(&body)?;
    if let Some(mistake) = fault.mistake() {
        return Err(Refusal(StatusCode::BAD_REQUEST, mistake.to_owned()));
    }
    world.calls.faults.arm(fault.clone());
    Ok((StatusCode::CREATED, Json(fault)))
}

async fn clear_faults(State(world): State<Arc<Inner>>) -> StatusCode {
    world.calls.faults.clear();
    StatusCode::NO_CONTENT
}

async fn reset(State(world): State<Arc<Inner>>) -> Result<StatusCode, Refusal> {
    world.reset()?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CognitoSwitches {
    unknown_user: UnknownUser,
}

/// Chooses among the recorded answers of Cognito for an unknown user.
async fn set_cognito(State(world): State<Arc<Inner>>, body: Bytes) -> Result<StatusCode, Refusal> {
    let CognitoSwitches { unknown_user } = read(&body)?;
    world.set_unknown_user(unknown_user);
    Ok(StatusCode::NO_CONTENT)
}

async fn openapi() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        auth_api::DOCUMENT,
    )
}

/// AWS's prices of a call, from the file that COST.md is generated from.
const PRICES: &str = include_str!("../../../../../terraform/prices.json");

async fn prices() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], PRICES)
}

/// Seconds that make sense, as a duration.
fn seconds(seconds: f64, most: f64) -> Result<Duration, Refusal> {
    if (0.0..=most).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(Refusal(
        StatusCode::BAD_REQUEST,
        format!("seconds must lie between 0 and {most}: time moves ahead only"),
    ))
}

/// The reason why the control interface refuses a request.
pub(crate) struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "message": self.1 }))).into_response()
    }
}

impl From<crate::WorldError> for Refusal {
    fn from(error: crate::WorldError) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

/// Reads a JSON body of any content type: `curl -d` sends the wrong one.
fn read<Input: DeserializeOwned>(body: &Bytes) -> Result<Input, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))
}
