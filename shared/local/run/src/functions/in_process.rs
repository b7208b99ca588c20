//! The connector between the functions and the stand-ins. It hands each request to the router
//! behind the port, without a socket. The ports stay for everybody else.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri, header};
use tower_service::Service as _;

const SCHEME: &str = "http://";

/// The routers of the stand-ins, by the authorities of their URLs. No request goes elsewhere, so a
/// world cannot reach AWS by mistake.
#[derive(Clone)]
pub(crate) struct InProcess(Arc<BTreeMap<String, Router>>);

impl InProcess {
    /// A connector to the stand-ins at these URLs.
    pub(crate) fn new<'a>(stand_ins: impl IntoIterator<Item = (&'a str, Router)>) -> Self {
        let by_authority = |(url, router): (&str, Router)| {
            let authority = url.strip_prefix(SCHEME).unwrap_or(url);
            (authority.to_owned(), router)
        };
        Self(Arc::new(stand_ins.into_iter().map(by_authority).collect()))
    }

    async fn carry(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut request = request.try_into_http1x().map_err(unreadable)?;
        let uri = request.uri();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let Some(mut stand_in) = self.0.get(authority).cloned() else {
            return Err(ConnectorError::io("no stand-in listens there".into()));
        };
        // As it would be on the wire: the path alone in the first line, the host in a header.
        let host = HeaderValue::from_str(authority).map_err(unreadable)?;
        let path = uri.path_and_query().cloned();
        *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
        request.headers_mut().insert(header::HOST, host);
        let request = request.map(|body| {
            let body = body.bytes().unwrap_or_default();
            Body::from(Bytes::copy_from_slice(body))
        });
        // A task of its own, as in a server: it logs as the run does, not as the function, and its
        // panic ends this answer alone.
        let answering = tokio::spawn(async move {
            let Ok(answer) = stand_in.call(request).await;
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, usize::MAX).await;
            body.map(|body| axum::http::Response::from_parts(head, SdkBody::from(body)))
        });
        let answered = answering.await.map_err(broken)?;
        HttpResponse::try_from(answered.map_err(broken)?).map_err(unreadable)
    }
}

fn unreadable(error: impl Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn broken(error: impl Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::io(error.into())
}

impl fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().carry(request))
    }
}
