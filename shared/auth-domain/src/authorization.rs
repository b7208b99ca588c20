//! A three-legged authorization, as the server stores it between the person's browser, AgentCore
//! and the agent.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, Serializer};

use crate::{
    Caller, Email, KeyRing, Purpose, Randomness, Timestamp, UserSub, claims::COGNITO_ADMIN_SCOPE,
    redacted::redacted_debug,
};

/// The beginning of every session URI of AgentCore.
const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The longest session URI (AgentCore's service model).
const LONGEST_URI: usize = 1024;

/// The session URI of an authorization: AgentCore's name for it, and the client's `sessionId`. It
/// is an identifier and grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationId(String);

/// The text is not a session URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the sessionId of an authorization")]
pub struct InvalidAuthorizationId;

impl AuthorizationId {
    /// Parses text from AgentCore, a browser or the table.
    pub fn parse(text: &str) -> Result<Self, InvalidAuthorizationId> {
        let reference = text
            .strip_prefix(URI_PREFIX)
            .ok_or(InvalidAuthorizationId)?;
        let well_formed = text.len() <= LONGEST_URI
            && !reference.is_empty()
            && reference
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAuthorizationId)
        }
    }

    /// The URI itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that differs from one authorization to another, which needs no encoding in a path
    /// or a cookie.
    fn reference(&self) -> &str {
        &self.0[URI_PREFIX.len()..]
    }

    fn of_reference(reference: &str) -> Result<Self, InvalidAuthorizationId> {
        Self::parse(&format!("{URI_PREFIX}{reference}"))
    }
}

impl FromStr for AuthorizationId {
    type Err = InvalidAuthorizationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for AuthorizationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether a text has 1 to 128 visible ASCII characters. AgentCore's service model allows these in
/// a user's id and in a scope.
fn is_visible(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The agent's name for the conversation of an authorization: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConversationId(String);

/// The text is not a conversation's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 visible ASCII characters")]
pub struct InvalidConversationId;

impl ConversationId {
    /// A random id, for an agent that named no conversation.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        Self(BASE64URL_NOPAD.encode(&randomness.bytes::<16>()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConversationId {
    type Err = InvalidConversationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_visible(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidConversationId)
        }
    }
}

/// A scope that is requested from the provider (RFC 6749 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

/// The reason why a scope is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// No scope at all.
    #[error("must have 1 to 128 visible ASCII characters, without quotes and backslashes")]
    Malformed,
    /// Cognito's admin scope: its holder could change factors and attributes without Latchkey.
    #[error("must not be {COGNITO_ADMIN_SCOPE}")]
    Forbidden,
}

impl Scope {
    /// The default scopes: the person's identity.
    #[must_use]
    pub fn of_identity() -> Vec<Self> {
        ["openid", "email", "profile"]
            .map(|scope| Self(scope.to_owned()))
            .to_vec()
    }

