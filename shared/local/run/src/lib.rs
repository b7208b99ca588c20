//! The local run: all of Latchkey in one process, with nothing to install and no AWS account.
//!
//! [`World::start`] starts a gateway that behaves as an API Gateway HTTP API, every operation as the Lambda function that it is, and
//! the stand-ins that they stand on. The operations are the code that ships, through the same SDK clients and the same events; only
//! endpoints, clock and randomness differ. Any number of worlds can live in one process: nothing is global.
//!
//! ```no_run
//! # async fn example() -> Result<(), auth_local::WorldError> {
//! let world = auth_local::World::start(auth_local::Options::default()).await?;
//! println!("{}", world.ready().gateway);
//! world.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod account;
mod agent_identity;
mod aws_calls;
pub mod cli;
mod clock;
mod console;
mod control;
mod directory;
mod dynamodb;
mod dynamodb_api;
mod environment;
mod faults;
mod functions;
mod gateway;
mod guard;
mod invoke_api;
mod journal;
mod logs;
mod mailbox;
mod mcp;
mod observer;
mod options;
mod page;
mod ports;
mod random;
mod servers;
mod settings;
mod state_folder;
mod world;

pub use aws_calls::AwsCall;
pub use clock::WorldClock;
pub use dynamodb::Tables;
pub use faults::{Fault, FaultKind};
pub use functions::FunctionsError;
pub use logs::LogLine;
pub use mailbox::Mail;
pub use observer::{ObservedExchange, Served};
pub use options::{EventWatcher, Options, State, Watcher, Watchers};
pub use ports::PortError;
pub use settings::{Settings, SettingsError};
pub use state_folder::StateFolderError;
pub use world::{Ready, UnknownUser, World, WorldError};
