//! The hosted sign-in: the pages and the `/oauth2` endpoints that a pool has once it has a domain.
//!
//! Where AWS has `https://{domain}.auth.{region}.amazoncognito.com/oauth2/authorize`, this is at
//! `{public_url}/{domain}/oauth2/authorize`.

mod authorize;
mod login;
mod page;
mod record;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::routing::{get, post};
use rusqlite::{Connection, OptionalExtension as _};
use url::{Url, form_urlencoded};

use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;

/// Far above the longest form that is sent here.
const LONGEST_FORM: usize = 64 * 1_024;

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

/// A pool and the domain that it is reached under.
#[derive(Clone)]
struct Domain {
    name: String,
    pool: Pool,
}

impl Domain {
    fn find(service: &Service, name: &str) -> Result<Option<Self>, Refusal> {
        service.store.read(|connection| {
            let pool: Option<String> = connection
                .prepare_cached("SELECT pool FROM domains WHERE domain = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()?;
            let pool = match pool {
                Some(id) => Pool::look_for(connection, &id)?,
                None => None,
            };
            Ok(pool.map(|pool| Self {
                name: name.to_owned(),
                pool,
            }))
        })
    }

    /// The path of the pages, which may lie below one of the host's own.
    fn path(&self, service: &Service) -> String {
        let url = service.domain_url(&self.name);
        Url::parse(&url).map_or_else(|_| format!("/{}", self.name), |url| url.path().to_owned())
    }
}

/// The name of a pool's domain.
pub(crate) fn domain_of(connection: &Connection, pool: &str) -> Result<Option<String>, Refusal> {
    Ok(connection
        .prepare_cached("SELECT domain FROM domains WHERE pool = ?1")?
        .query_row([pool], |row| row.get(0))
        .optional()?)
}

/// The parameters of a query or a form, none of which may be there twice (RFC 6749 section 3.1).
struct Parameters(Vec<(String, String)>);

/// A parameter that is there twice.
struct Twice;

impl Parameters {
    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// An empty value counts as none (RFC 6749 section 3.1).
    fn one(&self, name: &str) -> Result<Option<&str>, Twice> {
        let mut values = self
            .0
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Twice);
        }
        Ok(first.filter(|value| !value.is_empty()))
    }
}

/// The URI with these parameters added to its query.
fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{}", query.finish())
}

fn redirect(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let Ok(location) = HeaderValue::from_str(location) else {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    guard(headers);
    response
}

/// Headers of everything that a browser is shown or sent on with: codes stand in these answers.
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
