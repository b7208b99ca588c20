//! The local run: all of Latchkey in one process, with nothing to install and no AWS account.
//!
//! [`World::start`] starts a gateway that behaves as an API Gateway HTTP API, every operation as
//! its Lambda function, and the stand-ins for AWS. The operations are the code that ships, through
//! the same SDK clients and the same events; only endpoints, clock and randomness differ. Any
//! number of worlds can live in one process: nothing is global.
//!
//! ```no_run
//! # async fn example() -> Result<(), auth_local::WorldError> {
//! let world = auth_local::World::start(auth_local::Options::default()).await?;
//! println!("{}", world.ready().gateway);
//! world.shutdown().await;
//! # Ok(())
//! # }
//! ```

pub mod cli;
mod console;
mod control;
mod functions;
mod gateway;
mod page;
mod world;

pub use control::faults::{Fault, FaultKind};
pub use control::mailbox::Mail;
pub use control::observer::{ObservedExchange, Served};
pub use functions::aws_calls::AwsCall;
pub use functions::logs::LogLine;
pub use functions::{FunctionsError, Mount, mounted};
pub use world::clock::WorldClock;
pub use world::dynamodb::Tables;
pub use world::options::{EventWatcher, Options, State, Watcher, Watchers};
pub use world::ports::PortError;
pub use world::settings::{Settings, SettingsError};
pub use world::state_folder::StateFolderError;
pub use world::{Ready, Snapshot, UnknownUser, World, WorldError};
