//! The request beside the input, and the answer beside the output.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use auth_domain::{
    AppClients, Caller, ClientName, Country, DeviceClaim, DeviceCookie, Email, KeyRing, Language,
    LimitState, Locale, Principal, Problem, RefreshRefusal, RefreshToken, Report, RequestContext,
    Timestamp, TokenDelivery, Tokens,
};
use serde_json::{Map, Value};

use crate::{Counter, Metric, Origin, SetCookie, door::Door};

/// Reads the claims of a token that the authorizer has accepted: it has checked signature, issuer,
/// client, times and scope. Claims may come as text or as JSON.
pub(crate) fn caller_from_claims(claims: &Map<String, Value>) -> Option<Caller> {
    Caller::of_claims(|name| match claims.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// Facts about the sender from the request's transport.
#[derive(Default)]
pub(crate) struct Sender {
    /// The peer of the TCP connection, as API Gateway saw it.
    pub(crate) source_ip: Option<IpAddr>,
    /// `CloudFront-Viewer-Address`: valid only if the request came through CloudFront.
    pub(crate) viewer_address: Option<SocketAddr>,
    /// Whether the request proves that it came through CloudFront.
    pub(crate) came_through_cloudfront: bool,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) host: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) fetch_site: Option<String>,
    pub(crate) bearer_token: Option<String>,
    /// `CloudFront-Viewer-Country`: the same.
    pub(crate) viewer_country: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) accept_language: Option<String>,
    /// Whether `Accept` names HTML, as browsers do when they open a page.
    pub(crate) accepts_html: bool,
    pub(crate) is_known_to_iam: bool,
    /// The IAM principal: of the signature over HTTP; from the invoker at the direct door.
    pub(crate) principal: Option<Principal>,
    /// Not empty.
    pub(crate) conversation: Option<String>,
    pub(crate) gateway: Option<String>,
}

#[derive(Default)]
struct Extras {
    cookies: Vec<SetCookie>,
    headers: Vec<(&'static str, String)>,
    limits: Vec<LimitState>,
    metrics: Vec<Metric>,
    page: Option<String>,
}

/// One request and its answer in the making.
pub struct Exchange {
    request_id: String,
    door: Door,
    caller: OnceLock<Caller>,
    sender: Sender,
    extras: Mutex<Extras>,
}

impl Exchange {
    pub(crate) fn new(
        request_id: String,
        door: Door,
        caller: Option<Caller>,
        sender: Sender,
    ) -> Self {
        Self {
            request_id,
            door,
            caller: caller.map(OnceLock::from).unwrap_or_default(),
            sender,
            extras: Mutex::default(),
        }
    }

    /// The id that the client can quote: API Gateway's for HTTP, Lambda's otherwise.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(crate) fn door(&self) -> Door {
        self.door
    }

