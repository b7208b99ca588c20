//! The web page: files that are part of the program, served under a policy that lets them talk to
//! this origin and nobody else.

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

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

const INDEX: &str = include_str!("index.html");

/// Everything that `index.html` asks for, by name.
const FILES: [(&str, &str, &str); 19] = [
    ("agent.js", JAVASCRIPT, include_str!("agent.js")),
    ("api.js", JAVASCRIPT, include_str!("api.js")),
    (
        "authenticator.js",
        JAVASCRIPT,
        include_str!("authenticator.js"),
    ),
    ("clock.js", JAVASCRIPT, include_str!("clock.js")),
    ("contract.js", JAVASCRIPT, include_str!("contract.js")),
    ("dom.js", JAVASCRIPT, include_str!("dom.js")),
    ("keeper.js", JAVASCRIPT, auth_browser::KEEPER),
    ("latchkey.js", JAVASCRIPT, auth_browser::LATCHKEY),
    ("log.js", JAVASCRIPT, include_str!("log.js")),
    ("mailbox.js", JAVASCRIPT, include_str!("mailbox.js")),
    ("mcp.js", JAVASCRIPT, include_str!("mcp.js")),
    ("operations.js", JAVASCRIPT, auth_browser::OPERATIONS),
    ("page.css", CSS, include_str!("page.css")),
    ("page.js", JAVASCRIPT, include_str!("page.js")),
    ("password.js", JAVASCRIPT, include_str!("password.js")),
    ("proof-of-work.js", JAVASCRIPT, auth_browser::PROOF_OF_WORK),
    (
        "secondfactor.js",
        JAVASCRIPT,
        include_str!("secondfactor.js"),
    ),
    ("session.js", JAVASCRIPT, include_str!("session.js")),
    ("signin.js", JAVASCRIPT, include_str!("signin.js")),
];

/// The files, below `/_local`.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/page/{name}", get(file))
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
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, content_type, content)) => served(content_type, content),
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
