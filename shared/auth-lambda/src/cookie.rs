//! Cookies, in the one form that Latchkey sets: `__Host-`, Secure, HttpOnly (ASVS 5.0 3.3.1 to
//! 3.3.4).

use std::{fmt, time::Duration};

use auth_domain::{DeviceCookie, PageNonce, RefreshToken};

/// When a browser sends a cookie along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// The browser never sends it with a request from another site.
    Strict,
    /// Also with a top-level navigation from another site.
    Lax,
}

/// A cookie for the answer. Its name begins with `__Host-`, so a browser takes it from this host
/// over TLS only.
pub struct SetCookie {
    /// The whole name, prefix included.
    pub name: String,
    /// The value: visible ASCII without `;` and `,`.
    pub value: String,
    /// Seconds until the browser forgets it; 0 makes it forget now.
    pub max_age_seconds: u64,
    /// When it is sent along.
    pub same_site: SameSite,
}

impl SetCookie {
    /// The name of the cookie that holds a refresh token.
    pub const REFRESH_TOKEN: &'static str = "__Host-latchkey-refresh";

    /// Gives a browser a refresh token in a cookie that scripts cannot read.
    #[must_use]
    pub fn refresh_token(token: &RefreshToken, lifetime: Duration) -> Self {
        Self {
            name: Self::REFRESH_TOKEN.to_owned(),
            value: token.as_str().to_owned(),
            max_age_seconds: lifetime.as_secs(),
            same_site: SameSite::Strict,
        }
    }

    /// Makes a browser forget its refresh token.
    #[must_use]
    pub fn no_refresh_token() -> Self {
        Self {
            name: Self::REFRESH_TOKEN.to_owned(),
            value: String::new(),
            max_age_seconds: 0,
            same_site: SameSite::Strict,
        }
    }

    /// Makes a browser a known device of an address. Each sign-in sets a new cookie; the previous
    /// one stays valid until it expires.
    #[must_use]
    pub fn device(name: String, cookie: &DeviceCookie, lifetime: Duration) -> Self {
        Self {
            name,
            value: cookie.as_str().to_owned(),
            max_age_seconds: lifetime.as_secs(),
            same_site: SameSite::Strict,
        }
    }

    /// Makes a browser forget a device cookie.
    #[must_use]
    pub fn no_device(name: String) -> Self {
        Self {
            name,
            value: String::new(),
            max_age_seconds: 0,
            same_site: SameSite::Strict,
        }
    }

    /// Ties a page's form to the browser that shows the page: another site's form does not send
    /// this cookie.
    #[must_use]
    pub fn page_nonce(name: String, nonce: &PageNonce, lifetime: Duration) -> Self {
        Self {
            name,
            value: nonce.as_str().to_owned(),
            max_age_seconds: lifetime.as_secs(),
            same_site: SameSite::Strict,
        }
    }

    /// Marks the browser that begins an authorization. It must come along when the person returns
    /// from the provider, a navigation that another site has caused.
    #[must_use]
    pub fn authorization((name, value): (String, String), lifetime: Duration) -> Self {
        Self {
            name,
            value,
            max_age_seconds: lifetime.as_secs(),
            same_site: SameSite::Lax,
        }
    }

    /// The `Set-Cookie` field's value.
    pub(crate) fn to_header(&self) -> String {
        let same_site = match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
        };
        format!(
            "{}={}; Max-Age={}; Path=/; Secure; HttpOnly; SameSite={same_site}",
            self.name, self.value, self.max_age_seconds
        )
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SetCookie(…)")
    }
}
