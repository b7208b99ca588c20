//! Lambda's Runtime API: the loop that takes one invocation after another and reports the outcome
//! of each.
//!
//! It is ours because AWS's `lambda_runtime` parses a client context as a map of strings, and ends
//! the process at any other.

use http_body_util::BodyExt as _;
use lambda_runtime_api_client::{PooledClient, body::Body, build_request};
use serde_json::{json, value::RawValue};

use crate::{ClientContext, Function, FunctionError, Invocation};

/// The reason why a function's process ends: it cannot start, or Lambda's Runtime API does not
/// answer.
pub type ProcessError = Box<dyn std::error::Error + Send + Sync>;

/// The path under which every invocation has its own.
const INVOCATION: &str = "/2018-06-01/runtime/invocation";

/// Lambda's name for one delivery of an invocation. A report returns it, so Lambda does not mistake
/// the report for one of a later delivery.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// Runs a function in Lambda until the environment ends. What prepares it comes before the first
/// poll: until then Lambda gives a whole processor.
pub async fn serve(
    function: Function,
    preparing: impl Future<Output = ()>,
) -> Result<(), ProcessError> {
    preparing.await;
    let runtime_api = RuntimeApi {
        client: PooledClient::builder().build(),
    };
    loop {
        let Delivery {
            event,
            invocation,
            invocation_id,
        } = runtime_api.next().await?;
        let request_id = invocation.request_id.clone();
        let outcome = match event {
            Ok(event) => function.invoke(event, invocation).await,
            Err(error) => Err(error),
        };
        runtime_api
            .report(&request_id, invocation_id.as_deref(), outcome)
            .await?;
    }
}

struct RuntimeApi {
    client: PooledClient,
}

/// An invocation that waits for its report.
struct Delivery {
    event: Result<Box<RawValue>, FunctionError>,
    invocation: Invocation,
    invocation_id: Option<String>,
}

impl RuntimeApi {
    /// Waits for the next invocation without a time-out: Lambda freezes the environment meanwhile.
    async fn next(&self) -> Result<Delivery, ProcessError> {
        let request = build_request()
            .uri(format!("{INVOCATION}/next"))
            .body(Body::empty())?;
        let response = self.client.call(request).await?;
        if !response.status().is_success() {
            return Err(format!("the Runtime API answers {}", response.status()).into());
        }
        let (parts, body) = response.into_parts();
        let header = |name| parts.headers.get(name);
        let text = |name| {
            let value = header(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let client_context =
            header("lambda-runtime-client-context").map_or(&[][..], |context| context.as_bytes());
        let invocation = Invocation {
            request_id: text("lambda-runtime-aws-request-id")
                .ok_or("the Runtime API names no request")?,
            trace_id: text("lambda-runtime-trace-id"),
            client_context: ClientContext::parse(client_context),
        };
        let body = body.collect().await?.to_bytes();
        let event = serde_json::from_slice(&body).map_err(|_| FunctionError {
            error_type: "EventNotJson".to_owned(),
            message: "the event is not JSON".to_owned(),
        });
        Ok(Delivery {
            event,
            invocation,
            invocation_id: text(INVOCATION_ID),
        })
    }

    /// Reports the outcome of an invocation. If Lambda refuses the report (too late, or the answer
    /// is too large), it is lost, and the environment continues.
    async fn report(
        &self,
        request_id: &str,
        invocation_id: Option<&str>,
        outcome: Result<Box<RawValue>, FunctionError>,
    ) -> Result<(), ProcessError> {
        let (kind, body) = match outcome {
            Ok(answer) => ("response", Box::<str>::from(answer).into_string()),
            Err(FunctionError {
                error_type,
                message,
            }) => {
                let error = json!({ "errorType": error_type, "errorMessage": message });
                ("error", error.to_string())
            }
        };
        let mut request = build_request()
            .method("POST")
            .uri(format!("{INVOCATION}/{request_id}/{kind}"));
        if kind == "error" {
            request = request.header("lambda-runtime-function-error-type", "Unhandled");
        }
        if let Some(id) = invocation_id {
            request = request.header(INVOCATION_ID, id);
        }
        let response = self.client.call(request.body(Body::from(body))?).await?;
        let status = response.status();
        if !status.is_success() {
            tracing::error!(status = status.as_u16(), "Lambda did not accept the report");
        }
        // Read to its end, so that the next request uses this connection.
        response.into_body().collect().await?;
        Ok(())
    }
}
