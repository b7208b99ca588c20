//! AgentCore Identity on a port. Workload identities and credential providers are made through the
//! control plane's operations.

use std::process::ExitCode;

use agentcore_local::{AgentCore, Issuers, Options};
use clap::Parser;
use local_kit::{Failure, Listening, Program, Served};

/// AgentCore Identity over the AWS wire protocol.
#[derive(Parser)]
#[command(name = "agentcore-local", about, long_about = None)]
struct Arguments {
    #[command(flatten)]
    listening: Listening,
    /// An issuer whose tokens are taken for a user's; may be given several times. Without it, any
    /// issuer's.
    #[arg(long, value_name = "URL")]
    issuer: Vec<String>,
}

impl AsRef<Listening> for Arguments {
    fn as_ref(&self) -> &Listening {
        &self.listening
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = Program {
        name: "agentcore-local",
        port: "8790",
        state: "agentcore-local.sqlite",
    };
    program.run(open).await
}

fn open(arguments: Arguments, address: &str) -> Result<Served, Failure> {
    let mut options = Options::new(address);
    options.state = arguments.listening.state();
    options.region = arguments.listening.region;
    if !arguments.issuer.is_empty() {
        options.issuers = Issuers::Only(arguments.issuer);
    }
    Ok(Served {
        router: AgentCore::open(options)?.router(),
        greeting: format!(
            "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE={address}\nAWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL={address}"
        ),
    })
}
