//! `initiateOtp`, POST /auth/otp/initiate: mails a code to an address and returns the handle for
//! proving it.
//!
//! The answer is the same for every address: known, new, or one to which Cognito sends no code. So
//! is its time: never before a floor that exceeds the time of a new address (ASVS 5.0 6.3.8).
//!
//! An interrupted deletion of the address's guest is finished first, and so is an interrupted
//! change to or from this address.
//!
//! A user made for a new address gets a note that the address is unproved: `sweep-unproved-users`
//! removes it after a day.
//!
//! If a call fails: before Cognito is asked, only counters have moved. If a user was made for a new
//! address and got no mail, the next try finds the user. If the sign-in cannot be stored after the
//! mail was sent, that mail's code proves nothing, and the next try mails another.

mod initiate_otp;

use auth_aws::{ConfigurationError, EarlierPasswords, EmailCodes, Guests, Platform, SignIns};
use auth_domain::{Email, Problem, ProofOfWork, Randomness, SignInRules, Timestamp};
use auth_flows::{
    AddressChanges, CodeMails, Deletions, NetworkAttempts, NetworkStarts, NewUsers, Requesters,
};
use auth_lambda::{
    Access, AgentTool, CodeSent, Exchange, Fields, Function, Operation, ResponseFloor,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let window = "OTP_START_WINDOW_SECONDS";
    let per_email = environment.start_mails()?;
    let per_ip = environment.limit("otp-start-ip", "OTP_STARTS_PER_IP", window)?;
    let operation = InitiateOtp {
        requesters: Requesters::new(platform, InitiateOtp::NAME)?,
        starts: NetworkStarts::new(platform, per_ip)?,
        agents: NetworkAttempts::of_tool(platform, "otp-start-agent")?,
        mails: CodeMails::new(platform, per_email)?,
        guests: Guests::new(platform)?,
        deletions: Deletions::new(platform)?,
        changes: AddressChanges::new(platform)?,
        codes: EmailCodes::new(platform)?,
        earlier_passwords: EarlierPasswords::new(platform)?,
        new_users: NewUsers::new(platform)?,
        sign_ins: SignIns::new(platform)?,
        randomness: platform.randomness(),
        rules: environment.sign_in_rules()?,
        floor: ResponseFloor::new(environment.response_floor()?),
    };
    Ok(Function::agent_tool(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct InitiateOtp {
    requesters: Requesters,
    starts: NetworkStarts,
    agents: NetworkAttempts,
    mails: CodeMails,
    guests: Guests,
    deletions: Deletions,
    changes: AddressChanges,
    codes: EmailCodes,
    earlier_passwords: EarlierPasswords,
    new_users: NewUsers,
    sign_ins: SignIns,
    randomness: Randomness,
    rules: SignInRules,
    floor: ResponseFloor,
}

/// The address for the code.
struct Input {
    email: Email,
    proof_of_work: Option<ProofOfWork>,
}

/// The message to the person, and the time of the mail, which an agent's tool returns too.
#[derive(Serialize)]
struct Started {
    #[serde(flatten)]
    code_sent: CodeSent,
    #[serde(skip)]
    sent_at: Timestamp,
}

impl Operation for InitiateOtp {
    const NAME: &'static str = "initiate-otp";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = Started;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email = fields.required("email");
        let proof_of_work = fields.optional("proofOfWork");
        fields.finish_with(email.map(|email| Input {
            email,
            proof_of_work,
        }))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Started, Problem> {
        self.floor.hold(self.initiate(&input, exchange)).await
    }
}

impl AgentTool for InitiateOtp {
    const TOOL: &'static str = "initiate_cognito_login";
    const ARGUMENTS: &'static [(&'static str, &'static str)] = &[("email", "email")];

    fn result(started: Started) -> Map<String, Value> {
        let result = json!({
            "session_token": started.code_sent.session_token.as_str(),
            "otp_sent_at": started.sent_at,
            "expires_in": started.code_sent.expires_in,
            "message": started.code_sent.message,
        });
        result.as_object().cloned().unwrap_or_default()
    }
}