    /// The caller.
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.get().ok_or(Problem::AuthRequired)
    }

    /// Sets the caller, from a token that the operation itself has checked. The first caller stays.
    pub fn let_in(&self, caller: Caller) {
        self.caller.get_or_init(|| caller);
    }

    /// Rejects callers whose token was issued to an app client that Latchkey does not accept. API
    /// Gateway's audience may list more clients than the operations accept. An invoker with IAM's
    /// permission who names no client speaks for the caller.
    pub(crate) fn require_caller_of(&self, app_clients: &AppClients) -> Result<(), Problem> {
        let counts = match (&self.caller()?.client_id, self.door) {
            (Some(client_id), Door::Http | Door::Direct | Door::Tool) => {
                app_clients.take(client_id)
            }
            (None, Door::Direct) => true,
            (None, Door::Http | Door::Tool) => false,
        };
        if counts {
            Ok(())
        } else {
            Err(Problem::AuthRequired)
        }
    }

    /// The unchecked token of a request, on a route that works without one too.
    #[must_use]
    pub fn bearer_token(&self) -> Option<&str> {
        self.sender.bearer_token.as_deref()
    }

    /// Rejects HTTP requests that no IAM principal signed. At the other doors IAM has allowed the
    /// invocation.
    pub(crate) fn require_iam(&self) -> Result<(), Problem> {
        match self.door {
            Door::Http if !self.sender.is_known_to_iam => Err(Problem::AuthRequired),
            Door::Http | Door::Direct | Door::Tool => Ok(()),
        }
    }

    /// The operator. An act without a principal could not be audited, so it is refused.
    pub fn operator(&self) -> Result<&Principal, Problem> {
        self.sender.principal.as_ref().ok_or(Problem::AuthRequired)
    }

    /// The sender's address: the TCP peer, or CloudFront's viewer if the request proves that it
    /// came through CloudFront. `X-Forwarded-For` is never read: the client chooses its left end.
    /// `None` at the other doors.
    #[must_use]
    pub fn ip_address(&self) -> Option<IpAddr> {
        match self.sender.viewer_address {
            Some(viewer) if self.sender.came_through_cloudfront => Some(viewer.ip()),
            Some(_) | None => self.sender.source_ip,
        }
    }

    /// The origin of a person's request. `None` at the other doors, where a server is the sender.
    #[must_use]
    pub fn context(&self) -> Option<RequestContext> {
        Some(RequestContext {
            ip_address: self.ip_address()?,
            host: self.sender.host.clone()?,
            path: self.sender.path.clone()?,
        })
    }

    /// The country of the request, by its two letters (ISO 3166-1), if CloudFront sends it.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        let country = self.sender.viewer_country.as_deref();
        country
            .filter(|_| self.sender.came_through_cloudfront)
            .and_then(Country::parse)
    }

    /// The name of the browser or app, from the request.
    #[must_use]
    pub fn client_name(&self) -> ClientName {
        ClientName::of_user_agent(self.sender.user_agent.as_deref())
    }

    /// The preferred language of the request's browser. `None` at the other doors.
    #[must_use]
    pub fn locale(&self) -> Option<Locale> {
        Locale::preferred(self.sender.accept_language.as_deref()?)
    }

    /// The preferred language that pages and mails are written in.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.locale()?.language()
    }

    /// Whether a person's browser shows the answer.
    pub(crate) fn shows_pages(&self) -> bool {
        self.sender.accepts_html
    }

    /// Whether the request is an agent's tool call.
    #[must_use]
    pub fn is_from_agent(&self) -> bool {
        match self.door {
            Door::Tool => true,
            Door::Http | Door::Direct => false,
        }
    }

    /// The sender's network for limits: an IPv4 address, or the /64 of an IPv6 host (RFC 4291
    /// §2.5.4).
    #[must_use]
    pub fn network(&self) -> Option<String> {
        Some(match self.ip_address()? {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => address.to_string(),
                None => address.segments()[..4]
                    .iter()
                    .map(|segment| format!("{segment:x}"))
                    .collect::<Vec<_>>()
                    .join(":"),
            },
        })
    }

    /// The conversation that a call belongs to. Some AgentCore Gateways name it for a tool. A
    /// direct invocation may name it by `conversationId` or `sessionId`. `None` over HTTP.
    #[must_use]
    pub fn conversation(&self) -> Option<&str> {
        self.sender.conversation.as_deref()
    }

    /// The gateway of a tool's call; empty if it does not name itself. `None` at the other doors.
    #[must_use]
    pub fn gateway(&self) -> Option<&str> {
        self.sender.gateway.as_deref()
    }

    /// A cookie's value. `None` if the request has two cookies of that name: somebody may have
    /// planted either.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut named = self
            .sender
            .cookies
            .iter()
            .filter(|(known, _)| known == name);
        match (named.next(), named.next()) {
            (Some((_, value)), None) => Some(value.as_str()),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// The values of all cookies whose names have this prefix.
    pub fn cookies_with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let cookies = self.sender.cookies.iter();
        cookies
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(_, value)| value.as_str())
    }

    /// The device cookie for `email`, if the browser has one that Latchkey signed. The named
    /// guest's record decides whether it still counts.
    #[must_use]
    pub fn device_claim(
        &self,
        email: &Email,
        now: Timestamp,
        lifetime: Duration,
        keys: &KeyRing,
    ) -> Option<DeviceClaim> {
        DeviceCookie::names(email, keys)
            .filter_map(|name| self.cookie(&name))
            .find_map(|value| DeviceClaim::read(value, email, now, lifetime, keys))
    }

    /// The refresh token in a browser's cookie. It counts only in requests of our own pages:
    /// another site can make a browser send it, and gains nothing.
    pub fn refresh_token_cookie(
        &self,
        front_end: &Origin,
    ) -> Result<Option<RefreshToken>, Problem> {
        match self.cookie(SetCookie::REFRESH_TOKEN) {
            None => Ok(None),
            Some(_) if !self.is_from_our_pages(front_end) => Err(Problem::AuthRequired),
            Some(value) => RefreshToken::parse(value)
                .map(Some)
                .map_err(|_| Problem::InvalidRefreshToken(RefreshRefusal::Invalid)),
        }
    }

    /// Whether a browser states that our own pages made this request: those at `ours`, or this
    /// host's own. A request that does not state its origin is refused as well (ASVS 5.0 3.5.1,
    /// 3.5.3).
    #[must_use]
    pub fn is_from_our_pages(&self, ours: &Origin) -> bool {
        let origin_is_ours = self.sender.origin.as_deref().map(|text| {
            let is_own_host = |origin: &Origin| {
                self.sender
                    .host
                    .as_deref()
                    .is_some_and(|host| origin.is_host(host))
            };
            text.parse::<Origin>()
                .is_ok_and(|origin| origin == *ours || is_own_host(&origin))
        });
        match (self.sender.fetch_site.as_deref(), origin_is_ours) {
            (Some("same-origin"), None | Some(true)) | (Some("same-site") | None, Some(true)) => {
                true
            }
            (Some(_) | None, None | Some(_)) => false,
        }
    }

    /// Adds a header field to the answer. It replaces the default field of that name. The name is
    /// in lower case.
    pub fn set_header(&self, name: &'static str, value: impl Into<String>) {
        self.extras().headers.push((name, value.into()));
    }

    /// Sends a cookie with the answer.
    pub fn set_cookie(&self, cookie: SetCookie) {
        self.extras().cookies.push(cookie);
    }

    /// Sets the device cookie for `email`, and makes the browser drop device cookies past the
    /// maximum.
    pub fn set_device_cookie(
        &self,
        email: &Email,
        cookie: &DeviceCookie,
        lifetime: Duration,
        keys: &KeyRing,
    ) {
        let held = self.sender.cookies.iter();
        let held = held
            .filter(|(name, _)| name.starts_with(DeviceCookie::PREFIX))
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for name in DeviceCookie::surplus(held, email, keys) {
            self.set_cookie(SetCookie::no_device(name.to_owned()));
        }
        if let Some(name) = DeviceCookie::names(email, keys).next() {
            self.set_cookie(SetCookie::device(name, cookie, lifetime));
        }
    }

    /// Returns the refresh token in the way that the client asked for. The remaining tokens belong
    /// in the body. Only HTTP has cookies.
    pub fn deliver(
        &self,
        mut tokens: Tokens,
        delivery: TokenDelivery,
        lifetime: Duration,
    ) -> Tokens {
        if delivery == TokenDelivery::Cookie
            && self.is_http()
            && let Some(refresh_token) = tokens.refresh_token.take()
        {
            self.set_cookie(SetCookie::refresh_token(&refresh_token, lifetime));
        }
        tokens
    }

    /// Reports the rest of a limit in the answer's `RateLimit` fields. A later state of the same
    /// limit replaces the earlier.
    pub fn rate_limit(&self, state: LimitState) {
        let mut extras = self.extras();
        extras
            .limits
            .retain(|known| known.limit.name != state.limit.name);
        extras.limits.push(state);
    }

    /// Counts one event for the operators.
    pub fn count(&self, metric: Metric) {
        self.extras().metrics.push(metric);
    }

    /// Logs and counts a failed notice. The event that it reports happened nevertheless.
    pub fn note_notice(&self, sent: Result<(), Report>) {
        if let Err(report) = sent {
            tracing::error!(error = report.chain(), "a notice could not be mailed");
            self.count(Metric::EmailDeliveryFailures);
        }
    }

    /// Whether the request came from a person's own browser or app: not from an agent, and not from
    /// an operator's invocation.
    #[must_use]
    pub fn is_http(&self) -> bool {
        match self.door {
            Door::Http => true,
            Door::Direct | Door::Tool => false,
        }
    }

    /// Answers over HTTP with a page in place of the output's JSON.
    pub(crate) fn set_page(&self, html: &str) {
        self.extras().page = Some(html.to_owned());
    }

    pub(crate) fn page(&self) -> Option<String> {
        self.extras().page.clone()
    }

    pub(crate) fn set_cookie_headers(&self) -> Vec<String> {
        self.extras()
            .cookies
            .iter()
            .map(SetCookie::to_header)
            .collect()
    }

    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        self.extras().headers.clone()
    }

    pub(crate) fn limits(&self) -> Vec<LimitState> {
        self.extras().limits.clone()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        self.extras().metrics.clone()
    }

    fn extras(&self) -> MutexGuard<'_, Extras> {
        self.extras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter for Exchange {
    fn count(&self, metric: Metric) {
        self.count(metric);
    }
}
