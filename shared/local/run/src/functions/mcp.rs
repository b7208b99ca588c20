//! The agent's tools over MCP, as an AgentCore Gateway offers them: one target a tool, named `target___tool`, each call an invocation
//! with the client context of such a gateway. Nobody is asked to sign here, which a gateway's clients are.

use std::sync::Arc;

use auth_api::{Contract, Operation};
use lambda_runtime::Context;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    JsonObject, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::Functions;
use crate::world::account::{GATEWAY_ID, GATEWAY_TARGET_ID};
use crate::world::random;

/// What stands between the name of a target and that of its tool.
const SEPARATOR: &str = "___";

/// A gateway whose targets are the functions that are tools.
#[derive(Clone)]
pub(crate) struct AgentGateway {
    functions: Arc<Functions>,
}

impl AgentGateway {
    /// The endpoint. It knows no sessions, as its model does not.
    pub(crate) fn serve(
        functions: Arc<Functions>,
    ) -> StreamableHttpService<Self, NeverSessionManager> {
        let gateway = Self { functions };
        StreamableHttpService::new(
            move || Ok(gateway.clone()),
            Arc::default(),
            StreamableHttpServerConfig::default().with_legacy_session_mode(false),
        )
    }

    /// The context that a gateway gives to an invocation.
    fn context(message_id: &str, tool: &str) -> Result<Context, serde_json::Error> {
        let mut context = Context::default();
        context.client_context = Some(serde_json::from_value(json!({ "custom": {
            "bedrockAgentCoreMessageVersion": "1.0",
            "bedrockAgentCoreAwsRequestId": random::uuid(),
            "bedrockAgentCoreMcpMessageId": message_id,
            "bedrockAgentCoreGatewayId": GATEWAY_ID,
            "bedrockAgentCoreTargetId": GATEWAY_TARGET_ID,
            "bedrockAgentCoreToolName": tool,
        } }))?);
        Ok(context)
    }
}

/// The operations that are tools, with their tools' names here.
fn targets() -> impl Iterator<Item = (&'static Operation, &'static auth_api::Tool, String)> {
    let operations = Contract::embedded().operations().iter();
    operations.filter_map(|operation| {
        let tool = operation.tool.as_ref()?;
        let name = format!("{}{SEPARATOR}{}", operation.name, tool.name);
        Some((operation, tool, name))
    })
}

impl ServerHandler for AgentGateway {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(
            Implementation::new("latchkey-local", env!("CARGO_PKG_VERSION")),
        )
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = targets().map(|(_, tool, name)| {
            let schema = serde_json::to_value(&tool.input_schema)?;
            let schema: JsonObject = serde_json::from_value(schema)?;
            Ok(Tool::new(name, tool.description.as_str(), schema))
        });
        let tools: Result<Vec<Tool>, serde_json::Error> = tools.collect();
        Ok(ListToolsResult::with_all_items(tools.map_err(internal)?))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (operation, _, name) = targets()
            .find(|(_, _, name)| *name == request.name)
            .ok_or_else(|| {
                ErrorData::invalid_params(format!("Unknown tool: {}", request.name), None)
            })?;
        let event = to_raw_value(&request.arguments.unwrap_or_default()).map_err(internal)?;
        let context = Self::context(&context.id.to_string(), &name).map_err(internal)?;
        let invoked = self.functions.invoke(&operation.name, event, context).await;
        let Some(Ok(output)) = invoked.map(|invoked| invoked.outcome) else {
            // A gateway does not say what befell the function.
            return Ok(CallToolResult::error(vec![ContentBlock::text(
                "An internal error occurred. Please retry later.",
            )])
            .into());
        };
        let mut result = CallToolResult::success(vec![ContentBlock::text(output.get())]);
        let structured: Value = serde_json::from_str(output.get()).map_err(internal)?;
        result.structured_content = Some(structured).filter(Value::is_object);
        Ok(result.into())
    }
}

fn internal(error: impl std::fmt::Display) -> ErrorData {
    tracing::error!(%error, "a tool could not be offered");
    ErrorData::internal_error("Internal error", None)
}
