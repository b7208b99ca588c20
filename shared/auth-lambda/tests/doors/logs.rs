//! The log lines of an invocation.

use std::{cell::RefCell, io, sync::LazyLock};

use auth_lambda::{Counter as _, Function, Metric, MetricLog};
use serde_json::{Value, json};
use tracing::{Dispatch, callsite, dispatcher};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use crate::{
    harness::{self, Echo, INVOCATION_ID, ORIGIN_SECRET, REQUEST_ID, echo, invocation, post, raw},
    senders::from_viewer,
};

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the lines of the thread: a test's functions run on the test's own thread.
struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of all tests here. It is made once: while a subscriber is being made, another thread
/// can register a place that logs as one that interests no subscriber.
static LOG: LazyLock<Dispatch> = LazyLock::new(|| {
    let lines = auth_lambda::logging::lines(LevelFilter::INFO, || Lines);
    Dispatch::new(tracing_subscriber::registry().with(lines))
});

/// Everything logged while the echo answers to `body`.
async fn logged(body: &str) -> String {
    logged_by(&echo(), &post(body)).await
}

async fn logged_by(function: &Function, event: &Value) -> String {
    let _guard = dispatcher::set_default(&LOG);
    // The places that log are registered by a first pass, and then matched with the log again.
    harness::invoke(function, raw(event), invocation()).await;
    callsite::rebuild_interest_cache();
    LINES.take();
    harness::invoke(function, raw(event), invocation()).await;
    String::from_utf8(LINES.take()).unwrap()
}

#[tokio::test]
async fn an_invocation_ends_in_one_line_that_is_log_and_metrics() {
    let log = logged(r#"{"email":"ada@example.com"}"#).await;
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(
        (&line["function"], &line["door"]),
        (&"echo".into(), &"http".into())
    );
    assert_eq!(
        (&line["outcome"], &line["status"]),
        (&"OK".into(), &200.into())
    );
    assert_eq!(
        (&line["requestId"], &line["invocationId"]),
        (&REQUEST_ID.into(), &INVOCATION_ID.into())
    );
    let metrics = &line["_aws"]["CloudWatchMetrics"][0];
    for metric in metrics["Metrics"].as_array().unwrap() {
        let name = metric["Name"].as_str().unwrap();
        assert!(line[name].is_number(), "{name} is announced and missing");
    }
}

/// A trigger has no line for each invocation.
#[test]
fn an_event_of_a_function_that_is_no_operation_is_a_line_of_its_own() {
    let deployment = harness::deployment();
    let metrics = MetricLog::new("greeter", &deployment.environment, deployment.clock);
    let _guard = dispatcher::set_default(&LOG);
    // As in `logged_by`.
    metrics.count(Metric::GuestsCreated);
    callsite::rebuild_interest_cache();
    LINES.take();
    metrics.count(Metric::GuestsCreated);
    let line: Value = serde_json::from_slice(&LINES.take()).unwrap();
    assert_eq!(line["GuestsCreated"], 1);
    assert_eq!(line["function"], "greeter");
    assert_eq!(line["environment"], deployment.environment);
    let announced = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        *announced,
        json!({
            "Namespace": "Latchkey",
            "Dimensions": [["environment", "function"]],
            "Metrics": [{ "Name": "GuestsCreated", "Unit": "Count" }],
        })
    );
}

#[tokio::test]
async fn a_line_names_the_viewer_and_not_the_edge() {
    let guarded = Function::operation(Echo::<false>, harness::behind_cloudfront());
    let viewed = from_viewer("198.51.100.7:4711", Some(ORIGIN_SECRET));
    for (function, event, viewer) in [
        (&guarded, &viewed, "198.51.100.7"),
        // This request has no proof that it came through CloudFront.
        (&echo(), &viewed, "203.0.113.7"),
    ] {
        let log = logged_by(function, event).await;
        let line: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["viewer"], viewer);
    }
}

#[tokio::test]
async fn no_line_holds_what_a_person_sent() {
    let planted = ["ada.planted@example.com", "98765432", "Planted Name"];
    let right = format!(
        r#"{{"email":"{}","code":"{}","name":"{}"}}"#,
        planted[0], planted[1], planted[2]
    );
    let wrong = format!(
        r#"{{"email":["{}"],"code":"{}x","name":{{"{}":1}}}}"#,
        planted[0], planted[1], planted[2]
    );
    for body in [right, wrong, format!("{{\"{}", planted[0])] {
        let log = logged(&body).await;
        assert!(log.contains("completed"));
        for secret in planted {
            assert!(!log.contains(secret), "{log}");
        }
    }
}
