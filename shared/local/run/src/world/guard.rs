//! The guard of a world's ports. It admits only this machine, and for changes of the world only our
//! own pages.
//!
//! The listeners are bound to loopback, but a browser on this machine visits foreign pages. Such a
//! page could reach the port under its own host name (DNS rebinding), so the Host must name this
//! machine. It could also send blind POSTs, so requests that change something under `/_local` must
//! not come from another site. Cognito answers pages of any origin, as in AWS, but its operations
//! with AWS's keys are for programs: a stand-in cannot distinguish a signature from a made-up one.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCESS_CONTROL_REQUEST_HEADERS, AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use serde_json::json;
use url::{Host, Url};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses requests that do not name this machine. API Gateway gives the same answer to a foreign
/// host.
pub(crate) async fn loopback_only(request: Request, next: Next) -> Response<Body> {
    if names_loopback(request.headers()) {
        next.run(request).await
    } else {
        forbidden("Forbidden")
    }
}

/// Refuses requests from other sites that would change something.
pub(crate) async fn same_origin_only(request: Request, next: Next) -> Response<Body> {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    if reads || from_here(request.headers()) {
        next.run(request).await
    } else {
        forbidden("the control interface takes changes from this origin only")
    }
}

/// Refuses signed requests from pages, and the preflights for them.
pub(crate) async fn no_signed_pages(request: Request, next: Next) -> Response<Body> {
    if is_signed_page(request.uri().path(), request.headers()) {
        forbidden("signed requests are taken from programs only")
    } else {
        next.run(request).await
    }
}

/// AWS's operations are at the root. Documents and pages are below it, and their bearer tokens are
/// a browser's own matter.
fn is_signed_page(path: &str, headers: &HeaderMap) -> bool {
    let asks_for_it = headers
        .get_all(ACCESS_CONTROL_REQUEST_HEADERS)
        .iter()
        .filter_map(|names| names.to_str().ok())
        .flat_map(|names| names.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case(AUTHORIZATION.as_str()));
    let signed = headers.contains_key(AUTHORIZATION) || asks_for_it;
    path == "/" && headers.contains_key(ORIGIN) && signed
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// True for programs, which send neither header, and for pages of this very origin.
fn from_here(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let own_origin = text(&HOST).map(|host| format!("http://{host}"));
    let origin_is_ours = text(&ORIGIN).is_none_or(|origin| own_origin.as_deref() == Some(origin));
    let site_is_ours =
        text(&SEC_FETCH_SITE).is_none_or(|site| site == "same-origin" || site == "none");
    origin_is_ours && site_is_ours
}

fn forbidden(message: &str) -> Response<Body> {
    (
        StatusCode::FORBIDDEN,
        axum::Json(json!({ "message": message })),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in [
            "127.0.0.1:8787",
            "localhost:8787",
            "LOCALHOST",
            "app.localhost",
            "[::1]:8787",
            "127.1.2.3",
        ] {
            assert!(names_loopback(&headers(&[(HOST, host)])), "{host}");
        }
        for host in [
            "evil.example:8787",
            "localhost.evil.example",
            "192.168.0.1",
            "a@localhost.evil",
            "",
        ] {
            assert!(!names_loopback(&headers(&[(HOST, host)])), "{host}");
        }
    }

    #[test]
    fn a_page_may_call_and_not_sign() {
        let page = (ORIGIN, "http://localhost:3000");
        let signature = (AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=x");
        let question = |names| (ACCESS_CONTROL_REQUEST_HEADERS, names);
        for (path, pairs, refused) in [
            ("/", vec![page.clone()], false),
            ("/", vec![signature.clone()], false),
            ("/", vec![page.clone(), signature.clone()], true),
            (
                "/",
                vec![page.clone(), question("content-type,x-amz-target")],
                false,
            ),
            (
                "/",
                vec![page.clone(), question("x-amz-target, Authorization")],
                true,
            ),
            ("/shop/oauth2/userInfo", vec![page, signature], false),
        ] {
            assert_eq!(
                is_signed_page(path, &headers(&pairs)),
                refused,
                "{path} {pairs:?}"
            );
        }
    }

    #[test]
    fn pages_of_other_origins_may_not_change_anything() {
        let host = (HOST, "127.0.0.1:8787");
        assert!(from_here(&headers(std::slice::from_ref(&host))));
        assert!(from_here(&headers(&[
            host.clone(),
            (ORIGIN, "http://127.0.0.1:8787"),
            (SEC_FETCH_SITE, "same-origin")
        ])));
        for origin in [
            "http://localhost:8787",
            "http://127.0.0.1:3000",
            "null",
            "https://evil.example",
        ] {
            assert!(
                !from_here(&headers(&[host.clone(), (ORIGIN, origin)])),
                "{origin}"
            );
        }
        assert!(!from_here(&headers(&[
            host.clone(),
            (SEC_FETCH_SITE, "cross-site")
        ])));
        assert!(!from_here(&headers(&[host, (SEC_FETCH_SITE, "same-site")])));
    }
}
