//! `registerUser`, POST /auth/register: takes an address and a password, and mails the code that confirms them.
//!
//! Two systems are written: Cognito gets the user, then DynamoDB the guest, who takes the address in one transaction, and only then
//! Cognito the password. So a password that nobody has proved the right to never stands in Cognito without the guest's
//! record beside it saying so, and until the address is proved it opens nothing. A known address is told by 409; what that gives away is
//! paid for by the count of registrations for each IP address.
//!
//! If a call fails: whatever came after the user was made is rolled back, the user first and the guest last. If the roll-back fails
//! too, a metric says so, and what stays is harmless: a user without a password and without a guest, whom the next registration
//! or sign-in by code takes up; or a guest whose address is not proved, whom the next sign-in by code confirms, or the next
//! registration if the user has gone. A password that stayed in Cognito opens nothing, and that sign-in replaces it.

mod register_user;

use std::time::Duration;

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, Limits, Passwords, Platform, Secrets, SignIns,
};
use auth_domain::{
    Clock, Email, Guest, GuestName, Limit, NewPassword, Problem, ProofOfWork, Randomness,
    SignInRules,
};
use auth_flows::CodeMails;
use auth_lambda::{Access, Delivery, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        RegisterUser::new(platform)?,
        platform.deployment()?,
    ))
}

/// What the operation works with.
struct RegisterUser {
    guests: Guests,
    limits: Limits,
    mails: CodeMails,
    codes: EmailCodes,
    passwords: Passwords,
    sign_ins: SignIns,
    secrets: Secrets,
    clock: Clock,
    randomness: Randomness,
    settings: Settings,
}

/// The numbers that the operation goes by.
struct Settings {
    rules: SignInRules,
    per_ip: Limit,
    device_lifetime: Duration,
}

impl RegisterUser {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let secrets = Secrets::new(platform)?;
        let environment = platform.environment();
        let window = ("REGISTRATION_WINDOW_SECONDS", 900);
        let per_ip = environment.limit("registration-ip", ("REGISTRATIONS_PER_IP", 30), window)?;
        let per_email = Limit {
            name: "registration-email",
            ..environment.code_mails()?.strangers_per_hour
        };
        Ok(Self {
            guests: Guests::new(platform)?,
            limits: Limits::new(platform)?,
            mails: CodeMails::new(platform, per_email)?,
            codes: EmailCodes::new(platform, &secrets)?,
            passwords: Passwords::new(platform, &secrets)?,
            sign_ins: SignIns::new(platform)?,
            secrets,
            clock: platform.clock(),
            randomness: platform.randomness(),
            settings: Settings {
                rules: environment.sign_in_rules()?,
                per_ip,
                device_lifetime: environment.device_cookie_lifetime()?,
            },
        })
    }
}

/// Who wants an account.
struct Input {
    email: Email,
    password: NewPassword,
    name: Option<GuestName>,
    proof_of_work: Option<ProofOfWork>,
}

/// The guest, and where the code went.
#[derive(Serialize)]
struct Registered {
    user: Guest,
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
