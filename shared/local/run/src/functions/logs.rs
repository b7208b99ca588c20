//! The functions' log lines. Each belongs to the world whose function wrote it.
//!
//! Every world has its own subscriber, and every invocation runs under its world's. So nothing is
//! installed for the whole process, any number of worlds can run at once, and a line cannot get
//! into another world's log.

use std::io;
use std::sync::Arc;

use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::control::journal::Journal;

/// The number of lines that are kept.
const REMEMBERED: usize = 20_000;

/// Receives a function's lines as they are written, besides the log.
pub type LogLine = Arc<dyn Fn(&str) + Send + Sync>;

/// The log of a world.
pub(crate) struct Logs {
    pub(crate) lines: Journal<Arc<str>>,
    also: Option<LogLine>,
}

impl Logs {
    pub(crate) fn new(also: Option<LogLine>) -> Arc<Self> {
        Arc::new(Self {
            lines: Journal::new(REMEMBERED),
            also,
        })
    }

    /// The subscriber that functions run under: production's lines at production's level.
    pub(crate) fn subscriber(self: &Arc<Self>, level: LevelFilter) -> Dispatch {
        let lines = auth_lambda::logging::lines(level, Writer(self.clone()));
        Dispatch::new(Registry::default().with(lines))
    }

    fn add(&self, line: &str) {
        self.lines.add(|_| line.into());
        if let Some(also) = &self.also {
            also(line);
        }
    }
}

struct Writer(Arc<Logs>);

impl<'writer> MakeWriter<'writer> for Writer {
    type Writer = Line<'writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        Line(&self.0)
    }
}

/// The subscriber writes each event with one `write`, newline included.
struct Line<'logs>(&'logs Logs);

impl io::Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
