//! The hosted pages: plain forms that need no script.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::authorize::AuthorizationRequest;
use super::http::guard;
use crate::mail::escaped;

const STYLE: &str = "\
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif;\
--accent:light-dark(#1f5fbf,#8ab4ff);--on-accent:light-dark(#fff,#0b1220);\
--text:light-dark(#1a1d21,#eceff3);--quiet:light-dark(#565d66,#aab2bd);\
--line:light-dark(#7c8591,#78818d);--wrong:light-dark(#b3261e,#ffb4ab)}\
body{margin:0;display:grid;place-items:start center;min-height:100vh;\
background:light-dark(#eef1f5,#0d0f12);color:var(--text)}\
main{box-sizing:border-box;width:min(26rem,100%);margin:clamp(0rem,8vh,5rem) 0;\
padding:clamp(1rem,6vw,2rem);background:light-dark(#fff,#16191d);border-radius:.75rem}\
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25}\
p,li{overflow-wrap:anywhere}p{margin:0 0 .75rem}.quiet{color:var(--quiet)}\
ul{margin:0 0 1rem;padding-inline-start:1.25rem}\
form{display:grid;gap:.5rem}label{font-weight:600}\
input,button{box-sizing:border-box;width:100%;min-height:2.75rem;padding:.5rem .75rem;\
font:inherit;color:inherit;background:transparent;border:1px solid var(--line);border-radius:.5rem}\
input[aria-invalid]{border-color:var(--wrong)}\
button{cursor:pointer}button:hover{text-decoration:underline}\
button.primary{color:var(--on-accent);background:var(--accent);border-color:var(--accent);font-weight:600}\
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}\
[role=alert]{color:var(--wrong)}[role=alert]::before{content:'\\26a0  '/''}";

/// The style's hash. The policy admits the style by it (CSP level 3, section 2.3.1).
static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

/// One form of a sign-in.
pub(super) struct Form<'a> {
    /// The path of the pool's pages.
    pub(super) path: &'a str,
    /// The client, its request and the browser's final address. `None` after the request has ended.
    pub(super) asked: Option<&'a AuthorizationRequest>,
    /// Says which sign-in this is, and that the form came from here.
    pub(super) sign_in: &'a str,
    /// The last error.
    pub(super) alert: Option<&'a str>,
}

impl Form<'_> {
    pub(super) fn email(&self, typed: &str) -> Response<Body> {
        let fields = format!(
            "<label for=\"username\">Email address</label>\
             <input id=\"username\" name=\"username\" type=\"email\" autocomplete=\"username\" maxlength=\"128\" \
             required autofocus value=\"{}\"{}>\
             <button class=\"primary\" name=\"step\" value=\"email\">Send me a code</button>{CANCEL}",
            escaped(typed),
            self.described()
        );
        self.page("Sign in", &fields)
    }

    pub(super) fn code(&self, destination: &str) -> Response<Body> {
        let fields = format!(
            "<p>If this address can sign in by code, one is on its way to {}.</p>\
             <p class=\"quiet\">No mail? An address gets an account when it first signs in at the app.</p>\
             <label for=\"code\">Code</label>\
             <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"16\" \
             required autofocus{}>\
             <button class=\"primary\" name=\"step\" value=\"code\">Sign in</button>\
             <button name=\"step\" value=\"again\" formnovalidate>Send another code</button>\
             <button name=\"step\" value=\"restart\" formnovalidate>Use another address</button>{CANCEL}",
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
        let asked = self.asked.map_or_else(String::new, what_is_asked);
        let body = format!(
            "{asked}{alert}<form method=\"post\" action=\"{}/login\">\
             <input type=\"hidden\" name=\"sign_in\" value=\"{}\">{fields}</form>",
            escaped(self.path),
            escaped(self.sign_in)
        );
        // Browsers check every redirection after a form against this, and only the client knows its
        // destination.
        let redirect_uri = self.asked.map_or("", |asked| &asked.redirect_uri);
        let scheme = redirect_uri.split(':').next().unwrap_or("https");
        let status = if self.alert.is_some() {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        document(status, title, &body, &format!("'self' {scheme}:"))
    }
}

const CANCEL: &str = "<button name=\"step\" value=\"cancel\" formnovalidate>Cancel</button>";

/// The requesting app, and the data that it will see.
fn what_is_asked(asked: &AuthorizationRequest) -> String {
    let app = if asked.client_name.is_empty() {
        &asked.client
    } else {
        &asked.client_name
    };
    let scopes: String = asked
        .scopes
        .iter()
        .map(|scope| scope_for_people(scope))
        .collect();
    format!(
        "<p><strong>{}</strong> asks you to sign in. It will get:</p><ul>{scopes}</ul>",
        escaped(app)
    )
}

/// A standard scope of `OpenID` Connect Core section 5.4 in words. Any other scope by its own name.
fn scope_for_people(scope: &str) -> String {
    let words = match scope {
        "openid" => "who you are",
        "email" => "your email address",
        "phone" => "your phone number",
        "profile" => "your name and what else your profile says",
        "aws.cognito.signin.user.admin" => "leave to change your account",
        other => return format!("<li><code>{}</code></li>", escaped(other)),
    };
    format!("<li>{words}</li>")
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