    /// The scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !is_visible(text) || text.contains(['"', '\\']) {
            Err(InvalidScope::Malformed)
        } else if text == COGNITO_ADMIN_SCOPE {
            Err(InvalidScope::Forbidden)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// The identifier under which AgentCore keeps a person's consents. AgentCore trusts it without a
/// check, so Latchkey makes it, and only the identifier that began an authorization completes it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgentUserId(String);

redacted_debug!(AgentUserId);

/// The text cannot be a user's id at AgentCore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 visible ASCII characters")]
pub struct InvalidAgentUserId;

impl AgentUserId {
    /// A user id for a single authorization. It contains the guest's sub if a checked token names
    /// the guest. A shared user id would find the token of any earlier consent, even another
    /// person's.
    #[must_use]
    pub fn for_one_authorization(subject: &Subject, randomness: &Randomness) -> Self {
        let random = BASE64URL_NOPAD.encode(&randomness.bytes::<24>());
        Self(match subject {
            Subject::Guest { sub, .. } => format!("latchkey#guest#{}#{random}", sub.as_str()),
            Subject::Claimed(_) | Subject::Anybody => format!("latchkey#authorization#{random}"),
        })
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentUserId {
    type Err = InvalidAgentUserId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_visible(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAgentUserId)
        }
    }
}

macro_rules! unguessable {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        redacted_debug!($name);

        impl $name {
            /// A fresh one, of 256 bits in base64url: 43 characters, and no colon, which AgentCore
            /// refuses.
            #[must_use]
            pub fn generate(randomness: &Randomness) -> Self {
                Self(BASE64URL_NOPAD.encode(&randomness.bytes::<32>()))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

unguessable! {
    /// The secret of the browser that began an authorization.
    BindingSecret
}
unguessable! {
    /// The state that AgentCore's redirect returns.
    AuthorizationState
}

/// A keyed hash. The authorization's record stores it in place of the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedHash(String);

impl KeyedHash {
    /// Takes a stored hash.
    #[must_use]
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The hash, for the table.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AuthorizationState {
    /// Its keyed hash, for the record.
    #[must_use]
    pub fn hash(&self, keys: &KeyRing) -> KeyedHash {
        KeyedHash(keys.tag(Purpose::AuthorizationState, &[&self.0]).to_hex())
    }
}

impl BindingSecret {
    /// The secret's keyed hash, for the record. It proves nothing for another authorization.
    #[must_use]
    pub fn hash(&self, id: &AuthorizationId, keys: &KeyRing) -> KeyedHash {
        KeyedHash(
            keys.tag(Purpose::AuthorizationBinding, &[id.as_str(), &self.0])
                .to_hex(),
        )
    }
}

/// The cookie of the browser that began an authorization. Its name is derived from the state, so
/// one browser can hold several at once. Its value names the authorization, for redirects that omit
/// it.
#[derive(Clone)]
pub struct BindingCookie {
    id: AuthorizationId,
    secret: String,
}

redacted_debug!(BindingCookie);

impl BindingCookie {
    /// The prefix of every cookie name. The rest of the name distinguishes authorizations.
    pub const PREFIX: &'static str = "__Host-latchkey-authorization-";

    /// Name and value for a browser that begins an authorization.
    #[must_use]
    pub fn issue(
        id: &AuthorizationId,
        state: &KeyedHash,
        secret: &BindingSecret,
    ) -> (String, String) {
        let value = format!("{}.{}", secret.as_str(), id.reference());
        (Self::name(state), value)
    }

    /// The cookie's name in an authorization with this state.
    #[must_use]
    pub fn name(state: &KeyedHash) -> String {
        let told_apart = state.0.get(..8).unwrap_or(&state.0);
        format!("{}{told_apart}", Self::PREFIX)
    }

    /// The possible cookie names for the state of a redirect.
    #[must_use]
    pub fn names(state: &str, keys: &KeyRing) -> Vec<String> {
        keys.tags(Purpose::AuthorizationState, &[state])
            .map(|tag| format!("{}{}", Self::PREFIX, tag.short()))
            .collect()
    }

    /// The cookie of a browser that has this secret.
    #[must_use]
    pub fn of(id: &AuthorizationId, secret: &BindingSecret) -> Self {
        Self {
            id: id.clone(),
            secret: secret.as_str().to_owned(),
        }
    }

    /// Parses a cookie's value. The value is not verified yet.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (secret, reference) = value.split_once('.')?;
        Some(Self {
            id: AuthorizationId::of_reference(reference).ok()?,
            secret: secret.to_owned(),
        })
    }

    /// Its keyed hash, as in the authorization's record, if the cookie is genuine.
    #[must_use]
    pub fn hash(&self, keys: &KeyRing) -> KeyedHash {
        BindingSecret(self.secret.clone()).hash(&self.id, keys)
    }

    /// The authorization that the cookie claims to belong to.
    #[must_use]
    pub fn id(&self) -> &AuthorizationId {
        &self.id
    }
}

/// A link on our own domain, for an agent, which has no browser: its page asks a person, and
/// belongs to the first browser that allows it.
#[derive(Clone)]
pub struct StartLink {
    id: AuthorizationId,
    tag: String,
}

redacted_debug!(StartLink);

/// The text is no start link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a link that an agent has handed over")]
pub struct InvalidStartLink;

/// The hexadecimal digits of a keyed hash.
const TAG_DIGITS: usize = 64;

impl StartLink {
    /// The link's last segment. A key derives it from the id, so it can be returned again and is
    /// stored nowhere.
    #[must_use]
    pub fn segment(id: &AuthorizationId, keys: &KeyRing) -> String {
        let tag = keys.tag(Purpose::StartLink, &[id.as_str()]).to_hex();
        format!("{}.{tag}", id.reference())
    }

    /// The authorization that the link is for, if the link is ours.
    #[must_use]
    pub fn verified(&self, keys: &KeyRing) -> Option<&AuthorizationId> {
        keys.verifies(Purpose::StartLink, &[self.id.as_str()], &self.tag)
            .then_some(&self.id)
    }

    /// The name of the cookie that the link's page sets: one cookie a link, so that several pages
    /// can be open at once.
    #[must_use]
    pub fn page_cookie(&self) -> String {
        let told_apart = self.tag.get(..8).unwrap_or(&self.tag);
        format!("__Host-latchkey-consent-{told_apart}")
    }

    /// The link's last segment, which is its page's own address.
    #[must_use]
    pub fn own_segment(&self) -> String {
        format!("{}.{}", self.id.reference(), self.tag)
    }
}

impl FromStr for StartLink {
    type Err = InvalidStartLink;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (reference, tag) = text.rsplit_once('.').ok_or(InvalidStartLink)?;
        let is_tag = tag.len() == TAG_DIGITS
            && tag
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_tag {
            return Err(InvalidStartLink);
        }
        Ok(Self {
            id: AuthorizationId::of_reference(reference).map_err(|_| InvalidStartLink)?,
            tag: tag.to_owned(),
        })
    }
}

unguessable! {
    /// A nonce for the browser that shows a start link's page. The page's form holds a tag of it,
    /// so only this page's button in this browser counts.
    PageNonce
}

impl PageNonce {
    /// Reads a cookie's value. A made-up one matches no form.
    #[must_use]
    pub fn of_cookie(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// The field of the form on the page of this authorization's link.
    #[must_use]
    pub fn field(&self, id: &AuthorizationId, keys: &KeyRing) -> String {
        keys.tag(Purpose::ConsentForm, &[id.as_str(), &self.0])
            .to_hex()
    }

    /// Whether a form with this field was made for this browser and this authorization. Compares in
    /// constant time.
    #[must_use]
    pub fn fits(&self, field: &str, id: &AuthorizationId, keys: &KeyRing) -> bool {
        keys.verifies(Purpose::ConsentForm, &[id.as_str(), &self.0], field)
    }

    /// The secret that binds the authorization to this browser. It is derived from the nonce, so a
    /// second press of the button binds the same browser again.
    #[must_use]
    pub fn binding_secret(&self, id: &AuthorizationId, keys: &KeyRing) -> BindingSecret {
        BindingSecret(
            keys.tag(Purpose::ConsentBinding, &[id.as_str(), &self.0])
                .to_hex(),
        )
    }
}

/// The person whose consent an authorization asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A guest who sent an access token.
    Guest {
        /// The guest's user.
        sub: UserSub,
        /// The claimed address.
        email: Email,
    },
    /// A person who claims this address, without proof.
    Claimed(Email),
    /// Any person in the conversation.
    Anybody,
}

impl Subject {
    /// The address, if it is known.
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        match self {
            Self::Guest { email, .. } | Self::Claimed(email) => Some(email),
            Self::Anybody => None,
        }
    }
}

/// The reason why an authorization, or an attempt to end one, failed. Only the log and the browser
/// that began the authorization learn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationFailure {
    /// Its ten minutes had passed.
    Expired,
    /// It had ended before.
    AlreadyUsed,
    /// A browser that did not begin the authorization came back.
    OtherBrowser,
    /// The wrong person consented.
    OtherUser,
    /// The redirect carried a state other than the issued one.
    StateMismatch,
    /// The provider refused, or the person did there.
    ProviderDenied,
    /// The person pressed *Cancel* on our own page.
    Cancelled,
    /// The person had signed in before this browser was sent to sign in.
    OldSignIn,
    /// AgentCore refused to complete it.
    RefusedByAgentCore,
}

impl AuthorizationFailure {
    const ALL: [Self; 9] = [
        Self::Expired,
        Self::AlreadyUsed,
        Self::OtherBrowser,
        Self::OtherUser,
        Self::StateMismatch,
        Self::ProviderDenied,
        Self::Cancelled,
        Self::OldSignIn,
        Self::RefusedByAgentCore,
    ];

    /// The reason's name, in logs, records and redirects.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::AlreadyUsed => "already-used",
            Self::OtherBrowser => "other-browser",
            Self::OtherUser => "other-user",
            Self::StateMismatch => "state-mismatch",
            Self::ProviderDenied => "provider-denied",
            Self::Cancelled => "cancelled",
            Self::OldSignIn => "old-sign-in",
            Self::RefusedByAgentCore => "refused-by-agentcore",
        }
    }

    /// The code that a front end branches on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "SESSION_EXPIRED",
            Self::OtherBrowser | Self::OtherUser => "USER_MISMATCH",
            Self::ProviderDenied | Self::Cancelled => "AUTH_CANCELLED",
            Self::AlreadyUsed
            | Self::StateMismatch
            | Self::OldSignIn
            | Self::RefusedByAgentCore => "INVALID_SESSION",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The progress of an authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The person has not come back yet, or the callback is being completed at this moment.
    Pending,
    /// AgentCore may give the agent tokens.
    Completed,
    /// It ended without success.
    Failed(AuthorizationFailure),
}

