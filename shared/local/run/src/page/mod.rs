//! The web page: files within the program. Their policy lets them talk only to this origin.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::world::Inner;

/// The one trusted type is that of the worker that does proof of work. Frames show mails.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types latchkey";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

const INDEX: &str = include_str!("index.html");

/// The page's own files, by name. The package's modules are in the same folder.
const FILES: [(&str, &str); 15] = [
    ("agent.js", include_str!("agent.js")),
    ("client.js", include_str!("client.js")),
    ("clock.js", include_str!("clock.js")),
    ("connect.js", include_str!("connect.js")),
    ("contract.js", include_str!("contract.js")),
    ("cost.js", include_str!("cost.js")),
    ("dom.js", include_str!("dom.js")),
    ("mailbox.js", include_str!("mailbox.js")),
    ("mcp.js", include_str!("mcp.js")),
    ("operator.js", include_str!("operator.js")),
    ("page.js", include_str!("page.js")),
    ("requests.js", include_str!("requests.js")),
    ("session.js", include_str!("session.js")),
    ("signature.js", include_str!("signature.js")),
    ("tryit.js", include_str!("tryit.js")),
];

const STYLE: &str = include_str!("page.css");

/// The files, below `/_local`.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/page/{*name}", get(file))
}

/// The page itself, under the one name that the operations take for the front end's: cookies are
/// believed from that origin only.
pub(crate) async fn index(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    let page = &inner.ready().page;
    let own_name = page.trim_start_matches("http://").trim_end_matches('/');
    let name = headers.get(HOST).and_then(|host| host.to_str().ok());
    if name.is_none_or(|name| name == own_name) {
        served(HTML, INDEX)
    } else {
        Redirect::temporary(page).into_response()
    }
}

async fn file(Path(name): Path<String>) -> Response {
    if name == "page.css" {
        return served(CSS, STYLE);
    }
    let mut modules = FILES.iter().chain(auth_browser::MODULES);
    match modules.find(|(known, _)| *known == name) {
        Some((_, content)) => served(JAVASCRIPT, content),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn served(content_type: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}
