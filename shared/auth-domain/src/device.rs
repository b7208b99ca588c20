//! Device cookies: the mark of a browser that has signed in as an address before. It gives the
//! browser a budget that strangers cannot spend (OWASP, "Slow Down Online Guessing Attacks with
//! Device Cookies").

use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use crate::{
    Email, Guest, KeyRing, Purpose, Randomness, Timestamp, UserSub, redacted::redacted_debug,
};

/// The value of a device cookie: `v3.<issued, seconds>.<epoch>.<sub in base64url>.<nonce>.<when a
/// second factor was shown that is to be remembered, milliseconds, or nothing>.<HMAC over address
/// and all of these>`.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCookie(String);

redacted_debug!(DeviceCookie);

/// A device cookie that Latchkey signed for an address and that has not expired. The named guest's
/// record decides whether it still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceClaim {
    guest: UserSub,
    epoch: u32,
    nonce: String,
    second_factor_at: Option<Timestamp>,
}

/// Proof that a request has a device cookie of its address. Its name keys the device's own budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    nonce: String,
    second_factor_at: Option<Timestamp>,
}

impl DeviceCookie {
    /// The prefix of every device cookie's name.
    pub const PREFIX: &str = "__Host-latchkey-device-";

    /// Device cookies in one browser. A browser sends all of them with each request, and API
    /// Gateway reads 10,240 bytes of fields.
    pub const MOST: usize = 8;

    /// A cookie for a browser that has just signed in as `guest` at `email`. A known device keeps
    /// its nonce, so a new sign-in gives it no second budget. `second_factor_at` is the instant of
    /// the second factor that this browser may skip later.
    #[must_use]
    pub fn issue(
        email: &Email,
        guest: &Guest,
        known: Option<&KnownDevice>,
        second_factor_at: Option<Timestamp>,
        now: Timestamp,
        keys: &KeyRing,
        randomness: &Randomness,
    ) -> Self {
        let nonce = known.map_or_else(
            || HEXLOWER.encode(&randomness.bytes::<16>()),
            |device| device.nonce.clone(),
        );
        let issued = now.as_seconds().to_string();
        let epoch = guest.device_epoch.to_string();
        let sub = BASE64URL_NOPAD.encode(guest.cognito_sub.as_str().as_bytes());
        let second = second_factor_at.map_or_else(String::new, |at| at.as_millis().to_string());
        let signed = [email.as_str(), &issued, &epoch, &sub, &nonce, &second];
        let tag = keys.tag(Purpose::DeviceCookie, &signed).to_hex();
        Self(format!("v3.{issued}.{epoch}.{sub}.{nonce}.{second}.{tag}"))
    }

    /// The cookie's names for `email`, the one to set first. The name contains a keyed hash of the
    /// address: one browser can be known for several addresses, and the cookie jar reveals none.
    pub fn names<'a>(email: &'a Email, keys: &'a KeyRing) -> impl Iterator<Item = String> + 'a {
        let names: Vec<String> = keys
            .tags(Purpose::DeviceCookieName, &[email.as_str()])
            .map(|tag| format!("{}{}", Self::PREFIX, tag.short()))
            .collect();
        names.into_iter()
    }

    /// The names in `held` that a browser must drop when it gets the cookie for `email`: the oldest
    /// past [`Self::MOST`], and those from an older key. `held` are the browser's device cookies,
    /// by name and value.
    #[must_use]
    pub fn surplus<'a>(
        held: impl IntoIterator<Item = (&'a str, &'a str)>,
        email: &Email,
        keys: &KeyRing,
    ) -> Vec<&'a str> {
        let own: Vec<String> = Self::names(email, keys).collect();
        let (mut surplus, mut others) = (Vec::new(), Vec::new());
        for (name, value) in held {
            match own.iter().position(|own| own == name) {
                Some(0) => {}
                Some(_) => surplus.push(name),
                None => others.push((claimed_instant(value), name)),
            }
        }
        others.sort_unstable_by(|one, other| other.cmp(one));
        surplus.extend(
            others
                .into_iter()
                .skip(Self::MOST - 1)
                .map(|(_, name)| name),
        );
        surplus
    }

    /// The value, for the `Set-Cookie` field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The unverified issue time in a cookie. It only decides which cookies the browser drops.
