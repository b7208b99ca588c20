//! The page that asks a person, filled in. It needs no script, and looks like the sign-in pages.

use std::{sync::LazyLock, time::Duration};

use auth_domain::{AgentName, Scope, Timestamp};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

const TEMPLATE: &str = include_str!("consent_page.html");
const STYLE: &str = include_str!("consent_page.css");

/// The page's one style, as a content security policy names it (CSP level 3 §2.3.1).
pub(crate) static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(STYLE))));

/// The variable content of the page. It contains no text of a conversation.
pub(crate) struct Asking<'a> {
    pub(crate) agent: &'a AgentName,
    pub(crate) asked_at: Timestamp,
    pub(crate) country: Option<&'a str>,
    pub(crate) scopes: &'a [Scope],
    pub(crate) lasts: Duration,
    /// The target of the form: the page's own address.
    pub(crate) action: &'a str,
    /// Proves that this page contains the form.
    pub(crate) page: &'a str,
}

impl Asking<'_> {
    pub(crate) fn html(&self) -> String {
        let country = self.country.map_or_else(String::new, |country| {
            format!("<dt>Opened from</dt><dd>{}</dd>\n", escaped(country))
        });
        // The agent's name is inserted last, so a placeholder in it is not replaced.
        TEMPLATE
            .replace("{style}", STYLE)
            .replace("{asked_at}", &self.asked_at.for_people())
            .replace("{country}", &country)
            .replace("{may}", may(self.scopes))
            .replace("{lasts}", &spoken(self.lasts))
            .replace("{action}", &escaped(self.action))
            .replace("{page}", &escaped(self.page))
            .replace("{agent}", &escaped(self.agent.as_str()))
    }
}

/// The agent's permission, in words. The caller chose the scopes, so the page distinguishes only
/// known ones.
fn may(scopes: &[Scope]) -> &'static str {
    let identity = Scope::of_identity();
    if scopes.iter().all(|scope| identity.contains(scope)) {
        "See who you are: your name and your email address"
    } else {
        "See who you are, and use other services with your account"
    }
}

fn spoken(duration: Duration) -> String {
    let minutes = duration.as_secs().div_ceil(60);
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes.div_ceil(60), "hour"),
        2880.. => (minutes.div_ceil(60 * 24), "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// Text as text in HTML, in attributes too.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
