//! The hosted sign-in: the pages and the `/oauth2` endpoints that a pool has once it has a domain.
//!
//! Where AWS has `https://{domain}.auth.{region}.amazoncognito.com/oauth2/authorize`, this is at
//! `{public_url}/{domain}/oauth2/authorize`.

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

/// What browsers navigate to. Nothing of it is for scripts of other origins.
pub(crate) fn pages() -> Router<Arc<Service>> {
    Router::new()
        .route("/{domain}/oauth2/authorize", get(login::authorize))
        .route("/{domain}/login", get(login::show).post(login::submit))
        .route("/{domain}/logout", get(login::logout))
}

/// What app clients call, from browsers too.
pub(crate) fn endpoints() -> Router<Arc<Service>> {
    Router::new()
        .route("/{domain}/oauth2/token", post(token::token))
        .route(
            "/{domain}/oauth2/userInfo",
            get(token::user_info).post(token::user_info),
        )
        .route("/{domain}/oauth2/revoke", post(token::revoke))
}
