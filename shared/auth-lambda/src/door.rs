//! The door of an event.

use auth_domain::Problem;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{ClientContext, Exchange, Fields};

/// The request that came through a door, and its input.
pub(crate) type Opened = (Exchange, Result<Fields, Problem>);

/// A door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Http,
    Direct,
    Tool,
}

impl Door {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Direct => "direct",
            Self::Tool => "tool",
        }
    }

    /// Recognises the door: a tool by the client context, an API Gateway event by its version and
    /// HTTP description, and anything else as the operation's own input. Only agents' gateways send
    /// a client context, so an unreadable one is theirs.
    pub(crate) fn of(event: &RawValue, context: &ClientContext) -> Self {
        #[derive(Deserialize)]
        struct Probe {
            #[serde(rename = "version")]
            _version: String,
            #[serde(rename = "requestContext")]
            _request_context: ProbeContext,
        }
        #[derive(Deserialize)]
        struct ProbeContext {
            #[serde(rename = "http")]
            _http: IgnoredAny,
        }
        match context {
            ClientContext::Tool(_) | ClientContext::Unreadable => Self::Tool,
            ClientContext::NoTool if serde_json::from_str::<Probe>(event.get()).is_ok() => {
                Self::Http
            }
            ClientContext::NoTool => Self::Direct,
        }
    }
}
