//! `guestActivity`, GET /admin/guests/{guestId}/activity: what happened to a guest's account, as
//! the guest sees it too.
//!
//! If a call fails: nothing has changed but the audit table, which has each try.

mod guest_activity;

use auth_aws::{ActivityLog, ActivityPage, ConfigurationError, Platform};
use auth_domain::{ActOnGuest, ActivityWish, Clock, Problem};
use auth_flows::OperatorActs;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = GuestActivity {
        acts: OperatorActs::new(platform)?,
        log: ActivityLog::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// What the operation works with.
struct GuestActivity {
    acts: OperatorActs,
    log: ActivityLog,
    clock: Clock,
}

/// Whose events, and which.
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
