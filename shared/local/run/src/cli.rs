//! The command line of `cargo run`.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use url::Url;

use crate::console::Console;
use crate::{Options, Settings, State, Watchers, World};

/// The folder of the state, below the current folder.
const STATE_FOLDER: &str = ".latchkey";

/// The default filter of standard error. Dynoxide warns of every failed condition, and limits fail
/// conditions all day.
const USUAL_FILTER: &str = "warn,dynoxide=off";
const QUIET_FILTER: &str = "error,dynoxide=off";

/// Starts all of Latchkey on this machine: the API, every operation, and stand-ins for AWS.
///
/// Open the page that it prints, or paste the command. Mails arrive in its mailbox, and here.
#[derive(Debug, Parser)]
#[command(name = "auth-local", version)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Arguments {
    /// The gateway's port; Cognito, DynamoDB and the rest follow it. 0 takes free ones
    #[arg(long, value_name = "N", default_value_t = 8787)]
    port: u16,
    /// Keep nothing on disk
    #[arg(long)]
    memory: bool,
    /// Forget the kept state first
    #[arg(long)]
    fresh: bool,
    /// Print one line of JSON when everything answers, and nothing else; logs go to standard error
    #[arg(long)]
    json: bool,
    /// Say less on standard error
    #[arg(long, conflicts_with = "log")]
    quiet: bool,
    /// Say more on standard error, such as `info` or `cognito_local=debug`
    #[arg(long, value_name = "FILTER", value_parser = filter)]
    log: Option<String>,
    /// A front end's origin, such as `http://localhost:5173`; may be repeated. It alone may then
    /// call the API, with cookies too. Without it every page of this machine may call, and only the
    /// page's own with cookies
    #[arg(long, value_name = "URL", value_parser = origin)]
    frontend: Vec<String>,
    /// Limits and switches: lines of `NAME = value`, named as the functions' environment variables
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Admit any number of requests a second, for load tests: no route's throttle refuses one
    #[arg(long)]
    unthrottled: bool,
}

/// Refuses a filter before anything starts.
fn filter(text: &str) -> Result<String, ParseError> {
    EnvFilter::try_new(text).map(|_| text.to_owned())
}

/// The origin of an address, as browsers write it.
fn origin(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no address")?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url.origin().ascii_serialization())
    } else {
        Err("must begin with http:// or https://, and name a host")
    }
}

/// Runs until a signal ends it.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match start(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let settings = match &arguments.config {
        Some(path) => Settings::from_file(path)?,
        None => Settings::default(),
    };
    let console = Arc::new(Console::new(
        arguments.json,
        arguments.quiet,
        arguments.log.is_some(),
    ));
    let usual = if arguments.quiet {
        QUIET_FILTER
    } else {
        USUAL_FILTER
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(arguments.log.as_deref().unwrap_or(usual)))
        .with_writer(io::stderr)
        .init();
    let options = Options {
        port: arguments.port,
        state: if arguments.memory {
            State::Memory
        } else {
            State::Folder(STATE_FOLDER.into())
        },
        fresh: arguments.fresh,
        settings,
        front_ends: arguments.frontend.clone(),
        throttled: !arguments.unthrottled,
        watchers: watchers(&console),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            // Before the world's start, so a signal during the start is not lost.
            let stop = stop_signal()?;
            let world = World::start(options).await?;
            world.check_settings()?;
            console.ready(&world);
            stop.await;
            world.shutdown().await;
            Ok(())
        })
}

fn watchers(console: &Arc<Console>) -> Watchers {
    let (served, mail, log_line) = (console.clone(), console.clone(), console.clone());
    Watchers {
        served: Some(Arc::new(move |request| served.request(request))),
        mail: Some(Arc::new(move |received| mail.mail(received))),
        log_line: Some(Arc::new(move |line| log_line.log_line(line))),
        ..Watchers::default()
    }
}

/// Ends with Ctrl-C or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be heard");
        }
    })
}

/// One line: the error and its causes.
fn report(error: &dyn Error) {
    let mut line = format!("auth-local: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    // If standard error is closed, the message has no reader.
    let _unheard = writeln!(io::stderr(), "{line}");
}
