//! Cookies, in the one form that Latchkey sets: `__Host-`, Secure, `HttpOnly` (ASVS 5.0 3.3.1 to 3.3.4).

use std::fmt;

/// When a browser sends a cookie along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never with a request that another site caused.
    Strict,
    /// Also with a top-level navigation from another site.
    Lax,
}

/// A cookie for the answer. Its name begins with `__Host-`, so a browser takes it from this host over TLS only.
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
