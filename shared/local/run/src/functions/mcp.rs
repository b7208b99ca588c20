//! The agent's tools over MCP, as an AgentCore Gateway offers them: one target a tool, named
//! `target___tool`, each call an invocation with the client context of such a gateway. Unlike a
//! gateway, it accepts unsigned requests.

use std::sync::Arc;
use std::time::Instant;

use auth_api::{Contract, Operation, ToolSchema};
use auth_lambda::ClientContext;
use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
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
use crate::control::requests::{Answered, Door, Message, Requests, problem_code};
use crate::world::account::{GATEWAY_ID, GATEWAY_TARGET_ID};
use crate::world::clock::WorldClock;
use crate::world::random;

/// A tool's arguments are an event, and an event has at most this many bytes.
const LARGEST_MESSAGE: usize = 6 * 1024 * 1024;

/// The separator between the names of a target and its tool.
const SEPARATOR: &str = "___";

/// A gateway whose targets are the tools' functions.
#[derive(Clone)]
pub(crate) struct AgentGateway {
    functions: Arc<Functions>,
    requests: Arc<Requests>,
    clock: WorldClock,
}

impl AgentGateway {
    /// The endpoint. It has no sessions, like the real gateway.
    pub(crate) fn serve(
        functions: Arc<Functions>,
        requests: Arc<Requests>,
        clock: WorldClock,
    ) -> StreamableHttpService<Self, NeverSessionManager> {
        let gateway = Self {
            functions,
            requests,
            clock,
        };
        StreamableHttpService::new(
            move || Ok(gateway.clone()),
            Arc::default(),
            StreamableHttpServerConfig::default().with_legacy_session_mode(false),
        )
    }

    /// The context that a gateway gives to an invocation. A target that propagates headers finds
    /// them in it as an object.
    fn context(message_id: &str, tool: &str) -> ClientContext {
        let context = json!({ "custom": {
            "bedrockAgentCoreMessageVersion": "1.0",
            "bedrockAgentCoreAwsRequestId": random::uuid(),
            "bedrockAgentCoreMcpMessageId": message_id,
            "bedrockAgentCoreGatewayId": GATEWAY_ID,
            "bedrockAgentCoreTargetId": GATEWAY_TARGET_ID,
            "bedrockAgentCoreToolName": tool,
            "bedrockAgentCorePropagatedHeaders": {},
        } });
        ClientContext::parse(context.to_string().as_bytes())
    }
}

/// Answers an invalid JSON-RPC 2.0 message, and invalid parameters of a tool, with JSON-RPC's own
/// codes. The MCP library reports all of these as a wrong media type.
pub(crate) async fn json_rpc_only(request: Request, next: Next) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        });
    if request.method() != Method::POST || !is_json {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_MESSAGE).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if let Some(fault) = fault(&body) {
        return fault.into_response();
    }
    let answer = next.run(Request::from_parts(parts, body.into())).await;
    // JSON that the library cannot read as a message: an id of another type, a duplicate member.
    if answer.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return Fault::invalid_request(Value::Null).into_response();
    }
    answer
}

/// An error in a message (JSON-RPC 2.0 §5.1).
struct Fault {
    status: StatusCode,
    code: i32,
    message: &'static str,
    id: Value,
}

impl Fault {
    fn invalid_request(id: Value) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: -32_600,
            message: "Invalid Request",
            id,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let error = json!({ "code": self.code, "message": self.message });
        let answer = json!({ "jsonrpc": "2.0", "id": self.id, "error": error });
        (self.status, Json(answer)).into_response()
    }
}

fn fault(body: &[u8]) -> Option<Fault> {
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return Some(Fault {
            status: StatusCode::BAD_REQUEST,
            code: -32_700,
            message: "Parse error",
            id: Value::Null,
        });
    };
    let id = message["id"].clone();
    let is_response = message["result"].is_object() || message["error"].is_object();
    if message["jsonrpc"] != "2.0" || !(message["method"].is_string() || is_response) {
        return Some(Fault::invalid_request(id));
    }
    let fits = |value: &Value| value.is_object() || value.is_null();
    let params = &message["params"];
    let is_well_formed = fits(params)
        && fits(&params["_meta"])
        && match message["method"].as_str() {
            Some("tools/call") => params["name"].is_string() && fits(&params["arguments"]),
            // There is one page, so no cursor is valid.
            Some("tools/list") => params["cursor"].is_null(),
            Some("initialize") => {
                params["protocolVersion"].is_string()
                    && params["capabilities"].is_object()
                    && params["clientInfo"].is_object()
            }
            Some(_) | None => true,
        };
    (!is_well_formed).then_some(Fault {
        status: StatusCode::OK,
        code: -32_602,
        message: "Invalid params",
        id,
    })
}

/// The operations with a tool, and the tools' names here.
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
            let arguments = json_schema(&tool.input_schema)?;
            let results = json_schema(&tool.output_schema)?;
            Ok(Tool::new(name, tool.description.as_str(), arguments)
                .with_raw_output_schema(results.into()))
        });
        let tools: Result<Vec<Tool>, serde_json::Error> = tools.collect();
        Ok(ListToolsResult::with_all_items(tools.map_err(internal)?))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (started, at) = (Instant::now(), self.clock.now());
        let (operation, tool, name) = targets()
            .find(|(_, _, name)| *name == request.name)
            .ok_or_else(|| {
                ErrorData::invalid_params(format!("Unknown tool: {}", request.name), None)
            })?;
        let event = to_raw_value(&request.arguments.unwrap_or_default()).map_err(internal)?;
        let context = Self::context(&context.id.to_string(), &name);
        let asked = Message::json(event.get());
        let invoked = self.functions.invoke(&operation.name, event, context).await;
        if let Some(invoked) = &invoked {
            let answer = invoked.text();
            self.requests.add(
                Answered {
                    at,
                    door: Door::Tool,
                    asked: tool.name.clone(),
                    operation_id: Some(operation.operation_id.clone()),
                    invocation_id: invoked.request_id.clone(),
                    status: None,
                    code: problem_code(answer.as_bytes()),
                    took: started.elapsed(),
                    aws_calls: invoked.aws_calls,
                },
                asked,
                Message::json(answer),
            );
        }
        let Some(Ok(output)) = invoked.map(|invoked| invoked.outcome) else {
            // A gateway does not reveal the function's error.
            return Ok(CallToolResult::error(vec![ContentBlock::text(
                "An internal error occurred. Please retry later.",
            )])
            .into());
        };
        let blocks = vec![ContentBlock::text(output.get())];
        let structured: Value = serde_json::from_str(output.get()).map_err(internal)?;
        let mut result = if structured["success"] == false {
            CallToolResult::error(blocks)
        } else {
            CallToolResult::success(blocks)
        };
        result.structured_content = Some(structured).filter(Value::is_object);
        Ok(result.into())
    }
}

fn json_schema(schema: &ToolSchema) -> serde_json::Result<JsonObject> {
    serde_json::from_value(serde_json::to_value(schema)?)
}

fn internal(error: impl std::fmt::Display) -> ErrorData {
    tracing::error!(%error, "a tool could not be offered");
    ErrorData::internal_error("Internal error", None)
}