fn claimed_instant(value: &str) -> i64 {
    let issued = value.split('.').nth(1);
    issued.and_then(|issued| issued.parse().ok()).unwrap_or(0)
}

impl DeviceClaim {
    /// Checks a cookie's value: signed by Latchkey, for this address, and within `lifetime`. `None`
    /// for a stranger.
    #[must_use]
    pub fn read(
        value: &str,
        email: &Email,
        now: Timestamp,
        lifetime: Duration,
        keys: &KeyRing,
    ) -> Option<Self> {
        let (signed, tag) = value.strip_prefix("v3.")?.rsplit_once('.')?;
        let parts: Vec<&str> = signed.split('.').collect();
        let [issued, epoch, sub, nonce, second] = parts[..] else {
            return None;
        };
        let parts = [email.as_str(), issued, epoch, sub, nonce, second];
        if !keys.verifies(Purpose::DeviceCookie, &parts, tag) {
            return None;
        }
        let sub = BASE64URL_NOPAD.decode(sub.as_bytes()).ok()?;
        let issued = Timestamp::from_seconds(issued.parse().ok()?);
        let second_factor_at = match second {
            "" => None,
            millis => Some(Timestamp::from_millis(millis.parse().ok()?)),
        };
        (now < issued.after(lifetime)).then_some(Self {
            guest: UserSub::parse(std::str::from_utf8(&sub).ok()?).ok()?,
            epoch: epoch.parse().ok()?,
            nonce: nonce.to_owned(),
            second_factor_at,
        })
    }

    /// The guest in the cookie.
    #[must_use]
    pub fn guest(&self) -> &UserSub {
        &self.guest
    }

    /// The device, if the cookie names `guest`, the guest still has the address, and the guest has
    /// reset no password since. So the next owner of an address inherits no known devices.
    #[must_use]
    pub fn of(self, guest: &Guest, email: &Email) -> Option<KnownDevice> {
        let counts = guest.cognito_sub == self.guest
            && guest.email == *email
            && guest.device_epoch == self.epoch;
        counts.then(|| self.presumed())
    }

    /// The device, if the guest's record confirms it.
    #[must_use]
    pub fn presumed(&self) -> KnownDevice {
        KnownDevice {
            nonce: self.nonce.clone(),
            second_factor_at: self.second_factor_at,
        }
    }
}

impl KnownDevice {
    /// When the person showed the second factor that this browser may skip.
    #[must_use]
    pub fn second_factor_at(&self) -> Option<Timestamp> {
        self.second_factor_at
    }

    /// Whether `guest` may skip the second factor on this browser: it was shown here less than
    /// `remembered_for` ago, and the guest has ended no sessions since. A sign-out everywhere, a
    /// change of factor and a reset all end them.
    #[must_use]
    pub fn is_spared(&self, guest: &Guest, now: Timestamp, remembered_for: Duration) -> bool {
        self.second_factor_at.is_some_and(|shown| {
            now < shown.after(remembered_for)
                && guest.signed_out_at.is_none_or(|ended| ended < shown)
        })
    }

