//! The front end, as the target of redirects.

use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{AuthorizationFailure, AuthorizationId, LinkEnd};

/// The characters that are percent-encoded in a query's value (WHATWG URL, the
/// `application/x-www-form-urlencoded` set, but spaces are not encoded as pluses).
const IN_A_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b':')
    .add(b'<')
    .add(b'=')
    .add(b'>');

/// The front end's address. An authorization sends a browser back only to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEnd(String);

/// The text is no address of a front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https address without query and fragment")]
pub struct InvalidFrontEnd;

impl FromStr for FrontEnd {
    type Err = InvalidFrontEnd;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let web = text.starts_with("https://") || text.starts_with("http://");
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte));
        if web && plain {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFrontEnd)
        }
    }
}

impl FrontEnd {
    /// The page for a browser whose authorization succeeded. `again` means that it had succeeded
    /// before and this request changed nothing.
    #[must_use]
    pub fn told_of_success(&self, id: &AuthorizationId, again: bool) -> String {
        let id = utf8_percent_encode(id.as_str(), IN_A_QUERY);
        let reason = if again {
            format!("&reason={}", AuthorizationFailure::AlreadyUsed)
        } else {
            String::new()
        };
        format!("{}?auth=success&session_id={id}{reason}", self.0)
    }

    /// The page for a browser that follows the link of an ended authorization.
    #[must_use]
    pub fn told_of_end(&self, id: &AuthorizationId, end: LinkEnd) -> String {
        match end {
            LinkEnd::Completed => self.told_of_success(id, true),
            LinkEnd::Failed { reason, began_it } => self.told_of_failure(reason, began_it),
        }
    }

    /// The page for a browser whose authorization failed. Only the browser that began it learns the
    /// reason.
    #[must_use]
    pub fn told_of_failure(&self, failure: AuthorizationFailure, began_it: bool) -> String {
        let reason = if began_it {
            format!("&reason={failure}")
        } else {
            String::new()
        };
        format!("{}?auth=error&code={}{reason}", self.0, failure.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_stands_in_the_query() {
        let front_end: FrontEnd = "https://app.example.com/".parse().unwrap();
        let id = AuthorizationId::parse("urn:ietf:params:oauth:request_uri:a~b").unwrap();
        assert_eq!(
            front_end.told_of_success(&id, false),
            "https://app.example.com/?auth=success&session_id=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa~b"
        );
        assert_eq!(
            front_end.told_of_failure(AuthorizationFailure::ProviderDenied, true),
            "https://app.example.com/?auth=error&code=AUTH_CANCELLED&reason=provider-denied"
        );
        for text in [
            "",
            "app.example.com",
            "https://a/?x=1",
            "https://a/#x",
            "javascript:alert(1)",
        ] {
            assert_eq!(text.parse::<FrontEnd>(), Err(InvalidFrontEnd), "{text:?}");
        }
    }
}
