//! Web origins (RFC 6454): the origin of a page, as browsers write it.

use std::str::FromStr;

use aws_lambda_events::http::Uri;

/// A scheme, a host and a port, in the one spelling that browsers use: lower case, no default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: &'static str,
    host_and_port: String,
}

/// The text is no web address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidOrigin;

impl std::fmt::Display for InvalidOrigin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("must be an http or https address")
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// The origin of a URL, or of an `Origin` field's value. `null` is invalid.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("https") => ("https", 443),
            Some("http") => ("http", 80),
            Some(_) | None => return Err(InvalidOrigin),
        };
        let authority = uri
            .authority()
            .filter(|authority| !authority.as_str().contains('@'))
            .ok_or(InvalidOrigin)?;
        let host = authority.host().to_ascii_lowercase();
        let host_and_port = match authority.port_u16() {
            Some(port) if port != default_port => format!("{host}:{port}"),
            Some(_) | None => host,
        };
        Ok(Self {
            scheme,
            host_and_port,
        })
    }
}

impl std::fmt::Display for Origin {
    /// As an `Origin` field and a content security policy write it.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.host_and_port)
    }
}

impl Origin {
    /// Whether a `Host` field names this origin's host, as a browser writes it.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        self.host_and_port.eq_ignore_ascii_case(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        let origin = |text: &str| text.parse::<Origin>();
        assert_eq!(
            origin("https://App.Example.com/path?query"),
            origin("https://app.example.com:443")
        );
        assert_ne!(
            origin("https://app.example.com"),
            origin("http://app.example.com")
        );
        assert_ne!(
            origin("https://app.example.com"),
            origin("https://app.example.com:8443")
        );
        assert!(
            origin("http://127.0.0.1:8787")
                .unwrap()
                .is_host("127.0.0.1:8787")
        );
        for text in [
            "",
            "null",
            "app.example.com",
            "ftp://app.example.com",
            "https://user@app.example.com",
            "https://",
        ] {
            assert_eq!(origin(text), Err(InvalidOrigin), "{text:?}");
        }
    }
}
