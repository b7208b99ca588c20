//! The records of sessions, as sign-ins begin them.

use auth_aws::{ConfigurationError, IssuedSession, Platform, Secrets, UserSessions};
use auth_domain::{Clock, Problem, SessionEnd, SessionOrigin, SignInMethod, Tokens};
use auth_lambda::Exchange;
use tokio::try_join;

/// Records sessions.
#[derive(Clone)]
pub struct SessionRecords {
    sessions: UserSessions,
    secrets: Secrets,
    clock: Clock,
}

impl SessionRecords {
    /// Records in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            sessions: UserSessions::new(platform)?,
            secrets: Secrets::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Records the session that a sign-in has begun, and marks its refresh token as the session's
    /// first. Only tokens whose session has a record leave.
    pub async fn begin(
        &self,
        tokens: Tokens,
        method: SignInMethod,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let session = IssuedSession::of(&tokens.access_token)?;
        let origin = SessionOrigin {
            method: if exchange.is_from_agent() {
                SignInMethod::Agent
            } else {
                method
            },
            device: exchange.client_name(),
            country: exchange.country(),
        };
        let (family, secrets) = try_join!(
            self.sessions.begin(&session, &origin, self.clock.now()),
            self.secrets.get()
        )?;
        let refresh_token = tokens.refresh_token.as_ref();
        Ok(Tokens {
            refresh_token: refresh_token.map(|token| family.mark(token, secrets.keys())),
            ..tokens
        })
    }

    /// Ends the record of a session whose tokens do not leave after all. Where that fails, it stays
    /// on the guest's list until its time is over, and nobody has its tokens.
    pub async fn take_back(&self, tokens: &Tokens) {
        let ending = async {
            let session = IssuedSession::of(&tokens.access_token)?;
            let (by, now) = (SessionEnd::FailedSignIn, self.clock.now());
            self.sessions.end(&session.key, by, now).await
        };
        if ending.await.is_err() {
            tracing::warn!("the record of a session that failed to begin could not be ended");
        }
    }
}
