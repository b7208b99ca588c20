//! The local run itself: its ports, its command line, its control interface.

mod agent_identity;
mod amplify;
mod command_line;
mod control;
mod events;
mod faults;
mod gateway;
mod invoke_api;
mod lambdas;
mod mcp;
mod settings;
mod signatures;
mod snapshot;
