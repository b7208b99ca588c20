//! `guestActivity`, GET /admin/guests/{guestId}/activity: what happened to a guest's account, as
//! the guest sees it too.
//!
//! If a call fails: nothing has changed but the audit table, which has each try.

mod guest_activity;

use auth_aws::{ActivityLog, ConfigurationError, Platform};
use auth_domain::{Activity, ActivityId, Clock, GuestId, Problem};
use auth_flows::OperatorActs;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

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
    guest_id: GuestId,
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

impl Operation for GuestActivity {
    const NAME: &'static str = "guest-activity";
    const ACCESS: Access = Access::Operator;

    type Input = Input;
    type Output = Output;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let guest_id = fields.required("guestId");
        let before = fields.optional("before");
        let limit = fields.whole_number("limit", Activity::PAGE);
        let input = || {
            Some(Input {
                guest_id: guest_id?,
                before,
                limit: limit.unwrap_or(Activity::USUAL_PAGE),
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Output, Problem> {
        self.list(input, exchange).await
    }
}
