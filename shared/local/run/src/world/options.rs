//! A world's options.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::settings::Settings;
use crate::control::mailbox::Mail;
use crate::control::observer::{ObservedExchange, Served};
use crate::functions::logs::LogLine;

/// All options of a world. The default is a world in memory, on free ports, without observers.
#[derive(Clone)]
pub struct Options {
    /// The gateway's port. The other ports follow it; 0 takes free ones.
    pub port: u16,
    /// The place of the state.
    pub state: State,
    /// Deletes the kept state first.
    pub fresh: bool,
    /// Limits and switches of the functions.
    pub settings: Settings,
    /// The origins of front ends that may call the API; browsers are sent back to the first.
    /// Without any, every page of this machine may call it.
    pub front_ends: Vec<String>,
    /// Whether the gateway throttles the stage and each route, as API Gateway does.
    pub throttled: bool,
    /// The receiver of events.
    pub watchers: Watchers,
}

/// The place of a world's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Gone when the world ends.
    Memory,
    /// In this folder, which one process at a time may use.
    Folder(PathBuf),
}

/// Is told of something.
pub type Watcher<Thing> = Arc<dyn Fn(&Thing) + Send + Sync>;

/// Sees an event on its way into a function.
pub type EventWatcher = Arc<dyn Fn(&str, &RawValue) + Send + Sync>;

/// Called at each event, in the event's own task: they must not block.
#[derive(Clone, Default)]
pub struct Watchers {
    /// Sees every exchange that passed the gateway.
    pub observer: Option<Watcher<ObservedExchange>>,
    /// Is told of every request that the gateway answered.
    pub served: Option<Watcher<Served>>,
    /// Is told of every mail.
    pub mail: Option<Watcher<Mail>>,
    /// Sees every event that a function is invoked with, and the function's name.
    pub event: Option<EventWatcher>,
    /// Gets every line that a function logs.
    pub log_line: Option<LogLine>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            state: State::Memory,
            fresh: false,
            settings: Settings::default(),
            front_ends: Vec::new(),
            throttled: true,
            watchers: Watchers::default(),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Options")
            .field("port", &self.port)
            .field("state", &self.state)
            .field("fresh", &self.fresh)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
