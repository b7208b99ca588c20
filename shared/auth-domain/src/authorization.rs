//! A three-legged authorization, as the server remembers it between the person's browser, AgentCore
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

/// The session URI of an authorization: what AgentCore calls it, and what a client sees as
/// `sessionId`. It names, and grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationId(String);

/// The text is not a session URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the sessionId of an authorization")]
pub struct InvalidAuthorizationId;

impl AuthorizationId {
    /// Parses what AgentCore, a browser or a table says.
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

/// Whether a text has 1 to 128 visible ASCII characters: what a user's id and a scope may be at
/// AgentCore (its service model).
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
    /// One for an agent that did not say which conversation it is.
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

/// A scope that is asked of the provider (RFC 6749 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

/// The text is not a scope that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// No scope at all.
    #[error("must have 1 to 128 visible ASCII characters, without quotes and backslashes")]
    Malformed,
    /// The scope by which a token's holder changes factors and attributes behind our back.
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

/// The identifier under which AgentCore keeps a person's consents. It is taken on trust there, so
/// it is made here, and the very one that began an authorization completes it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgentUserId(String);

redacted_debug!(AgentUserId);

/// The text cannot be a user's id at AgentCore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 visible ASCII characters")]
pub struct InvalidAgentUserId;

impl AgentUserId {
    /// One for a single authorization, named after the guest where a checked token says who begins
    /// it. If several shared it, all would find the token of one consent, even a wrong person's.
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
            /// stumbles over.
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

/// A keyed hash that stands in an authorization's record in place of the secret that it was made
/// of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedHash(String);

impl KeyedHash {
    /// Takes a hash as it was stored.
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
    /// Its keyed hash, for the record. It proves nothing for another authorization.
    #[must_use]
    pub fn hash(&self, id: &AuthorizationId, keys: &KeyRing) -> KeyedHash {
        KeyedHash(
            keys.tag(Purpose::AuthorizationBinding, &[id.as_str(), &self.0])
                .to_hex(),
        )
    }
}

/// The cookie of the browser that began an authorization: its name is made of the state, so that
/// one browser may be in several at once, and its value names the authorization, for the redirect
/// that forgets to.
#[derive(Clone)]
pub struct BindingCookie {
    id: AuthorizationId,
    secret: String,
}

redacted_debug!(BindingCookie);

impl BindingCookie {
    /// The name in front of what tells authorizations apart.
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

    /// The names that the cookie may have in an authorization whose state a redirect brings.
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

    /// Reads a cookie's value. What it claims is still to be proved.
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

    /// The authorization that the cookie says it belongs to.
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
    /// The link's last segment. Made of the id by a key, so that it can be handed over again and
    /// stands nowhere.
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

    /// The name of the cookie that the link's page sets: one a link, so that several pages may be
    /// open at once.
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
    /// Reads a cookie's value. A made-up one fits no form.
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

    /// Whether a form with this field was made for this browser and this authorization, in constant
    /// time.
    #[must_use]
    pub fn fits(&self, field: &str, id: &AuthorizationId, keys: &KeyRing) -> bool {
        keys.verifies(Purpose::ConsentForm, &[id.as_str(), &self.0], field)
    }

    /// The secret by which the authorization is bound to this browser. Made of the nonce, so that a
    /// button pressed twice binds the same browser twice.
    #[must_use]
    pub fn binding_secret(&self, id: &AuthorizationId, keys: &KeyRing) -> BindingSecret {
        BindingSecret(
            keys.tag(Purpose::ConsentBinding, &[id.as_str(), &self.0])
                .to_hex(),
        )
    }
}

/// Whose consent an authorization is to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A guest who showed an access token.
    Guest {
        /// Who.
        sub: UserSub,
        /// Under which address.
        email: Email,
    },
    /// A person who claims this address.
    Claimed(Email),
    /// Any person in the conversation.
    Anybody,
}

impl Subject {
    /// The address, where there is one.
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        match self {
            Self::Guest { email, .. } | Self::Claimed(email) => Some(email),
            Self::Anybody => None,
        }
    }
}

