//! The ports of a world. They are bound before anything else, so that a taken one is reported
//! first.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

/// A port cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another process listens on it.
    #[error(
        "port {port}, for {purpose}, is taken: stop that process, or choose another with --port"
    )]
    Taken {
        /// The port.
        port: u16,
        /// The port's purpose.
        purpose: &'static str,
    },
    /// There is no such port.
    #[error("--port {0} leaves no room for the ports that follow it")]
    NoRoom(u16),
    /// The operating system refused for another reason.
    #[error("port {port}, for {purpose}, cannot be opened")]
    Refused {
        /// The port.
        port: u16,
        /// The port's purpose.
        purpose: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
}

/// The listeners of a world, all on loopback.
pub(crate) struct Listeners {
    pub(crate) gateway: TcpListener,
    pub(crate) cognito: TcpListener,
    pub(crate) dynamodb: TcpListener,
    pub(crate) agentcore: TcpListener,
    pub(crate) rest: TcpListener,
}

/// Each service's distance from the gateway's port.
const COGNITO: u16 = 1;
const DYNAMODB: u16 = 2;
const AGENTCORE: u16 = 3;
const REST: u16 = 4;

impl Listeners {
    /// Binds `port` and its followers, or free ports for 0.
    pub(crate) async fn bind(port: u16) -> Result<Self, PortError> {
        let following = |distance: u16| match port {
            0 => Ok(0),
            port => port.checked_add(distance).ok_or(PortError::NoRoom(port)),
        };
        let (cognito, dynamodb) = (following(COGNITO)?, following(DYNAMODB)?);
        let (agentcore, rest) = (following(AGENTCORE)?, following(REST)?);
        Ok(Self {
            gateway: bind(port, "the gateway").await?,
            cognito: bind(cognito, "Cognito").await?,
            dynamodb: bind(dynamodb, "DynamoDB").await?,
            agentcore: bind(agentcore, "AgentCore").await?,
            rest: bind(rest, "KMS, Secrets Manager and SES").await?,
        })
    }
}

async fn bind(port: u16, purpose: &'static str) -> Result<TcpListener, PortError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| {
            if source.kind() == io::ErrorKind::AddrInUse {
                PortError::Taken { port, purpose }
            } else {
                PortError::Refused {
                    port,
                    purpose,
                    source,
                }
            }
        })
}

/// The URLs under which listeners are reached.
pub(crate) struct Urls {
    pub(crate) gateway: String,
    pub(crate) cognito: String,
    pub(crate) dynamodb: String,
    pub(crate) agentcore: String,
    pub(crate) rest: String,
}

impl Urls {
    /// The gateway by its host name, for the web page: passkeys need a name.
    pub(crate) fn by_name(&self) -> String {
        self.gateway.replace("127.0.0.1", "localhost")
    }

    /// The gateway under the name that a front end's site has, so that both share cookies.
    pub(crate) fn beside(&self, front_end: &str) -> String {
        if front_end.starts_with("http://127.0.0.1") {
            self.gateway.clone()
        } else {
            self.by_name()
        }
    }
}

impl Listeners {
    pub(crate) fn urls(&self) -> io::Result<Urls> {
        let url = |listener: &TcpListener| {
            listener
                .local_addr()
                .map(|address| format!("http://{address}"))
        };
        Ok(Urls {
            gateway: url(&self.gateway)?,
            cognito: url(&self.cognito)?,
            dynamodb: url(&self.dynamodb)?,
            agentcore: url(&self.agentcore)?,
            rest: url(&self.rest)?,
        })
    }
}
