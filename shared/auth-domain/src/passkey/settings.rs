//! The passkey settings: their domain name, and whether devices must verify the user.

use std::str::FromStr;

/// The domain name of all passkeys (`rpId`): the front end's host, or a domain above it. A change
/// of the name makes every passkey useless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty(String);

/// The text is no name for passkeys of this front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the front end's host name, or a domain above it that is more than one label")]
pub struct InvalidRelyingParty;

impl RelyingParty {
    /// The configured name, or the host of the front end. Browsers refuse IP addresses and names of
    /// one label, such as `com`, except `localhost`. A front end at a loopback address is reachable
    /// under `localhost` too, so passkeys work there.
    pub fn of(configured: Option<&str>, front_end: &str) -> Result<Self, InvalidRelyingParty> {
        let host = match host(front_end).ok_or(InvalidRelyingParty)? {
            // The same front end has a name here too.
            "127.0.0.1" | "[::1]" => "localhost",
            host => host,
        };
        let name = configured.unwrap_or(host);
        let is_above = host == name
            || host
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('.'));
        let is_name = name == "localhost" || (name.contains('.') && !is_address(name));
        if is_above && is_name && !name.starts_with('.') {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidRelyingParty)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host of an address, without its port.
fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.split_inclusive(']').next();
    }
    Some(host.split_once(':').map_or(host, |(host, _)| host))
}

fn is_address(name: &str) -> bool {
    name.starts_with('[')
        || name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether devices must ask for a finger, a face or a PIN (`userVerification`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserVerification {
    /// Devices ask if they can.
    #[default]
    Preferred,
    /// Always.
    Required,
}

impl UserVerification {
    /// The name in options.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::Required => "required",
        }
    }

    /// Whether a passkey counts whose device has verified its user, or has not.
    #[must_use]
    pub const fn accepts(self, verified: bool) -> bool {
        match self {
            Self::Preferred => true,
            Self::Required => verified,
        }
    }
}

/// The text names no such requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be preferred or required")]
pub struct UnknownUserVerification;

impl FromStr for UserVerification {
    type Err = UnknownUserVerification;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "preferred" => Ok(Self::Preferred),
            "required" => Ok(Self::Required),
            _ => Err(UnknownUserVerification),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_made_for_the_front_ends_host_or_a_domain_above_it() {
        fn of(name: Option<&str>, front_end: &str) -> Result<String, InvalidRelyingParty> {
            RelyingParty::of(name, front_end).map(|name| name.0)
        }
        let app = "https://app.example.com/start";
        assert_eq!(of(None, app).as_deref(), Ok("app.example.com"));
        assert_eq!(of(Some("example.com"), app).as_deref(), Ok("example.com"));
        for local in ["localhost", "127.0.0.1", "[::1]"] {
            let front_end = format!("http://{local}:8787");
            assert_eq!(of(None, &front_end).as_deref(), Ok("localhost"));
        }
        for (name, front_end) in [
            (Some("ample.com"), app),
            (Some("com"), app),
            (Some(".example.com"), app),
            (Some("other.example"), app),
            (Some(""), app),
            (None, "http://192.0.2.7:8787"),
            (None, "http://[2001:db8::7]/"),
            (None, "https://intranet/"),
        ] {
            assert_eq!(of(name, front_end), Err(InvalidRelyingParty), "{name:?}");
        }
    }
}
