//! Which door an event came through.

use lambda_runtime::Context;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

/// The client context's key under which an AgentCore Gateway names the tool.
const TOOL_NAME: &str = "bedrockAgentCoreToolName";

/// Its keys for the conversation, which newer gateways do not say, and for the gateway itself.
const CALLERS: [&str; 2] = ["bedrockAgentCoreSessionId", "bedrockAgentCoreGatewayId"];

/// A way in.
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

    /// Recognises the door: a tool by the client context, an API Gateway event by its version and HTTP description, and anything
    /// else as the operation's own input.
    pub(crate) fn of(event: &RawValue, context: &Context) -> Self {
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
        if tool_name(context).is_some() {
            Self::Tool
        } else if serde_json::from_str::<Probe>(event.get()).is_ok() {
            Self::Http
        } else {
            Self::Direct
        }
    }
}

/// The tool's name without the gateway's `target___` in front. A target's name cannot hold an underscore, so the first three of
/// them end it.
pub(crate) fn tool_name(context: &Context) -> Option<&str> {
    let name = context.client_context.as_ref()?.custom.get(TOOL_NAME)?;
    Some(name.split_once("___").map_or(name, |(_, tool)| tool))
}

/// What names the caller of a tool best; nothing where the gateway says nothing.
pub(crate) fn conversation(context: &Context) -> String {
    let custom = context
        .client_context
        .as_ref()
        .map(|context| &context.custom);
    let named = custom.and_then(|custom| CALLERS.iter().find_map(|name| custom.get(*name)));
    named.cloned().unwrap_or_default()
}
