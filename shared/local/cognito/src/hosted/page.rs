//! The hosted pages: plain forms that need no script.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::http::guard;
use crate::mail::escaped;

const STYLE: &str = "\
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
body{margin:0;display:grid;place-items:center;min-height:100vh}\
main{width:min(22rem,100% - 2rem)}\
label,input,button{display:block;font:inherit}\
input,button{box-sizing:border-box;width:100%;padding:.6rem;margin:.4rem 0 1rem}\
[role=alert]{border-inline-start:.3rem solid;padding-inline-start:.6rem}";

/// The style's hash, by which the policy lets it in (CSP level 3, section 2.3.1).
static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

/// One form of a sign-in.
pub(super) struct Form<'a> {
    /// The path of the pool's pages.
    pub(super) path: &'a str,
    /// Where the browser goes in the end.
    pub(super) redirect_uri: &'a str,
    /// Says which sign-in this is, and that the form came from here.
    pub(super) sign_in: &'a str,
    /// What went wrong the last time.
    pub(super) alert: Option<&'a str>,
}

impl Form<'_> {
    pub(super) fn email(&self, typed: &str) -> Response<Body> {
        let fields = format!(
            "<label for=\"username\">Email address</label>\
             <input id=\"username\" name=\"username\" type=\"email\" autocomplete=\"username\" maxlength=\"128\" \
             required autofocus value=\"{}\"{}>\
             <button name=\"step\" value=\"email\">Send me a code</button>",
            escaped(typed),
            self.described()
        );
        self.page("Sign in", &fields)
    }

    pub(super) fn code(&self, destination: &str) -> Response<Body> {
        let fields = format!(
            "<p>If this address can sign in by code, one is on its way to {}.</p>\
             <label for=\"code\">Code</label>\
             <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"16\" \
             required autofocus{}>\
             <button name=\"step\" value=\"code\">Sign in</button>\
             <button name=\"step\" value=\"again\" formnovalidate>Send another code</button>\
             <button name=\"step\" value=\"restart\" formnovalidate>Use another address</button>",
            escaped(destination),
            self.described()
        );
        self.page("Enter your code", &fields)
    }

    fn described(&self) -> &'static str {
        if self.alert.is_some() {
            " aria-invalid=\"true\" aria-describedby=\"alert\""
        } else {
            ""
        }
    }

    fn page(&self, title: &str, fields: &str) -> Response<Body> {
        let alert = self.alert.map_or_else(String::new, |alert| {
            format!("<p role=\"alert\" id=\"alert\">{}</p>", escaped(alert))
        });
        let body = format!(
            "{alert}<form method=\"post\" action=\"{}/login\">\
             <input type=\"hidden\" name=\"sign_in\" value=\"{}\">{fields}</form>",
            escaped(self.path),
            escaped(self.sign_in)
        );
        // Browsers hold the whole chain of redirections after a form against this, and only the
        // client knows where it leads.
        let scheme = self.redirect_uri.split(':').next().unwrap_or("https");
        let status = if self.alert.is_some() {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        document(status, title, &body, &format!("'self' {scheme}:"))
    }
}

/// A page that leads nowhere.
pub(super) fn problem(status: StatusCode, text: &str) -> Response<Body> {
    let body = format!("<p role=\"alert\">{}</p>", escaped(text));
    document(status, "Sign-in is not possible", &body, "'none'")
}

fn document(status: StatusCode, title: &str, body: &str, form_action: &str) -> Response<Body> {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_HASH
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    guard(headers);
    response
}
