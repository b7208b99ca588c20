//! Lambda's description of an invocation beside its event.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The client context's key under which an AgentCore Gateway names the tool.
const TOOL_NAME: &str = "bedrockAgentCoreToolName";

/// The key for the conversation. Today's gateways do not send it.
const SESSION_ID: &str = "bedrockAgentCoreSessionId";

/// The key for the gateway itself.
const GATEWAY_ID: &str = "bedrockAgentCoreGatewayId";

/// One invocation, as the Runtime API describes it.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// Lambda's id of the request.
    pub request_id: String,
    /// The X-Ray trace that it belongs to.
    pub trace_id: Option<String>,
    /// The caller's client context.
    pub client_context: ClientContext,
}

/// A client context's description of a tool call. Its other fields are not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientContext {
    /// There is no client context, or it names no tool.
    #[default]
    NoTool,
    /// An AgentCore Gateway calls a tool.
    Tool(ToolCall),
    /// The client context is not JSON, or the tool's name in it is not text.
    Unreadable,
}

/// A call of a tool, as an AgentCore Gateway describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool's name, `target___` in front.
    name: String,
    /// The gateway's name of the conversation.
    session: Option<String>,
    /// The gateway; empty if it does not name itself.
    gateway: String,
}

impl ClientContext {
    /// Reads the text of a client context: JSON of any shape, or an empty text.
    ///
    /// The Runtime API and the mobile SDKs promise flat strings under `custom`. AgentCore Gateways
    /// deviate: they put the propagated headers there, as an object.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        if text.is_empty() {
            return Self::NoTool;
        }
        match tool_call(text) {
            Ok(None) => Self::NoTool,
            Ok(Some(call)) => Self::Tool(call),
            Err(_) => Self::Unreadable,
        }
    }

    /// The tool's name without the gateway's `target___` in front. A target's name cannot hold an
    /// underscore, so the first three of them end it.
    pub(crate) fn tool_name(&self) -> Option<&str> {
        let Self::Tool(ToolCall { name, .. }) = self else {
            return None;
        };
        Some(name.split_once("___").map_or(name, |(_, tool)| tool))
    }

    /// The conversation of a tool's call, if the gateway names it.
    pub(crate) fn session(&self) -> Option<&str> {
        match self {
            Self::Tool(call) => call.session.as_deref(),
            Self::NoTool | Self::Unreadable => None,
        }
    }

    /// The gateway of a tool's call; empty if it does not name itself.
    pub(crate) fn gateway(&self) -> &str {
        match self {
            Self::Tool(call) => &call.gateway,
            Self::NoTool | Self::Unreadable => "",
        }
    }
}

fn tool_call(context: &[u8]) -> serde_json::Result<Option<ToolCall>> {
    let mut context = members(serde_json::from_slice(context)?)?;
    let Some(custom) = context.remove("custom") else {
        return Ok(None);
    };
    let custom = members(custom)?;
    let Some(name) = custom.get(TOOL_NAME) else {
        return Ok(None);
    };
    let text = |key: &str| serde_json::from_str::<String>(custom.get(key)?.get()).ok();
    let name: Option<String> = serde_json::from_str(name.get())?;
    Ok(name.map(|name| ToolCall {
        name,
        session: text(SESSION_ID),
        gateway: text(GATEWAY_ID).unwrap_or_default(),
    }))
}

/// The members of a JSON object; none of any other value. The members are not parsed, however deep
/// they are.
fn members(value: &RawValue) -> serde_json::Result<BTreeMap<String, &RawValue>> {
    if value.get().starts_with('{') {
        serde_json::from_str(value.get())
    } else {
        Ok(BTreeMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_is_read_and_only_the_tools_name_counts() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for beside in [
            r#""1.0""#,
            "null",
            "7",
            "1e400",
            "true",
            "[]",
            r#"[{"a":[1,"b",null]}]"#,
            r#"{"x-tenant-id":"acme","nested":{"deeper":[1]}}"#,
            r#""\ud800""#,
            deep.as_str(),
        ] {
            let custom =
                format!(r#""custom":{{"a":{beside},"{TOOL_NAME}":"t___one","b":{beside}}}"#);
            let text = format!(r#"{{"client":{beside},{custom},"environment":{beside}}}"#);
            let context = ClientContext::parse(text.as_bytes());
            assert_eq!(context.tool_name(), Some("one"), "{text:.200}");
            for without in [
                beside.to_owned(),
                format!(r#"{{"custom":{beside}}}"#),
                format!(r#"{{"custom":{{"a":{beside}}}}}"#),
            ] {
                let context = ClientContext::parse(without.as_bytes());
                assert_eq!(context, ClientContext::NoTool, "{without:.200}");
            }
        }
        assert_eq!(ClientContext::parse(b""), ClientContext::NoTool);
    }

    #[test]
    fn a_name_that_is_no_text_and_a_context_that_is_no_json_are_unreadable() {
        for name in ["7", "true", "[]", "{}", r#""\ud800""#] {
            let text = format!(r#"{{"custom":{{"{TOOL_NAME}":{name}}}}}"#);
            let context = ClientContext::parse(text.as_bytes());
            assert_eq!(context, ClientContext::Unreadable, "{name}");
        }
        for text in ["{", "e30=", r#"{"custom":}"#, "{}{}", "\u{feff}{}"] {
            let context = ClientContext::parse(text.as_bytes());
            assert_eq!(context, ClientContext::Unreadable, "{text}");
        }
        assert_eq!(ClientContext::parse(b"\xff"), ClientContext::Unreadable);
    }
}
