//! `listSessions`, GET /me/sessions: the guest's sessions, the one that asks marked.
//!
//! Guest and session of the caller are read together, and the list beside that. If a read fails,
//! nothing has changed.

mod list_sessions;

use auth_aws::{Callers, ConfigurationError, Platform, UserSessions};
use auth_domain::{Clock, Problem, UserSession};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ListSessions {
        callers: Callers::new(platform)?,
        sessions: UserSessions::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// What the operation works with.
struct ListSessions {
    callers: Callers,
    sessions: UserSessions,
    clock: Clock,
}

/// The sessions, the last used first.
#[derive(Serialize)]
struct Output {
    sessions: Vec<Listed>,
}

/// A session of the list.
struct Listed {
    session: UserSession,
    current: bool,
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let UserSession {
            id,
            created_at,
            last_used_at,
            origin,
            ..
        } = &self.session;
        let mut listed = serializer.serialize_struct("Session", 7)?;
        listed.serialize_field("sessionId", id)?;
        listed.serialize_field("createdAt", created_at)?;
        listed.serialize_field("lastUsedAt", last_used_at)?;
        listed.serialize_field("method", &origin.method)?;
        listed.serialize_field("device", &origin.device)?;
        match &origin.country {
            Some(country) => listed.serialize_field("country", country)?,
            None => listed.skip_field("country")?,
        }
        listed.serialize_field("current", &self.current)?;
        listed.end()
    }
}

impl Operation for ListSessions {
    const NAME: &'static str = "list-sessions";
    const ACCESS: Access = Access::Caller;

    type Input = ();
    type Output = Output;

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<Output, Problem> {
        let sessions = self.list(exchange.caller()?).await?;
        Ok(Output { sessions })
    }
}
