//! `verifyMfaSetup`, POST /auth/mfa/setup/verify: the first right code puts the new authenticator
//! in force, and brings its backup codes.
//!
//! From then on every sign-in of the guest, by password or by mailed code, asks for it. The one
//! before is void, and so are its backup codes. Every other session ends: what was opened without
//! the authenticator does not outlive it. This session's access token goes on until it ends by
//! itself; its refresh token, like all others, does not.
//!
//! A sign-in that waits for the set-up brings its `sessionToken` in place of an access token, and
//! is finished by it: the answer has its tokens, too. It may not go on where the guest has a second
//! factor by now, or has signed out everywhere since: the last write decides that as well.
//!
//! A set-up is confirmed once: of any number of requests that bring its code at the same moment,
//! one gets backup codes. The first code is used up by it, as any code is.
//!
//! If a call fails: before the last write nothing has changed, but that other sessions may be
//! signed out already, and the same code may be sent again. If the last answer is lost, the
//! authenticator is in force and its backup codes were never seen: signing in with the
//! authenticator and setting one up anew brings others. Where a sign-in waits and cannot be
//! finished after the last write, the backup codes come without tokens. A notice that cannot be
//! mailed is logged and counted, and fails nothing.

mod verify_mfa_setup;

use auth_aws::{Authenticators, Callers, ConfigurationError, Platform, Users};
use auth_domain::{BACKUP_CODES, BackupCode, OtpCode, Problem, SessionToken};
use auth_flows::{Activities, Entrance, Notices, SecondFactorAttempts, SetUpSignIns};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, SignedIn};
use serde::{Serialize, Serializer};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyMfaSetup {
        entrance: Entrance::new(platform)?,
        waiting: SetUpSignIns::new(platform, VerifyMfaSetup::NAME, "set-up-network")?,
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
    entrance: Entrance,
    waiting: SetUpSignIns,
    callers: Callers,
    factors: SecondFactorAttempts,
    authenticators: Authenticators,
    users: Users,
    activities: Activities,
    notices: Notices,
}

/// The first code, and the sign-in that waits for it, if one does.
struct Input {
    session_token: Option<SessionToken>,
    code: OtpCode,
}

/// The backup codes, shown this once; and the tokens of a sign-in that waited.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Confirmed {
    #[serde(serialize_with = "groups")]
    backup_codes: [BackupCode; BACKUP_CODES],
    #[serde(flatten)]
    signed_in: Option<SignedIn>,
}

fn groups<S: Serializer>(codes: &[BackupCode], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(codes.iter().map(BackupCode::to_groups))
}

impl Operation for VerifyMfaSetup {
    const NAME: &'static str = "verify-mfa-setup";
    const ACCESS: Access = Access::CallerOrProof;

    type Input = Input;
    type Output = Confirmed;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_token = fields.optional("sessionToken");
        let code = fields.required("code");
        fields.finish_with(code.map(|code| Input {
            session_token,
            code,
        }))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Confirmed, Problem> {
        match &input.session_token {
            Some(session_token) => self.finish(session_token, &input.code, exchange).await,
            None => self.confirm(&input.code, exchange).await,
        }
    }
}
