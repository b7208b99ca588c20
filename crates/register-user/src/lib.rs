//! `registerUser`, POST /auth/register: takes an address and a password, and mails the code that
//! confirms them.
//!
//! Cognito gets a user without a password. Everything else is only in the record of this
//! registration, under the hash of its session token: name, number and password, the password
//! sealed by a key of the token's and by KMS. The guests table is not written. So any number of
//! people can register an address, and the first right code with its token gets it. The address of
//! a confirmed guest is refused with 409. The count of registrations for each network limits how
//! many addresses a sender can probe.
//!
//! The answer does not reveal a guest who waits at the address, after a booking for instance: that
//! guest keeps the number, and the answer's number is not used.
//!
//! If a call fails: the user is removed if this registration made it, and no proof and no other
//! start came since; one conditional write decides. If that fails too, a metric reports it, and a
//! user without a password remains. The next registration or sign-in by code uses that user, or
//! `sweep-unproved-users` removes it. A code that was mailed before proves nothing.

mod register_user;

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, PendingPasswords, Platform, SignIns, Users,
};
use auth_domain::{
    Email, Guest, GuestName, Limit, NewPassword, Problem, ProofOfWork, Randomness, SessionToken,
    SignInRules,
};
use auth_flows::{CodeMails, NetworkStarts, NewUsers, Requesters};
use auth_lambda::{Access, Delivery, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let window = "REGISTRATION_WINDOW_SECONDS";
    let per_ip = environment.limit("registration-ip", "REGISTRATIONS_PER_IP", window)?;
    let per_email = Limit {
        name: "registration-email",
        ..environment.code_mails()?.strangers_per_hour
    };
    let operation = RegisterUser {
        requesters: Requesters::new(platform, RegisterUser::NAME)?,
        starts: NetworkStarts::new(platform, per_ip)?,
        mails: CodeMails::new(platform, per_email)?,
        guests: Guests::new(platform)?,
        codes: EmailCodes::new(platform)?,
        pending_passwords: PendingPasswords::new(platform)?,
        users: Users::new(platform)?,
        new_users: NewUsers::new(platform)?,
        sign_ins: SignIns::new(platform)?,
        randomness: platform.randomness(),
        rules: environment.sign_in_rules()?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct RegisterUser {
    requesters: Requesters,
    starts: NetworkStarts,
    mails: CodeMails,
    guests: Guests,
    codes: EmailCodes,
    pending_passwords: PendingPasswords,
    users: Users,
    new_users: NewUsers,
    sign_ins: SignIns,
    randomness: Randomness,
    rules: SignInRules,
}

/// The person who registers.
struct Input {
    email: Email,
    password: NewPassword,
    name: Option<GuestName>,
    proof_of_work: Option<ProofOfWork>,
}

/// The future guest's number, the destination of the code, and the handle for confirming it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    user: Guest,
    #[serde(serialize_with = "auth_lambda::session_token")]
    session_token: SessionToken,
    expires_in: u64,
    delivery: Delivery,
}

impl Operation for RegisterUser {
    const NAME: &'static str = "register-user";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 201;

    type Input = Input;
    type Output = Registered;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email: Option<Email> = fields.required("email");
        let password = fields.new_password("password", email.as_ref());
        let name = fields.optional("name");
        let proof_of_work = fields.optional("proofOfWork");
        let input = || {
            Some(Input {
                email: email?,
                password: password?,
                name,
                proof_of_work,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Registered, Problem> {
        self.register(&input, exchange).await
    }
}
