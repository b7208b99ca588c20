//! Mailboxes: one person may have many addresses, and limits count mails by mailbox.

use crate::Email;

/// The mailbox of an address, as far as its spelling shows: `a+x@example.com` and `a+y@example.com`
/// share one mailbox (RFC 5233).
///
/// For counting only. As an identity, an address keeps its sub-address, because not every mail
/// server folds it. Dots are kept: only some servers ignore them.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox(String);

crate::redacted::redacted_debug!(Mailbox);

impl Mailbox {
    /// The mailbox of an address.
    #[must_use]
    pub fn of(email: &Email) -> Self {
        let address = email.as_str();
        let (local, domain) = address.split_once('@').unwrap_or((address, ""));
        match local.split_once('+') {
            // A local part that begins with "+" has no name before it to fold to.
            Some((name, _)) if !name.is_empty() => Self(format!("{name}@{domain}")),
            Some(_) | None => Self(address.to_owned()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_addresses_are_one_mailbox() {
        let of = |text: &str| Mailbox::of(&Email::parse(text).unwrap());
        let ada = of("ada@example.com");
        for address in [
            "ada+1@example.com",
            "Ada+shop@Example.com",
            "ada+@example.com",
            "ada+a+b@example.com",
        ] {
            assert!(of(address) == ada, "{address}");
        }
        for address in [
            "a.da@example.com",
            "ada@example.org",
            "ada-1@example.com",
            "adb@example.com",
        ] {
            assert!(of(address) != ada, "{address}");
        }
        assert!(of("+ada@example.com") != of("+eve@example.com"));
    }
}