/// The state of an authorization, for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationStatus {
    /// The authorization is pending.
    Pending,
    /// It has succeeded.
    Completed,
    /// Its time passed before it ended.
    Expired,
    /// It has failed.
    Failed,
}

impl AuthorizationStatus {
    /// The status as clients read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Expired => "EXPIRED",
            Self::Failed => "FAILED",
        }
    }
}

impl Serialize for AuthorizationStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An authorization, as its record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Its session URI.
    pub id: AuthorizationId,
    /// The conversation that asked for it.
    pub conversation_id: ConversationId,
    /// The person whose consent it asks for.
    pub subject: Subject,
    /// The identifier that minted the workload token.
    pub user_id: AgentUserId,
    /// The requested scopes.
    pub scopes: Vec<Scope>,
    /// AgentCore's authorization URL for the person. It works once.
    pub url: AuthorizationUrl,
    /// The hash of its state.
    pub state: KeyedHash,
    /// The browser that it is bound to. `None` until a person allows it on a start link's page.
    pub binding: Option<Binding>,
    /// Whether another browser tried to bind it and was refused.
    pub refused_elsewhere: bool,
    /// Its progress.
    pub standing: Standing,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The browser that an authorization belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The hash of the secret that only this browser has.
    pub secret: KeyedHash,
    /// When it was bound. The person has to sign in after it.
    pub since: Timestamp,
}

