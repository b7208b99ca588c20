//! Logs and metrics as JSON lines, one object a line. CloudWatch reads this format from a
//! function's standard output.

use std::{
    env::{self, VarError},
    error::Error,
    fmt,
    net::IpAddr,
    time::Duration,
};

use auth_domain::Timestamp;
use serde_json::{Map, Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Format, Json, JsonFields, Writer},
        layer,
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::Metric;

/// Events of this target carry a whole line, ready to be written.
const METRICS: &str = "latchkey::metrics";

/// The CloudWatch namespace of every metric.
const NAMESPACE: &str = "Latchkey";

/// The variable that names the level.
const LOG_LEVEL: &str = "LOG_LEVEL";

/// `LOG_LEVEL` names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLogLevel;

impl fmt::Display for UnknownLogLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the environment variable {LOG_LEVEL} must be error, warn, info, debug or trace"
        )
    }
}

impl Error for UnknownLogLevel {}

/// Starts a function's log: JSON lines on standard output, at the level that `LOG_LEVEL` names.
pub fn start() -> Result<(), UnknownLogLevel> {
    let level = match env::var(LOG_LEVEL) {
        Ok(level) => level_of(&level)?,
        Err(VarError::NotPresent | VarError::NotUnicode(_)) => return Err(UnknownLogLevel),
    };
    let lines = lines(level, std::io::stdout);
    // A second start in one process would be a mistake of a test; the first one's log serves as
    // well.
    let _already_started = tracing_subscriber::registry().with(lines).try_init();
    Ok(())
}

/// The level that `LOG_LEVEL` names.
pub fn level_of(name: &str) -> Result<LevelFilter, UnknownLogLevel> {
    name.parse().map_err(|_| UnknownLogLevel)
}

/// Metrics and the fields of an invocation are written at every level. Other crates stay at
/// warnings, whatever the level: the SDK's own `debug` lines contain requests and answers. Their
/// spans, several for each call, are not kept: a warning of the SDK names the invocation instead.
fn admits(level: LevelFilter, event: &Metadata<'_>) -> bool {
    let target = event.target();
    let others = ["aws_", "h2", "hyper", "lambda_runtime", "rustls", "tower"];
    let is_others = others.iter().any(|name| target.starts_with(name));
    if event.is_span() {
        return !is_others;
    }
    let level = if is_others {
        level.min(LevelFilter::WARN)
    } else {
        level
    };
    target == METRICS || *event.level() <= level
}

/// The layer that writes a function's lines, up to a level. The local run gives it a writer of its
/// own.
pub fn lines<S, W>(level: LevelFilter, writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let json = Format::default()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    layer()
        .event_format(Lines(json))
        .fmt_fields(JsonFields::new())
        .with_writer(writer)
        .with_filter(filter_fn(move |event| admits(level, event)))
}

struct Lines(Format<Json>);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() != METRICS {
            return self.0.format_event(context, writer, event);
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        writeln!(writer, "{}", line.0)
    }
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, _field: &Field, value: &str) {
        self.0.push_str(value);
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn fmt::Debug) {}
}

/// The record of an ended invocation.
pub(crate) struct Completed<'a> {
    pub(crate) environment: &'a str,
    pub(crate) function: &'static str,
    pub(crate) door: &'static str,
    pub(crate) request_id: &'a str,
    pub(crate) invocation_id: &'a str,
    pub(crate) trace_id: Option<&'a str>,
    /// The sender's address. API Gateway's own log has CloudFront's instead.
    pub(crate) viewer: Option<IpAddr>,
    /// The problem's code, or `OK`.
    pub(crate) outcome: &'static str,
    pub(crate) status: u16,
    pub(crate) duration: Duration,
    pub(crate) metrics: &'a [Metric],
    pub(crate) timestamp: Timestamp,
}

/// Writes an invocation's one line: a log entry and its metrics in CloudWatch's embedded metric
/// format.
pub(crate) fn completed(completed: &Completed<'_>) {
    let latency_ms = completed.duration.as_secs_f64() * 1000.0;
    let server_error = u8::from(completed.status >= 500);
    let level = if server_error == 1 { "ERROR" } else { "INFO" };
    let mut line = MetricLine::new(
        completed.function,
        completed.environment,
        completed.timestamp,
    );
    line.measure("Latency", "Milliseconds", latency_ms);
    line.measure("ServerErrors", "Count", server_error);
    for metric in completed.metrics {
        line.count(*metric);
    }
    let viewer = completed.viewer.map(|viewer| viewer.to_string());
    line.write(
        level,
        "completed",
        [
            ("door", completed.door.into()),
            ("outcome", completed.outcome.into()),
            ("status", completed.status.into()),
            ("requestId", completed.request_id.into()),
            ("invocationId", completed.invocation_id.into()),
            ("traceId", completed.trace_id.into()),
            ("viewer", viewer.into()),
        ],
    );
}

/// Writes a line for one event of a function that has no line of its own for each invocation.
pub(crate) fn counted(
    metric: Metric,
    function: &'static str,
    environment: &str,
    timestamp: Timestamp,
) {
    let mut line = MetricLine::new(function, environment, timestamp);
    line.count(metric);
    line.write("INFO", "counted", []);
}

/// A line in CloudWatch's embedded metric format.
struct MetricLine<'a> {
    function: &'static str,
    environment: &'a str,
    timestamp: Timestamp,
    definitions: Vec<Value>,
    members: Map<String, Value>,
}

impl<'a> MetricLine<'a> {
    fn new(function: &'static str, environment: &'a str, timestamp: Timestamp) -> Self {
        Self {
            function,
            environment,
            timestamp,
            definitions: Vec::new(),
            members: Map::new(),
        }
    }

    fn measure(&mut self, name: &str, unit: &str, value: impl Into<Value>) {
        if self.members.insert(name.to_owned(), value.into()).is_none() {
            self.definitions.push(json!({ "Name": name, "Unit": unit }));
        }
    }

    fn count(&mut self, metric: Metric) {
        let so_far = self.members.get(metric.name()).and_then(Value::as_u64);
        self.measure(metric.name(), "Count", so_far.unwrap_or(0) + 1);
    }

    fn write<const FIELDS: usize>(
        mut self,
        level: &str,
        message: &str,
        fields: [(&str, Value); FIELDS],
    ) {
        let metrics = json!({
            "Timestamp": self.timestamp.as_millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["environment", "function"]],
                "Metrics": self.definitions,
            }],
        });
        let common = [
            ("_aws", metrics),
            ("timestamp", self.timestamp.to_string().into()),
            ("level", level.into()),
            ("message", message.into()),
            ("environment", self.environment.into()),
            ("function", self.function.into()),
        ];
        let named = |(name, value): (&str, Value)| (name.to_owned(), value);
        self.members
            .extend(common.into_iter().chain(fields).map(named));
        let line = Value::Object(self.members).to_string();
        tracing::info!(target: METRICS, line = line.as_str());
    }
}
