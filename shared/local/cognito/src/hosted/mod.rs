//! The hosted sign-in: the pages and `/oauth2` endpoints of a pool with a domain.
//!
//! AWS's `https://{domain}.auth.{region}.amazoncognito.com/oauth2/authorize` is
//! `{public_url}/{domain}/oauth2/authorize` here.

mod authorize;
mod http;
mod login;
mod page;
mod record;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::service::Service;

/// The pages for browsers. Scripts of other origins cannot read them.
pub(crate) fn pages() -> Router<Arc<Service>> {
    Router::new()
        .route("/{domain}/oauth2/authorize", get(login::authorize))
        .route("/{domain}/login", get(login::show).post(login::submit))
        .route("/{domain}/logout", get(login::logout))
}

/// The endpoints for app clients, also in browsers.
pub(crate) fn endpoints() -> Router<Arc<Service>> {
    Router::new()
        .route("/{domain}/oauth2/token", post(token::token))
        .route(
            "/{domain}/oauth2/userInfo",
            get(token::user_info).post(token::user_info),
        )
        .route("/{domain}/oauth2/revoke", post(token::revoke))
}