/// The message to a browser that follows the link of an ended authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// It has succeeded, in this very browser.
    Completed,
    /// The authorization failed, or failed for this browser.
    Failed {
        /// The reason.
        reason: AuthorizationFailure,
        /// Whether this browser began the authorization, and so learns the reason.
        began_it: bool,
    },
}

impl Authorization {
    /// The end of the authorization, for a browser that follows its link; `None` while it is
    /// pending. An unbound link has no secrets, so every browser that opens it learns its end.
    #[must_use]
    pub fn link_end(&self, began_it: bool, now: Timestamp) -> Option<LinkEnd> {
        let failed = |reason| Some(LinkEnd::Failed { reason, began_it });
        match (self.status(now), self.standing) {
            (AuthorizationStatus::Pending, _) => None,
            (_, _) if self.binding.is_some() && !began_it => {
                failed(AuthorizationFailure::OtherBrowser)
            }
            (_, Standing::Completed) => Some(LinkEnd::Completed),
            (_, Standing::Failed(reason)) => failed(reason),
            (_, Standing::Pending) => failed(AuthorizationFailure::Expired),
        }
    }

    /// Whether the person signed in after this browser was sent to sign in. The check compares two
    /// clocks, which may differ by a second: between the start and a fresh sign-in lie a page, an
    /// address and a code.
    #[must_use]
    pub fn is_signed_in_for(&self, person: &Caller) -> bool {
        let since = self.binding.as_ref().map(|binding| binding.since);
        since
            .zip(person.authenticated_at)
            .is_some_and(|(since, at)| at.as_seconds() >= since.as_seconds())
    }

    /// The state for a client at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> AuthorizationStatus {
        match self.standing {
            Standing::Completed => AuthorizationStatus::Completed,
            Standing::Failed(AuthorizationFailure::Expired) => AuthorizationStatus::Expired,
            Standing::Failed(_) => AuthorizationStatus::Failed,
            Standing::Pending if now >= self.expires_at => AuthorizationStatus::Expired,
            Standing::Pending => AuthorizationStatus::Pending,
        }
    }

    /// Whether a cookie's value proves the browser that began this authorization. Compares in
    /// constant time.
    #[must_use]
    pub fn is_bound_to(&self, cookie: &BindingCookie, keys: &KeyRing) -> bool {
        self.id == cookie.id
            && self.binding.as_ref().is_some_and(|binding| {
                let parts = [self.id.as_str(), &cookie.secret];
                keys.verifies(Purpose::AuthorizationBinding, &parts, &binding.secret.0)
            })
    }

    /// Whether a redirect carries the state of this authorization. Compares in constant time.
    #[must_use]
    pub fn is_sent_out_with(&self, state: &str, keys: &KeyRing) -> bool {
        keys.verifies(Purpose::AuthorizationState, &[state], &self.state.0)
    }
}

