//! The hosted endpoints' input, and the headers of their answers.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use url::form_urlencoded;

/// Far above the longest form here.
pub(super) const LONGEST_FORM: usize = 64 * 1_024;

/// The parameters of a query or a form. None may occur twice (RFC 6749 section 3.1).
pub(super) struct Parameters(Vec<(String, String)>);

/// A parameter occurred twice.
pub(super) struct Twice;

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// An empty value counts as none (RFC 6749 section 3.1).
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Twice> {
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
pub(super) fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{}", query.finish())
}

pub(super) fn redirect(location: &str) -> Response<Body> {
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

/// Headers of every page and redirect: these answers contain codes.
pub(super) fn guard(headers: &mut HeaderMap) {
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
