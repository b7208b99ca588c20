//! The program around a stand-in's router: options, a port on this machine, an end on request.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use axum::Router;
use clap::{CommandFactory, FromArgMatches};
use tokio::net::TcpListener;

use crate::state::State;

/// The options that every stand-in has.
#[derive(Clone, Debug, clap::Args)]
pub struct Listening {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long)]
    port: u16,
    /// The Region that requests must be signed for, and that ids and ARNs name.
    #[arg(long, default_value = "eu-west-1")]
    pub region: String,
    /// The SQLite file that keeps the state.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Keep nothing on disk.
    #[arg(long, conflicts_with = "state")]
    memory: bool,
}

impl Listening {
    /// The place of the state.
    #[must_use]
    pub fn state(&self) -> State {
        if self.memory {
            State::Memory
        } else {
            State::File(self.state.clone())
        }
    }
}

/// Why a program ends early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A program's service, and its first line.
#[derive(Debug)]
pub struct Served {
    /// Answers the requests.
    pub router: Router,
    /// Printed when signals are listened for and connections are accepted.
    pub greeting: String,
}

/// A stand-in as a program.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// The port that `--port` falls back to.
    pub port: &'static str,
    /// The file that `--state` falls back to.
    pub state: &'static str,
}

impl Program {
    /// Reads the options, listens, opens the stand-in for that address, and serves until Ctrl-C or
    /// SIGTERM.
    pub async fn run<Arguments: CommandFactory + FromArgMatches + AsRef<Listening>>(
        self,
        open: impl FnOnce(Arguments, &str) -> Result<Served, Failure>,
    ) -> ExitCode {
        tracing_subscriber::fmt().with_writer(io::stderr).init();
        match self.serve(open).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                let _ = writeln!(io::stderr(), "{}: {failure}", self.name);
                ExitCode::FAILURE
            }
        }
    }

    async fn serve<Arguments: CommandFactory + FromArgMatches + AsRef<Listening>>(
        self,
        open: impl FnOnce(Arguments, &str) -> Result<Served, Failure>,
    ) -> Result<(), Failure> {
        let matches = Arguments::command()
            .mut_arg("port", |port| port.required(false).default_value(self.port))
            .mut_arg("state", |state| {
                state.required(false).default_value(self.state)
            })
            .get_matches();
        let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let port = arguments.as_ref().port;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .await
            .map_err(|cause| format!("port {port} cannot be used: {cause}"))?;
        let address = format!("http://{}", listener.local_addr()?);
        let served = open(arguments, &address)?;
        let stop = asked_to_stop()?;
        writeln!(io::stdout(), "{}", served.greeting)?;
        axum::serve(listener, served.router)
            .with_graceful_shutdown(stop)
            .await?;
        Ok(())
    }
}

/// Listens for Ctrl-C and SIGTERM from now on; the future resolves at the first of them.
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminated = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())?
    };
    Ok(async move {
        let interrupted = tokio::signal::ctrl_c();
        #[cfg(unix)]
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = interrupted.await;
    })
}