/// An authorization URL of AgentCore's. It works once, so Latchkey never fetches it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationUrl(String);

redacted_debug!(AuthorizationUrl);

impl AuthorizationUrl {
    /// Takes a URL as AgentCore issued it.
    #[must_use]
    pub fn issued(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The URL itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Our own address that AgentCore sends browsers back to, and with it the address of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl(String);

/// The text is not such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https address that ends with {CALLBACK_PATH}")]
pub struct InvalidCallbackUrl;

const CALLBACK_PATH: &str = "/auth/callback";

impl FromStr for CallbackUrl {
    type Err = InvalidCallbackUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let web = text.starts_with("https://") || text.starts_with("http://");
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte));
        if web && plain && text.ends_with(CALLBACK_PATH) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCallbackUrl)
        }
    }
}

impl CallbackUrl {
    /// The address itself: AgentCore compares it exactly.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The start link of an authorization, beside it.
    #[must_use]
    pub fn start_link(&self, id: &AuthorizationId, keys: &KeyRing) -> String {
        let api = self.0.strip_suffix(CALLBACK_PATH).unwrap_or(&self.0);
        format!("{api}/auth/oauth2/start/{}", StartLink::segment(id, keys))
    }
}

/// The answer to an agent whose guest has not consented yet.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsentRequest {
    /// The authorization to ask about afterwards.
    pub id: AuthorizationId,
    /// The URL for the person.
    pub url: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

redacted_debug!(ConsentRequest);

impl fmt::Display for AuthorizationFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    fn keys() -> KeyRing {
        let key = Key::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        KeyRing::new(key, None)
    }

    fn id(reference: &str) -> AuthorizationId {
        AuthorizationId::of_reference(reference).unwrap()
    }

    #[test]
    fn a_session_uri_is_agentcores_and_nothing_else() {
        assert!(AuthorizationId::parse("urn:ietf:params:oauth:request_uri:aB3-._~").is_ok());
        for text in [
            "",
            "aB3",
            "urn:ietf:params:oauth:request_uri:",
            "urn:ietf:params:oauth:request_uri:a b",
            "urn:ietf:params:oauth:request_uri:a#b",
            "https://example.com",
            &format!("{URI_PREFIX}{}", "a".repeat(LONGEST_URI)),
        ] {
            assert!(AuthorizationId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_start_link_is_for_one_authorization_and_made_by_us() {
        let segment = StartLink::segment(&id("a.b"), &keys());
        let link: StartLink = segment.parse().unwrap();
        assert_eq!(link.verified(&keys()), Some(&id("a.b")));
        let forged: StartLink = segment.replace("a.b", "a.c").parse().unwrap();
        assert_eq!(forged.verified(&keys()), None);
        for text in ["", "a", "a.b", ".", &segment[4..]] {
            assert!(
                text.parse::<StartLink>()
                    .ok()
                    .and_then(|link| link.verified(&keys()).cloned())
                    .is_none(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_scope_that_walks_round_is_never_asked_for() {
        assert!("openid".parse::<Scope>().is_ok());
        assert_eq!(
            COGNITO_ADMIN_SCOPE.parse::<Scope>(),
            Err(InvalidScope::Forbidden)
        );
        for text in ["", "a b", "a\"b", &"a".repeat(129)] {
            assert_eq!(text.parse::<Scope>(), Err(InvalidScope::Malformed));
        }
    }

    #[test]
    fn links_stand_beside_the_callback() {
        let callback: CallbackUrl = "https://auth.example.com/api/auth/callback"
            .parse()
            .unwrap();
        let link = callback.start_link(&id("abc"), &keys());
        assert!(link.starts_with("https://auth.example.com/api/auth/oauth2/start/abc."));
        for text in [
            "",
            "/auth/callback",
            "ftp://a/auth/callback",
            "https://a/auth/callback?x=1",
            "https://a/callback",
        ] {
            assert!(text.parse::<CallbackUrl>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn reasons_read_back() {
        for reason in AuthorizationFailure::ALL {
            assert_eq!(AuthorizationFailure::stored(reason.name()), Some(reason));
        }
    }
}
