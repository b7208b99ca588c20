//! Whose events a limit counts.

use std::fmt;

use crate::{Email, KeyRing, KnownDevice, Mailbox, Purpose, Tag, UserSub};

/// The name under which a limit counts somebody's events. No address can be read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSubject(String);

impl LimitSubject {
    /// A signed-in guest's own requests.
    #[must_use]
    pub fn guest(sub: &UserSub) -> Self {
        Self(sub.as_str().to_owned())
    }

    /// A user's second factors.
    #[must_use]
    pub fn user(sub: &UserSub) -> Self {
        Self(format!("user#{}", sub.as_str()))
    }

    /// An address, for all strangers together.
    #[must_use]
    pub fn address(email: &Email, keys: &KeyRing) -> Self {
        Self::tagged("address", keys.tag(Purpose::Address, &[email.as_str()]))
    }

    /// A known device of an address. A stranger cannot spend its budget, or lock guests out of
    /// their own browser.
    #[must_use]
    pub fn device(device: &KnownDevice) -> Self {
        Self(format!("device#{}", device.nonce()))
    }

    /// A signed-in guest who asks about an address.
    #[must_use]
    pub fn caller(sub: &UserSub, email: &Email, keys: &KeyRing) -> Self {
        let parts = ["caller", sub.as_str(), email.as_str()];
        Self::tagged("caller", keys.tag(Purpose::Principal, &parts))
    }

    /// An agent's tool that asks about an address, in a conversation or for all of them.
    #[must_use]
    pub fn tool(conversation: Option<&str>, email: &Email, keys: &KeyRing) -> Self {
        Self::agent("tool", conversation, email, keys)
    }

    /// A direct invocation about an address, in a conversation or for all of them.
    #[must_use]
    pub fn invoker(conversation: Option<&str>, email: &Email, keys: &KeyRing) -> Self {
        Self::agent("direct", conversation, email, keys)
    }

    fn agent(door: &str, conversation: Option<&str>, email: &Email, keys: &KeyRing) -> Self {
        let parts = [door, conversation.unwrap_or_default(), email.as_str()];
        Self::tagged("agent", keys.tag(Purpose::Principal, &parts))
    }

    /// A network, over all addresses.
    #[must_use]
    pub fn network(network: &str, keys: &KeyRing) -> Self {
        Self(keys.tag(Purpose::IpAddress, &[network]).to_hex())
    }

    /// A conversation that a gateway or an invoker names, over all addresses; or the one that a
    /// request asks for.
    #[must_use]
    pub fn conversation(name: &str, keys: &KeyRing) -> Self {
        Self(keys.tag(Purpose::Principal, &[name]).to_hex())
    }

    /// A conversation that a model names, at its gateway.
    #[must_use]
    pub fn conversation_at(gateway: &str, name: &str, keys: &KeyRing) -> Self {
        Self(keys.tag(Purpose::Principal, &[gateway, name]).to_hex())
    }

    /// All chats of a gateway that names no conversation.
    #[must_use]
    pub fn gateway(gateway: &str, keys: &KeyRing) -> Self {
        Self::conversation(gateway, keys)
    }

    /// A mailbox, for mails with a code.
    #[must_use]
    pub fn mailbox(mailbox: &Mailbox, keys: &KeyRing) -> Self {
        Self(keys.tag(Purpose::Mailbox, &[mailbox.as_str()]).to_hex())
    }

    fn tagged(kind: &str, tag: Tag) -> Self {
        Self(format!("{kind}#{}", tag.to_hex()))
    }

    /// The name as the tables keep it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LimitSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
