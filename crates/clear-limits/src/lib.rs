//! `clearLimits`, POST /admin/clear-limits: clears the counts of an address's limits.
//!
//! It clears the limits that all strangers share, and the second factors of the address's guest.
//! Known devices and networks have limits of their own, which stay.
//!
//! With `mailWorks` it also removes the mark that a bounce or a complaint has left on the address.
//! SES's own list decides what is mailed, and stays: see `shared/guides/operators.md`.
//!
//! If a call fails: some limits are clear and the others are not. The same request clears the rest,
//! and the audit table has each try.

mod clear_limits;

use auth_aws::{AddressLimits, ConfigurationError, Guests, Platform, Secrets};
use auth_domain::{ActReason, Clock, Email, Problem};
use auth_flows::{Activities, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ClearLimits {
        acts: OperatorActs::new(platform)?,
        activities: Activities::new(platform)?,
        guests: Guests::new(platform)?,
        limits: AddressLimits::new(platform)?,
        secrets: Secrets::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct ClearLimits {
    acts: OperatorActs,
    activities: Activities,
    guests: Guests,
    limits: AddressLimits,
    secrets: Secrets,
    clock: Clock,
}

/// The address and the reason.
struct Input {
    email: Email,
    /// Whether mails reach the address again.
    mail_works: bool,
    reason: Option<ActReason>,
}

impl Operation for ClearLimits {
    const NAME: &'static str = "clear-limits";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email = fields.required("email");
        let mail_works = fields.flag("mailWorks");
        let reason = fields.optional("reason");
        let input = || {
            Some(Input {
                email: email?,
                mail_works,
                reason,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.clear(input, exchange).await
    }
}
