//! Device cookies: the mark of a browser that has signed in as an address before, which gives it a
//! budget that strangers cannot spend (OWASP, "Slow Down Online Guessing Attacks with Device
//! Cookies").

use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::{Email, KeyRing, Purpose, Randomness, Timestamp, redacted::redacted_debug};

/// The value of a device cookie: `v1.<issued, seconds>.<nonce>.<HMAC over address, issued and
/// nonce>`.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCookie(String);

redacted_debug!(DeviceCookie);

/// The proof that a request came with a device cookie of the address it is about. Its name keys the
/// device's own budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    nonce: String,
}

impl DeviceCookie {
    /// A cookie for a browser that has just signed in as `email`. One that was known already stays
    /// the same device: signing in again gives no new budget.
    #[must_use]
    pub fn issue(
        email: &Email,
        known: Option<&KnownDevice>,
        now: Timestamp,
        keys: &KeyRing,
        randomness: &Randomness,
    ) -> Self {
        let issued = now.as_seconds().to_string();
        let nonce = known.map_or_else(
            || HEXLOWER.encode(&randomness.bytes::<16>()),
            |device| device.nonce.clone(),
        );
        let tag = keys.tag(Purpose::DeviceCookie, &[email.as_str(), &issued, &nonce]);
        Self(format!("v1.{issued}.{nonce}.{}", tag.to_hex()))
    }

    /// The cookie's names for `email`, the one to set first. Named after the address, so that a
    /// browser can be known for several, by a keyed hash, so that the cookie jar does not say
    /// which.
    pub fn names<'a>(email: &'a Email, keys: &'a KeyRing) -> impl Iterator<Item = String> + 'a {
        let names: Vec<String> = keys
            .tags(Purpose::DeviceCookieName, &[email.as_str()])
            .map(|tag| format!("__Host-latchkey-device-{}", tag.short()))
            .collect();
        names.into_iter()
    }

    /// The value, for the `Set-Cookie` field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KnownDevice {
    /// Checks a cookie's value: signed by us, for this address, and not older than `lifetime`.
    /// `None` for a stranger.
    #[must_use]
    pub fn recognise(
        value: &str,
        email: &Email,
        now: Timestamp,
        lifetime: Duration,
        keys: &KeyRing,
    ) -> Option<Self> {
        let mut parts = value.split('.');
        let (version, issued, nonce, tag) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "v1"
            || parts.next().is_some()
            || !keys.verifies(Purpose::DeviceCookie, &[email.as_str(), issued, nonce], tag)
        {
            return None;
        }
        let issued = Timestamp::from_seconds(issued.parse().ok()?);
        (now < issued.after(lifetime)).then(|| Self {
            nonce: nonce.to_owned(),
        })
    }

    /// The subject that the limits of `email` count: a known device by itself, all strangers
    /// together by the address. So a stranger cannot spend a known device's budget, or lock a guest
    /// out of a browser that they use.
    #[must_use]
    pub fn budget(device: Option<&Self>, email: &Email, keys: &KeyRing) -> String {
        match device {
            Some(device) => format!("device#{}", device.nonce),
            None => format!(
                "address#{}",
                keys.tag(Purpose::Address, &[email.as_str()]).to_hex()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    fn ring() -> KeyRing {
        KeyRing::new(
            Key::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap(),
            None,
        )
    }

    #[test]
    fn a_device_is_known_for_its_address_until_the_cookie_ends() {
        let (ada, eve) = (
            Email::parse("ada@example.com").unwrap(),
            Email::parse("eve@example.com").unwrap(),
        );
        let issued = Timestamp::from_seconds(1000);
        let lifetime = Duration::from_mins(1);
        let cookie = DeviceCookie::issue(
            &ada,
            None,
            issued,
            &ring(),
            &Randomness::new(|bytes| bytes.fill(1)),
        );
        let at = |email, seconds| {
            KnownDevice::recognise(
                cookie.as_str(),
                email,
                Timestamp::from_seconds(seconds),
                lifetime,
                &ring(),
            )
        };
        assert!(at(&ada, 1059).is_some());
        assert!(at(&ada, 1060).is_none());
        assert!(at(&eve, 1000).is_none());
        for forged in [
            "",
            "v1",
            "v1.1000.00.00",
            &cookie.as_str().replace("1000", "9000"),
            &format!("{}.x", cookie.as_str()),
        ] {
            assert!(
                KnownDevice::recognise(forged, &ada, issued, lifetime, &ring()).is_none(),
                "{forged:?}"
            );
        }
        assert_ne!(
            DeviceCookie::names(&ada, &ring()).next(),
            DeviceCookie::names(&eve, &ring()).next()
        );
    }
}
