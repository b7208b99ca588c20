//! `listActivity`, GET /me/activity: what happened to the guest's account, the newest first, in
//! pages.
//!
//! A page begins before the last event of the one before, so events that happen meanwhile move
//! nothing. Guest and session of the caller are read together, and the page beside that. If a read
//! fails, nothing has changed.

mod list_activity;

use auth_aws::{ActivityLog, Callers, ConfigurationError, Platform};
use auth_domain::{Activity, ActivityId, Clock, Problem};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ListActivity {
        callers: Callers::new(platform)?,
        log: ActivityLog::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// What the operation works with.
struct ListActivity {
    callers: Callers,
    log: ActivityLog,
    clock: Clock,
}

/// Which events.
struct Input {
    before: Option<ActivityId>,
    limit: u32,
}

/// The events, the newest first, and where the next ones begin.
#[derive(Serialize)]
struct Output {
    events: Vec<Activity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ActivityId>,
}

impl Operation for ListActivity {
    const NAME: &'static str = "list-activity";
    const ACCESS: Access = Access::Caller;

    type Input = Input;
    type Output = Output;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let before = fields.optional("before");
        let limit = fields.whole_number("limit", Activity::PAGE);
        fields.finish()?;
        Ok(Input {
            before,
            limit: limit.unwrap_or(Activity::USUAL_PAGE),
        })
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Output, Problem> {
        self.list(&input, exchange.caller()?).await
    }
}
