//! An answer for a person in a browser.

use serde::Serialize;

use crate::{Exchange, Origin};

/// A page that needs no script. Over HTTP it is the body; at the other doors a member of an object.
#[derive(Serialize)]
pub struct Page {
    html: String,
}

/// The page's permissions.
pub struct PagePolicy<'a> {
    /// The source of its one style, as a content security policy names it.
    pub style: &'a str,
    /// The origins, besides this host, to which the page's form may lead. Chromium checks every
    /// redirection after a form.
    pub form_leads_to: &'a [Origin],
}

impl Page {
    /// A page that no other page can frame, and that loads no resources. Its forms send their
    /// origin: without a referrer, a browser would send `Origin: null` with them (Fetch §3.2).
    #[must_use]
    pub fn new(html: String, policy: &PagePolicy<'_>, exchange: &Exchange) -> Self {
        let mut leads_to = String::from("'self'");
        for origin in policy.form_leads_to {
            leads_to.push(' ');
            leads_to.push_str(&origin.to_string());
        }
        let policy = format!(
            "default-src 'none'; style-src {}; form-action {leads_to}; base-uri 'none'; frame-ancestors 'none'",
            policy.style
        );
        exchange.set_header("content-security-policy", policy);
        exchange.set_header("x-frame-options", "DENY");
        exchange.set_header("referrer-policy", "same-origin");
        exchange.set_header("cross-origin-opener-policy", "same-origin");
        exchange.set_page(&html);
        Self { html }
    }
}
