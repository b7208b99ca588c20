//! `listActivity`, GET /me/activity: the events of the guest's account, the newest first, in pages.
//!
//! A page begins before the last event of the previous page, so new events move nothing. Guest and
//! session of the caller are read together, and the page at the same time. If a read fails, nothing
//! has changed.

mod list_activity;

use auth_aws::{ActivityLog, ActivityPage, Callers, ConfigurationError, Platform};
use auth_domain::{ActivityWish, Clock, Problem};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ListActivity {
        callers: Callers::new(platform)?,
        log: ActivityLog::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct ListActivity {
    callers: Callers,
    log: ActivityLog,
    clock: Clock,
}

impl Operation for ListActivity {
    const NAME: &'static str = "list-activity";
    const ACCESS: Access = Access::Caller;

    type Input = ActivityWish;
    type Output = ActivityPage;

    fn parse(&self, fields: &mut Fields) -> Result<ActivityWish, Problem> {
        let wish = fields.activity_wish();
        fields.finish_with(Some(wish))
    }

    async fn run(&self, wish: ActivityWish, exchange: &Exchange) -> Result<ActivityPage, Problem> {
        self.list(&wish, exchange.caller()?).await
    }
}
