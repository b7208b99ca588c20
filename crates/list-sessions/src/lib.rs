//! `listSessions`, GET /me/sessions: the guest's sessions. The caller's own is marked.
//!
//! Guest and session of the caller are read together, and the list at the same time. A session of
//! the public app client that has no record yet is recorded, and listed.
//!
//! If a read fails, nothing has changed. If the record cannot be made, the list lacks the session,
//! and the next call makes it.

mod list_sessions;

use auth_aws::{ConfigurationError, Platform, UserSessions};
use auth_domain::{Clock, Problem, UserSession};
use auth_flows::RecordedCallers;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ListSessions {
        callers: RecordedCallers::new(platform)?,
        sessions: UserSessions::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct ListSessions {
    callers: RecordedCallers,
    sessions: UserSessions,
    clock: Clock,
}

/// The sessions, the last used first.
#[derive(Serialize)]
struct Output {
    sessions: Vec<Listed>,
}

/// A session of the list.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    session: UserSession,
    current: bool,
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
        let sessions = self.list(exchange).await?;
        Ok(Output { sessions })
    }
}
