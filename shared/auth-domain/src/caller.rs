//! The person behind an access token.

use std::time::Duration;

use crate::{Guest, SessionId, Timestamp, UserSub, claims};

/// From the start of a second to its last millisecond.
const REST_OF_A_SECOND: Duration = Duration::from_millis(999);

/// The caller, from a checked token. API Gateway's authorizer checks it on most routes.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user who sent the token.
    pub sub: UserSub,
    /// When the token's session began. A refreshed token knows only the second of its sign-in: then
    /// it is that second's start, so a sign-out within the second counts as later.
    pub signed_in_at: Timestamp,
    /// When the person last proved their identity, to the second: `auth_time`. A refresh keeps it.
    pub authenticated_at: Option<Timestamp>,
    /// The app client that the token was issued to.
    pub client_id: Option<String>,
    /// The session that the token is of.
    pub session: Option<SessionId>,
}

impl Caller {
    /// Reads the claims of a checked token, each by its name, as text. `None` if they are not the
    /// claims of an access token: an ID token is refused (ASVS 5.0 9.2.2).
    pub fn of_claims(claim: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if claim("token_use")? != "access" {
            return None;
        }
        let exact = claim(claims::ISSUED_AT_MILLIS)
            .and_then(|millis| millis.parse().ok())
            .map(Timestamp::from_millis);
        let issued_at =
            exact.or_else(|| claim("iat")?.parse().ok().map(Timestamp::from_seconds))?;
        let authenticated_at = claim("auth_time")
            .and_then(|seconds| seconds.parse().ok())
            .map(Timestamp::from_seconds);
        let latest = authenticated_at.map(|second| match exact {
            Some(_) => second.after(REST_OF_A_SECOND),
            None => second,
        });
        Some(Self {
            sub: UserSub::parse(&claim("sub")?).ok()?,
            signed_in_at: latest.map_or(issued_at, |latest| latest.min(issued_at)),
            authenticated_at,
            client_id: claim("client_id"),
            session: claim("origin_jti")
                .map(|id| SessionId::parse(&id))
                .transpose()
                .ok()?,
        })
    }

    /// Whether the token was issued to this app client. A token that names no client counts so.
    #[must_use]
    pub fn is_of_client(&self, client_id: &str) -> bool {
        self.client_id.as_deref().is_none_or(|own| own == client_id)
    }

    /// Whether the guest has signed out everywhere since the token's session began (ASVS 5.0
    /// 7.4.1). A refresh does not revive the session, even if Cognito still accepts it. A sign-out
    /// at the same instant counts as later. A change of factor ends every session except its own.
    #[must_use]
    pub fn is_signed_out_of(&self, guest: &Guest) -> bool {
        guest.has_signed_out_since(self.signed_in_at, self.session.as_ref())
    }
}