    /// What tells the device from others.
    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GuestId, Key};

    fn ring() -> KeyRing {
        KeyRing::new(
            Key::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap(),
            None,
        )
    }

    fn guest(sub: &str, email: &str, device_epoch: u32) -> Guest {
        let now = Timestamp::from_seconds(0);
        let guest_id = GuestId::parse("GST-2026-7K3QXB").unwrap();
        let (email, sub) = (Email::parse(email).unwrap(), UserSub::parse(sub).unwrap());
        Guest {
            email_verified: true,
            device_epoch,
            ..Guest::new(guest_id, email, sub, now)
        }
    }

    fn cookie(email: &Email, guest: &Guest, seconds: i64) -> DeviceCookie {
        let randomness = Randomness::new(|bytes| bytes.fill(1));
        let issued = Timestamp::from_seconds(seconds);
        DeviceCookie::issue(email, guest, None, None, issued, &ring(), &randomness)
    }

    fn read(cookie: &str, email: &Email, seconds: i64) -> Option<DeviceClaim> {
        let now = Timestamp::from_seconds(seconds);
        DeviceClaim::read(cookie, email, now, Duration::from_mins(1), &ring())
    }

    #[test]
    fn a_cookie_counts_for_its_address_until_it_ends() {
        let ada = Email::parse("ada@example.com").unwrap();
        let eve = Email::parse("eve@example.com").unwrap();
        let cookie = cookie(&ada, &guest("a.sub", ada.as_str(), 0), 1000);
        let value = cookie.as_str();
        assert!(read(value, &ada, 1059).is_some());
        assert!(read(value, &ada, 1060).is_none());
        assert!(read(value, &eve, 1000).is_none());
        for forged in [
            "",
            "v3",
            "v3.1000.0.00.00..00",
            &value.replace("1000", "9000"),
            &value.replace("v3.1000.0.", "v3.1000.1."),
            &value.replace("..", ".1000000."),
            &format!("{value}.x"),
        ] {
            assert!(read(forged, &ada, 1000).is_none(), "{forged:?}");
        }
        let name = |email| DeviceCookie::names(email, &ring()).next();
        assert_ne!(name(&ada), name(&eve));
    }

    #[test]
    fn a_cookie_counts_for_its_guest_at_that_address_until_the_epoch_changes() {
        let ada = Email::parse("ada@example.com").unwrap();
        let issued_to = guest("first", ada.as_str(), 3);
        let cookie = cookie(&ada, &issued_to, 1000);
        let counts_for = |guest: &Guest| {
            let claim = read(cookie.as_str(), &ada, 1000).unwrap();
            claim.of(guest, &ada).is_some()
        };
        assert!(counts_for(&issued_to));
        for other in [
            guest("next", "ada@example.com", 3),
            guest("first", "moved@example.com", 3),
            guest("first", "ada@example.com", 4),
        ] {
            assert!(!counts_for(&other));
        }
    }

    #[test]
    fn a_second_factor_is_spared_until_its_days_are_over_or_sessions_were_ended() {
        let email = Email::parse("ada@example.com").unwrap();
        let mut ada = guest("a.sub", email.as_str(), 0);
        let at = Timestamp::from_millis;
        let minute = Duration::from_mins(1);
        let device = |second| {
            let randomness = Randomness::new(|bytes| bytes.fill(1));
            let issued = Timestamp::from_seconds(1000);
            let cookie =
                DeviceCookie::issue(&email, &ada, None, second, issued, &ring(), &randomness);
            let claim = read(cookie.as_str(), &email, 1000).unwrap();
            claim.of(&ada, &email).unwrap()
        };
        let (spared, asked) = (device(Some(at(1_000_500))), device(None));
        assert!(spared.is_spared(&ada, at(1_060_499), minute));
        assert!(!spared.is_spared(&ada, at(1_060_500), minute));
        assert!(!spared.is_spared(&ada, at(1_000_500), Duration::ZERO));
        assert!(!asked.is_spared(&ada, at(1_000_500), minute));
        ada.signed_out_at = Some(at(1_000_499));
        assert!(spared.is_spared(&ada, at(1_000_600), minute));
        ada.signed_out_at = Some(at(1_000_500));
        assert!(!spared.is_spared(&ada, at(1_000_600), minute));
    }

    #[test]
    fn a_browser_forgets_its_oldest_cookies_past_eight() {
        let ada = Email::parse("ada@example.com").unwrap();
        let names: Vec<_> = (0..12)
            .map(|number| format!("{}{number:08}", DeviceCookie::PREFIX))
            .collect();
        let values: Vec<_> = (0..12)
            .map(|number| format!("v3.{}.0", 1000 - number))
            .collect();
        let held = || {
            names
                .iter()
                .zip(&values)
                .map(|(name, value)| (name.as_str(), value.as_str()))
        };
        let surplus = DeviceCookie::surplus(held(), &ada, &ring());
        assert_eq!(surplus, names[7..].iter().collect::<Vec<_>>());
        // The cookie that is replaced takes no place of another.
        let own = DeviceCookie::names(&ada, &ring()).next().unwrap();
        let held = held().take(7).chain([(own.as_str(), "v1.1.x")]);
        assert!(DeviceCookie::surplus(held, &ada, &ring()).is_empty());
    }
}
