//! `verifyMfaSetup`, POST /auth/mfa/setup/verify: the first right code puts the new authenticator
//! in force, and returns its backup codes.
//!
//! From then on every sign-in of the guest, by password or by mailed code, asks for it. The
//! previous authenticator is void, and so are its backup codes. Every other session ends: a session
//! without the authenticator must not outlive its set-up. This session's access token works until
//! it expires; its refresh token does not.
//!
//! A sign-in that waits for the set-up sends its `sessionToken` in place of an access token, and is
//! finished by it: the answer has its tokens, too. It is refused if the guest has a second factor
//! by now, or has signed out everywhere since: the last write decides that as well.
//!
//! The set-up of a caller stops an operator's reset that waits: a live session alone may do that,
//! and this one has also shown a fresh proof. A sign-in that waits has proved one factor, and stops
//! none.
//!
//! A set-up is confirmed once: if several requests bring its code at the same moment, one of them
//! gets backup codes. The first code is used up, as any code is.
//!
//! If a call fails: before the last write nothing has changed, except that other sessions may be
//! signed out, and the same code can be retried. If the last answer is lost, the authenticator is
//! in force and its backup codes were never seen: the guest signs in with the authenticator and
//! sets up another to get new ones. If a waiting sign-in cannot be finished after the last write,
//! the backup codes come without tokens. A failed notice is logged and counted, and does not fail
//! the request.

mod verify_mfa_setup;

use auth_aws::{Authenticators, Callers, ConfigurationError, Platform, Users};
use auth_domain::{BACKUP_CODES, BackupCode, OtpCode, Problem, SessionToken};
use auth_flows::{Activities, Entrance, Notices, SecondFactorAttempts, SetUpSignIns};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, SignedIn};
use serde::{Serialize, Serializer};

/// The function with its dependencies.
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

/// The operation's dependencies.
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

/// The backup codes, shown only now, and the tokens of a waiting sign-in.
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
