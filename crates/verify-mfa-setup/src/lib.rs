//! `verifyMfaSetup`, POST /auth/mfa/setup/verify: the first right code puts the new authenticator
//! in force, and brings its backup codes.
//!
//! From then on every sign-in of the guest, by password or by mailed code, asks for it. The one
//! before is void, and so are its backup codes. Every other session ends: what was opened without
//! the authenticator does not outlive it. This session's access token goes on until it ends by
//! itself; its refresh token, like all others, does not.
//!
//! A set-up is confirmed once: of any number of requests that bring its code at the same moment,
//! one gets backup codes. The first code is used up by it, as any code is.
//!
//! If a call fails: before the last write nothing has changed, but that other sessions may be
//! signed out already, and the same code may be sent again. If the last answer is lost, the
//! authenticator is in force and its backup codes were never seen: signing in with the
//! authenticator and setting one up anew brings others. A notice that cannot be mailed is logged
//! and counted, and fails nothing.

mod verify_mfa_setup;

use auth_aws::{Authenticators, Callers, ConfigurationError, Platform, Users};
use auth_domain::{BACKUP_CODES, BackupCode, OtpCode, Problem};
use auth_flows::{Activities, Notices, SecondFactorAttempts};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::{Serialize, Serializer};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyMfaSetup {
        callers: Callers::new(platform)?,
        factors: SecondFactorAttempts::new(platform)?,
        authenticators: Authenticators::new(platform)?,
        users: Users::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation with its capabilities.
struct VerifyMfaSetup {
    callers: Callers,
    factors: SecondFactorAttempts,
    authenticators: Authenticators,
    users: Users,
    activities: Activities,
    notices: Notices,
}

/// The backup codes, shown this once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Confirmed {
    #[serde(serialize_with = "groups")]
    backup_codes: [BackupCode; BACKUP_CODES],
}

fn groups<S: Serializer>(codes: &[BackupCode], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(codes.iter().map(BackupCode::to_groups))
}

impl Operation for VerifyMfaSetup {
    const NAME: &'static str = "verify-mfa-setup";
    const ACCESS: Access = Access::Caller;

    type Input = OtpCode;
    type Output = Confirmed;

    fn parse(&self, fields: &mut Fields) -> Result<OtpCode, Problem> {
        let code = fields.required("code");
        fields.finish_with(code)
    }

    async fn run(&self, code: OtpCode, exchange: &Exchange) -> Result<Confirmed, Problem> {
        self.confirm(&code, exchange).await
    }
}
