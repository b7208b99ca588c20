//! A user pool on a port: makes one pool and one app client, prints their ids, and prints every
//! mail.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use cognito_local::{ClientSpec, Cognito, HostedSignIn, Mail, Options, PoolSpec};
use local_kit::{Failure, Listening, Program, Served};

/// A Cognito user pool over the AWS wire protocol.
#[derive(Parser)]
#[command(name = "cognito-local", about, long_about = None)]
struct Arguments {
    #[command(flatten)]
    listening: Listening,
    /// Base of a Lambda Invoke API, for triggers.
    #[arg(long, value_name = "URL")]
    lambda_url: Option<String>,
    /// ARN of a pre token generation function (version 2 of its event).
    #[arg(long, value_name = "ARN", requires = "lambda_url")]
    pre_token_generation: Option<String>,
    /// ARN of a pre authentication function.
    #[arg(long, value_name = "ARN", requires = "lambda_url")]
    pre_authentication: Option<String>,
    /// ARN of a custom message function.
    #[arg(long, value_name = "ARN", requires = "lambda_url")]
    custom_message: Option<String>,
    /// Prefix of the hosted sign-in, which is then at
    /// http://127.0.0.1:PORT/PREFIX/oauth2/authorize.
    #[arg(long, value_name = "PREFIX", requires = "callback_url")]
    domain: Option<String>,
    /// Where the hosted sign-in may send browsers back to; more than once for several.
    #[arg(long, value_name = "URL", requires = "domain")]
    callback_url: Vec<String>,
}

impl AsRef<Listening> for Arguments {
    fn as_ref(&self) -> &Listening {
        &self.listening
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = Program {
        name: "cognito-local",
        port: "8788",
        state: "cognito-local.sqlite",
    };
    program.run(open).await
}

fn open(arguments: Arguments, address: &str) -> Result<Served, Failure> {
    let mut options = Options::new(address);
    options.state = arguments.listening.state();
    options.region = arguments.listening.region;
    options.lambda_url = arguments.lambda_url;
    options.mail = Arc::new(print);
    let cognito = Cognito::open(options)?;
    let mut pool = PoolSpec::passwordless("cognito-local");
    pool.pre_token_generation = arguments.pre_token_generation;
    pool.pre_authentication = arguments.pre_authentication;
    pool.custom_message = arguments.custom_message;
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

    Ok(Served {
        router: cognito.router(),
        greeting: format!(
            "endpoint      {address}\nuser pool id  {pool_id}\nclient id     {}\n",
            client.client_id
        ),
    })
}

/// A closed output is no failure: the mail counts as sent.
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
