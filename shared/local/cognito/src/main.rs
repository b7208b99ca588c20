//! A user pool on a port: makes one pool and one app client, prints their ids, and prints every mail.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use cognito_local::{ClientSpec, Cognito, HostedSignIn, Mail, Options, PoolSpec, State};
use tokio::net::TcpListener;

/// A Cognito user pool over the AWS wire protocol.
#[derive(Parser)]
#[command(name = "cognito-local", about, long_about = None)]
struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8788)]
    port: u16,
    /// The Region, which begins the pool's id.
    #[arg(long, default_value = "eu-west-1")]
    region: String,
    /// The SQLite file that keeps the state.
    #[arg(long, value_name = "FILE", default_value = "cognito-local.sqlite")]
    state: PathBuf,
    /// Keep nothing on disk.
    #[arg(long, conflicts_with = "state")]
    memory: bool,
    /// Base of a Lambda Invoke API, for triggers.
    #[arg(long, value_name = "URL")]
    lambda_url: Option<String>,
    /// ARN of a pre token generation function (version 2 of its event).
    #[arg(long, value_name = "ARN", requires = "lambda_url")]
    pre_token_generation: Option<String>,
    /// ARN of a pre authentication function.
    #[arg(long, value_name = "ARN", requires = "lambda_url")]
    pre_authentication: Option<String>,
    /// Prefix of the hosted sign-in, which is then at http://127.0.0.1:PORT/PREFIX/oauth2/authorize.
    #[arg(long, value_name = "PREFIX", requires = "callback_url")]
    domain: Option<String>,
    /// Where the hosted sign-in may send browsers back to; more than once for several.
    #[arg(long, value_name = "URL", requires = "domain")]
    callback_url: Vec<String>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "cognito-local: {failure}");
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
    options.lambda_url = arguments.lambda_url;
    options.mail = Arc::new(print);
    if !arguments.memory {
        options.state = State::File(arguments.state);
    }
    let cognito = Cognito::open(options)?;
    let mut pool = PoolSpec::passwordless("cognito-local");
    pool.pre_token_generation = arguments.pre_token_generation;
    pool.pre_authentication = arguments.pre_authentication;
    pool.domain = arguments.domain;
    let pool_id = cognito.ensure_pool(pool)?;
    let mut client = ClientSpec::new("cognito-local");
    client.explicit_auth_flows = [
        "ALLOW_USER_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    ]
    .map(str::to_owned)
    .to_vec();
    if !arguments.callback_url.is_empty() {
        client.hosted_sign_in = Some(HostedSignIn {
            callback_urls: arguments.callback_url,
            logout_urls: Vec::new(),
            scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        });
    }
    let client = cognito.ensure_client(&pool_id, client)?;

    let stop = asked_to_stop()?;
    writeln!(
        io::stdout(),
        "endpoint      {address}\nuser pool id  {pool_id}\nclient id     {}\n",
        client.client_id
    )?;
    axum::serve(listener, cognito.router())
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}

/// Nobody has to read a mail for it to have been sent, so a closed output is no failure.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape of the callback that takes mails"
)]
fn print(mail: Mail) {
    let _ = writeln!(
        io::stdout(),
        "--- mail to {}\n{}\n\n{}\n---\n",
        mail.to,
        mail.subject,
        mail.text
    );
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
