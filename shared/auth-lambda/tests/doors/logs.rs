//! The log lines of an invocation.

use std::{
    io,
    sync::{Arc, Mutex},
};

use auth_lambda::Function;
use serde_json::Value;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt};

use crate::{
    harness::{self, Echo, INVOCATION_ID, ORIGIN_SECRET, REQUEST_ID, echo, invocation, post, raw},
    senders::from_viewer,
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything logged while the echo answers to `body`.
async fn logged(body: &str) -> String {
    logged_by(&echo(), &post(body)).await
}

async fn logged_by(function: &Function, event: &Value) -> String {
    // A place that logs is registered at its first pass. If another test's subscriber is created at
    // that moment, the line may be lost. So the test passes each place once before.
    harness::invoke(function, raw(event), invocation()).await;
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(auth_lambda::logging::lines(
        LevelFilter::INFO,
        lines.clone(),
    ));
    let _guard = tracing::subscriber::set_default(subscriber);
    harness::invoke(function, raw(event), invocation()).await;
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
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