/// Why an authorization, or an attempt to end one, failed. Only the log and the person who began
/// hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationFailure {
    /// Its ten minutes were over.
    Expired,
    /// It had ended before.
    AlreadyUsed,
    /// Another browser than the one that began it.
    OtherBrowser,
    /// Another person consented than the one that was meant.
    OtherUser,
    /// The redirect brought another state than it was sent out with.
    StateMismatch,
    /// The provider said no, or the person did there.
    ProviderDenied,
    /// The person pressed *Cancel* on our own page.
    Cancelled,
    /// The person had signed in before this browser was sent to do so.
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

    /// Reads a name as it was stored.
    #[must_use]
    pub fn stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How far an authorization has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The person has not come back yet, or is being let in this very moment.
    Pending,
    /// AgentCore may give the agent tokens.
    Completed,
    /// It ended without.
    Failed(AuthorizationFailure),
}

/// The state of an authorization, for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationStatus {
    /// It goes on.
    Pending,
    /// It has succeeded.
    Completed,
    /// Its time was over before it ended.
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
    /// Which one.
    pub id: AuthorizationId,
    /// For which conversation.
    pub conversation_id: ConversationId,
    /// Whose consent it is to bring.
    pub subject: Subject,
    /// The identifier that minted the workload token.
    pub user_id: AgentUserId,
    /// The requested scopes.
    pub scopes: Vec<Scope>,
    /// Where the person is to go: AgentCore's URL, which works once.
    pub url: AuthorizationUrl,
    /// Of the state that it was sent out with.
    pub state: KeyedHash,
    /// The browser that it belongs to. None until a person allows it on a start link's page.
    pub binding: Option<Binding>,
    /// Whether another browser wanted it too, and was refused.
    pub refused_elsewhere: bool,
    /// How far it has come.
    pub standing: Standing,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The browser that an authorization belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Of the secret that only this browser has.
    pub secret: KeyedHash,
    /// Since when. The person has to sign in after it.
    pub since: Timestamp,
}

/// The message to a browser that follows the link of an ended authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// It has succeeded, in this very browser.
    Completed,
    /// It has not, or not for this browser.
    Failed {
        /// Why.
        reason: AuthorizationFailure,
        /// Whether the reason is told.
        began_it: bool,
    },
}

impl Authorization {
    /// How the authorization has ended for a browser that follows its link; `None` where it waits.
    /// A link that no browser has bound has no secrets: its end is told to every browser that opens
    /// it.
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

    /// Whether the person signed in after this browser was sent to do so. Both clocks count here,
    /// and need not agree to the second: between the start and a fresh sign-in lie a page, an
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

    /// Whether a cookie's value proves the browser that began this one, in constant time.
    #[must_use]
    pub fn is_bound_to(&self, cookie: &BindingCookie, keys: &KeyRing) -> bool {
        self.id == cookie.id
            && self.binding.as_ref().is_some_and(|binding| {
                let parts = [self.id.as_str(), &cookie.secret];
                keys.verifies(Purpose::AuthorizationBinding, &parts, &binding.secret.0)
            })
    }

    /// Whether a redirect brings the state that this one was sent out with, in constant time.
    #[must_use]
    pub fn is_sent_out_with(&self, state: &str, keys: &KeyRing) -> bool {
        keys.verifies(Purpose::AuthorizationState, &[state], &self.state.0)
    }
}

/// An authorization URL of AgentCore's. It works once, so nothing here ever fetches it.
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

/// The answer to an agent whose guest must consent first.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsentRequest {
    /// The authorization to ask about afterwards.
    pub id: AuthorizationId,
    /// Where the person is to go.
    pub url: String,
    /// Until when.
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
