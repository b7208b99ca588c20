//! `guestActivity`, GET /admin/guests/{guestId}/activity: the events of a guest's account, in the
//! guest's own view.
//!
//! If a call fails: nothing has changed except the audit table, which has each try.

mod guest_activity;

use auth_aws::{ActivityLog, ActivityPage, ConfigurationError, Platform};
use auth_domain::{ActOnGuest, ActivityWish, Clock, Problem};
use auth_flows::OperatorActs;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = GuestActivity {
        acts: OperatorActs::new(platform)?,
        log: ActivityLog::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct GuestActivity {
    acts: OperatorActs,
    log: ActivityLog,
    clock: Clock,
}

/// The guest, and the page of events.
struct Input {
    act: ActOnGuest,
    wish: ActivityWish,
}

impl Operation for GuestActivity {
    const NAME: &'static str = "guest-activity";
    const ACCESS: Access = Access::Operator;

    type Input = Input;
    type Output = ActivityPage;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (act, wish) = (fields.act_on_guest(), fields.activity_wish());
        let input = || Some(Input { act: act?, wish });
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<ActivityPage, Problem> {
        self.list(input, exchange).await
    }
}
