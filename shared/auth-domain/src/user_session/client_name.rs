//! The name of a browser and its system, from its `User-Agent` header.

/// Browsers by a mark in their `User-Agent` that the entries below lack. Most of them also claim to
/// be Chrome and Safari.
const BROWSERS: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Version/", "Safari"),
];

/// Systems in the same way. A telephone also names the system that it descends from.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows NT", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];

/// The name of an unknown browser or system.
const UNKNOWN: &str = "unknown";

/// A browser and its system, such as `Firefox on Windows`, or `unknown`. Never the `User-Agent`
/// itself: its sender chooses the text, which may reveal more of a machine than a list of sessions
/// needs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ClientName(String);

impl ClientName {
    /// The client that sent this `User-Agent`.
    #[must_use]
    pub fn of_user_agent(user_agent: Option<&str>) -> Self {
        // Every browser begins with it (RFC 9110 §10.1.5, and habit).
        let Some(text) = user_agent.filter(|text| text.starts_with("Mozilla/5.0 (")) else {
            return Self(UNKNOWN.to_owned());
        };
        let named = |table: &[(&str, &'static str)]| {
            let mut rows = table.iter();
            rows.find_map(|(part, name)| text.contains(part).then_some(*name))
        };
        Self(match (named(&BROWSERS), named(&SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => UNKNOWN.to_owned(),
        })
    }

    /// Takes a stored name.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_their_systems_are_named() {
        let firefox =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
        let chrome = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
        let chrome_on_ios = "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1";
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15";
        let view = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
        for (user_agent, name) in [
            (firefox, "Firefox on Windows"),
            (edge, "Edge on Windows"),
            (chrome, "Chrome on Android"),
            (safari, "Safari on iPhone"),
            (chrome_on_ios, "Chrome on iPad"),
            (mac, "Safari on Mac"),
            (view, "iPhone"),
        ] {
            assert_eq!(ClientName::of_user_agent(Some(user_agent)).as_str(), name);
        }
    }

    #[test]
    fn whatever_is_no_browser_is_unknown_and_never_quoted() {
        for user_agent in [
            None,
            Some(""),
            Some("curl/8.5.0"),
            Some("okhttp/4.12.0"),
            Some("<script>Firefox/1 Windows NT</script>"),
            Some("Mozilla/5.0 (compatible; SomeBot/1.0)"),
        ] {
            assert_eq!(ClientName::of_user_agent(user_agent).as_str(), UNKNOWN);
        }
    }
}
