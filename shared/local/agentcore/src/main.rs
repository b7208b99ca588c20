//! AgentCore Identity on a port. Workload identities and credential providers are made through the control plane's operations.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use agentcore_local::{AgentCore, Issuers, Options, State};
use clap::Parser;
use tokio::net::TcpListener;

/// AgentCore Identity over the AWS wire protocol.
#[derive(Parser)]
#[command(name = "agentcore-local", about, long_about = None)]
struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8790)]
    port: u16,
    /// The Region that requests must be signed for.
    #[arg(long, default_value = "eu-west-1")]
    region: String,
    /// The SQLite file that keeps the state.
    #[arg(long, value_name = "FILE", default_value = "agentcore-local.sqlite")]
    state: PathBuf,
    /// Keep nothing on disk.
    #[arg(long, conflicts_with = "state")]
    memory: bool,
    /// An issuer whose tokens are taken for a user's; may be given several times. Without it, any issuer's.
    #[arg(long, value_name = "URL")]
    issuer: Vec<String>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "agentcore-local: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|cause| format!("port {} cannot be used: {cause}", arguments.port))?;
    let address = format!("http://{}", listener.local_addr()?);

    let mut options = Options::new(&address);
    options.region = arguments.region;
    if !arguments.memory {
        options.state = State::File(arguments.state);
    }
    if !arguments.issuer.is_empty() {
        options.issuers = Issuers::Only(arguments.issuer);
    }
    let agentcore = AgentCore::open(options)?;

    writeln!(
        io::stdout(),
        "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE={address}\nAWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL={address}"
    )?;
    axum::serve(listener, agentcore.router())
        .with_graceful_shutdown(asked_to_stop())
        .await?;
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM.
async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else {
            let _ = interrupted.await;
            return;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupted.await;
    }
}
