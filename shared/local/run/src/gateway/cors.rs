//! CORS as an HTTP API with a CORS configuration does it: preflights need no route, and a
//! function's own CORS headers are dropped.

use auth_api::Contract;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use url::{Host, Url};

use super::answer::Answer;

/// The origins that may call with credentials.
pub(crate) struct Origins {
    /// These, each as a browser writes it.
    pub(crate) listed: Vec<String>,
    /// Allows every page of this machine, on any port.
    pub(crate) any_loopback: bool,
}

/// The allowed origins, and the headers that the contract lets them send and read.
pub(super) struct Cors {
    origins: Origins,
    contract: &'static auth_api::Cors,
}

impl Cors {
    pub(super) fn new(origins: Origins) -> Self {
        Self {
            origins,
            contract: Contract::embedded().cors(),
        }
    }

    /// The answer to a preflight, if the request is one. A foreign origin gets one that allows
    /// nothing.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Answer> {
        let is_preflight = *method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        is_preflight.then(|| Answer {
            status: StatusCode::NO_CONTENT,
            headers: match self.allowed(headers) {
                Some(origin) => vec![
                    (ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
                    (
                        ACCESS_CONTROL_ALLOW_CREDENTIALS,
                        HeaderValue::from_static("true"),
                    ),
                    (
                        ACCESS_CONTROL_ALLOW_METHODS,
                        listed(&self.contract.allow_methods),
                    ),
                    (
                        ACCESS_CONTROL_ALLOW_HEADERS,
                        listed(&self.contract.allow_headers),
                    ),
                    (
                        ACCESS_CONTROL_MAX_AGE,
                        HeaderValue::from(self.contract.max_age_seconds),
                    ),
                ],
                None => Vec::new(),
            },
            body: Vec::new(),
        })
    }

    /// Replaces the answer's CORS headers by the configured ones.
    pub(super) fn apply(&self, request: &HeaderMap, answer: &mut Answer) {
        answer.headers.retain(|(name, _)| !is_cors(name));
        if let Some(origin) = self.allowed(request) {
            answer.headers.extend([
                (ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
                (
                    ACCESS_CONTROL_ALLOW_CREDENTIALS,
                    HeaderValue::from_static("true"),
                ),
                (
                    ACCESS_CONTROL_EXPOSE_HEADERS,
                    listed(&self.contract.expose_headers),
                ),
            ]);
        }
    }

    fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let text = origin.to_str().ok()?;
        let is_listed = self.origins.listed.iter().any(|listed| listed == text);
        (is_listed || (self.origins.any_loopback && is_loopback(text))).then_some(origin)
    }
}

/// Names as a header lists them. If the text is no valid header value, the list is empty.
fn listed(names: &[String]) -> HeaderValue {
    HeaderValue::from_str(&names.join(",")).unwrap_or(HeaderValue::from_static(""))
}

fn is_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    url.origin().ascii_serialization() == origin
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn is_cors(name: &HeaderName) -> bool {
    name.as_str().starts_with("access-control-")
}
