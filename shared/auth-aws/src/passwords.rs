//! Passwords: proved, set and recovered at Cognito, which alone stores them.

use std::collections::HashMap;

use auth_domain::{
    ChallengeAnswer, CognitoChallenge, CognitoSession, CognitoUsername, Email, FollowUp,
    NewPassword, OtpCode, Problem, Randomness, Report, RequestContext, Spelling, Tokens, UserSub,
};
use aws_sdk_cognitoidentityprovider::{
    operation::{
        admin_initiate_auth::AdminInitiateAuthOutput,
        admin_respond_to_auth_challenge::AdminRespondToAuthChallengeOutput,
    },
    types::{AuthenticationResultType, ChallengeNameType},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    ConfigurationError, Platform, Secrets, TokenService,
    boxed::Boxed as _,
    email_codes::UNDELIVERABLE,
    failure::{Failure, Undecided, failure},
    user_pool::{CognitoSignIn, TokenPurpose, UserPool},
};

/// The errors by which Cognito refuses this user a sign-in by this password. A person sees no
/// difference.
const NOT_THIS_WAY: [&str; 5] = [
    "NotAuthorizedException",
    "PasswordResetRequiredException",
    "UserNotConfirmedException",
    "UserNotFoundException",
    "UserLambdaValidationException",
];

/// The errors by which Cognito refuses a user a code for a new password. The person does not see
/// them.
const NO_RECOVERY: [&str; 5] = [
    "NotAuthorizedException",
    "InvalidParameterException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "UserLambdaValidationException",
];

/// The errors for a code for a new password: wrong, old, too many attempts, or no such user. Which
/// one occurs depends on whether the user exists.
const NOT_THIS_CODE: [&str; 7] = [
    "CodeMismatchException",
    "ExpiredCodeException",
    "LimitExceededException",
    "NotAuthorizedException",
    "TooManyFailedAttemptsException",
    "UserNotConfirmedException",
    "UserNotFoundException",
];

/// Cognito's password operations.
#[derive(Clone)]
pub struct Passwords {
    pool: UserPool,
    secrets: Secrets,
    token_service: TokenService,
    randomness: Randomness,
}

/// The outcome of a password.
#[derive(Debug)]
pub enum PasswordProof {
    /// It was right.
    Right(CognitoSignIn),
    /// It was right, and Cognito asks for more before it issues tokens.
    Challenged(FollowUp),
    /// The password was wrong, or grants no sign-in.
    Wrong,
    /// Cognito has locked the user after wrong passwords and did not evaluate this one. Only
    /// existing users are ever locked, so a stranger must get the same answer as for `Wrong`.
    Locked,
}

/// The user's name among a challenge's parameters.
const USER_ID: &str = "USER_ID_FOR_SRP";

/// Challenges that only a first factor answers, and the choice of one.
const FIRST_FACTORS: [ChallengeNameType; 5] = [
    ChallengeNameType::Password,
    ChallengeNameType::PasswordSrp,
    ChallengeNameType::SelectChallenge,
    ChallengeNameType::SmsOtp,
    ChallengeNameType::WebAuthn,
];

/// The outcome of an answer to a challenge.
#[derive(Debug)]
pub enum ChallengeOutcome {
    /// It was right.
    Right(CognitoSignIn),
    /// It was right, and Cognito asks for something else now.
    Challenged(FollowUp),
    /// The code was wrong; the challenge continues.
    Wrong,
    /// The challenge is over or was answered: a new sign-in is needed.
    Over,
}

/// The outcome of a code for a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It was right, and the password is set.
    Done,
    /// It was wrong or old, or no user could get one by mail.
    Wrong,
}

impl Passwords {
    /// Passwords of the pool and client that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            pool: UserPool::new(platform)?,
            secrets: Secrets::new(platform)?,
            token_service: TokenService::new(platform)?,
            randomness: platform.randomness(),
        })
    }

    /// The same for a person's request from that origin.
    #[must_use]
    pub fn for_request(&self, context: Option<RequestContext>) -> Self {
        Self {
            pool: self.pool.for_request(context),
            ..self.clone()
        }
    }

    /// Asks Cognito whether a password is right. A right one begins a session.
    pub async fn sign_in(
        &self,
        email: &Email,
        password: Spelling<'_>,
    ) -> Result<PasswordProof, Undecided> {
        self.sign_in_as(email.as_str(), password).await
    }

    async fn sign_in_as(
        &self,
        username: &str,
        password: Spelling<'_>,
    ) -> Result<PasswordProof, Undecided> {
        let initiated = self
            .secrets
            .confidentially("prove the password", |secrets| {
                self.pool
                    .sign_in(username, "PASSWORD", secrets)
                    .auth_parameters("PASSWORD", password.as_str())
                    .send()
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        let mut answered = initiated.map(Step::from);
        // Cognito may ignore the password in the first request: then it offers a choice, asks for
        // it, or both in turn.
        for asking in [
            ChallengeNameType::SelectChallenge,
            ChallengeNameType::Password,
        ] {
            answered = match answered {
                Ok(Step::Next(next)) if next.asks_for_password_by(&asking) => {
                    let purpose = TokenPurpose::Session;
                    self.give_password(username, password, asking, &next, purpose)
                        .await?
                }
                other => other,
            };
        }
        let seen = |report| Undecided::after_evaluation(Problem::Internal(report));
        match answered {
            Ok(Step::Done(result)) => Ok(PasswordProof::Right(
                CognitoSignIn::read(result).map_err(seen)?,
            )),
            Ok(Step::Next(next)) => self.proof(username, next).await,
            Err(failure) => match failure.code() {
                Some("NotAuthorizedException")
                    if failure.message().starts_with("Password attempts exceeded") =>
                {
                    tracing::warn!("Cognito has locked this user after wrong passwords");
                    Ok(PasswordProof::Locked)
                }
                Some(code) if NOT_THIS_WAY.contains(&code) => {
                    tracing::info!(code, "Cognito refuses this user's password");
                    Ok(PasswordProof::Wrong)
                }
                Some(_) | None => Err(failure.into()),
            },
        }
    }

    /// The password as the answer to a challenge that asks for it.
    async fn give_password(
        &self,
        username: &str,
        password: Spelling<'_>,
        asking: ChallengeNameType,
        next: &Next,
        purpose: TokenPurpose,
    ) -> Result<Result<Step, Failure>, Undecided> {
        let given = self
            .secrets
            .confidentially("give the password", |secrets| {
                let answer = self
                    .pool
                    .answer(asking.clone(), username, secrets)
                    .set_session(next.session.clone())
                    .challenge_responses("PASSWORD", password.as_str());
                let answer = purpose.say(answer);
                if asking == ChallengeNameType::SelectChallenge {
                    answer.challenge_responses("ANSWER", "PASSWORD").send()
                } else {
                    answer.send()
                }
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        Ok(given.map(Step::from))
    }

    /// Interprets a challenge after the password. Cognito may ask a user without a password, or an
    /// unknown one, for another first factor: then it has accepted no password.
    async fn proof(&self, username: &str, next: Next) -> Result<PasswordProof, Undecided> {
        if next.is_first_factor() {
            return Ok(PasswordProof::Wrong);
        }
        let username = next.username(username);
        self.challenge(next, username)
            .await
            .map(PasswordProof::Challenged)
            .map_err(Undecided::after_evaluation)
    }

    /// A challenge that takes an answer. If Cognito lets the user choose a second factor, this
    /// chooses one.
    async fn challenge(&self, next: Next, username: CognitoUsername) -> Result<FollowUp, Problem> {
        let next = if next.name == Some(ChallengeNameType::SelectMfaType) {
            self.choose_second_factor(next, &username).await?
        } else {
            next
        };
        let challenge = next
            .name
            .as_ref()
            .and_then(|name| CognitoChallenge::named(name.as_str()));
        match (challenge, next.session) {
            (Some(challenge), Some(session)) => Ok(FollowUp {
                challenge,
                session: CognitoSession::issued(session),
                username,
            }),
            (None, _) | (_, None) => Err(Problem::Internal(Report::of(
                "Cognito asks this user for something that Latchkey does not do",
            ))),
        }
    }

    async fn choose_second_factor(
        &self,
        next: Next,
        username: &CognitoUsername,
    ) -> Result<Next, Problem> {
        let choices = next
            .parameters
            .get("MFAS_CAN_CHOOSE")
            .map_or("", |text| text);
        let choice = if choices.contains("SOFTWARE_TOKEN_MFA") {
            "SOFTWARE_TOKEN_MFA"
        } else {
            "EMAIL_OTP"
        };
        let answer = self
            .secrets
            .confidentially("choose the second factor", |secrets| {
                self.pool
                    .answer(ChallengeNameType::SelectMfaType, username.as_str(), secrets)
                    .set_session(next.session.clone())
                    .challenge_responses("ANSWER", choice)
                    .send()
            })
            .await??;
        Ok(Next {
            name: answer.challenge_name,
            session: answer.session,
            parameters: answer.challenge_parameters.unwrap_or_default(),
            available: Vec::new(),
        })
    }

    /// Answers a challenge of Cognito's own.
    pub async fn answer_challenge(
        &self,
        follow_up: &FollowUp,
        answer: &ChallengeAnswer,
    ) -> Result<ChallengeOutcome, Undecided> {
        let response = match (follow_up.challenge, answer) {
            (CognitoChallenge::NewPasswordRequired, ChallengeAnswer::NewPassword(password)) => {
                ("NEW_PASSWORD", password.as_str())
            }
            (CognitoChallenge::SoftwareTokenMfa, ChallengeAnswer::Code(code)) => {
                ("SOFTWARE_TOKEN_MFA_CODE", code.as_str())
            }
            (CognitoChallenge::EmailOtp, ChallengeAnswer::Code(code)) => {
                ("EMAIL_OTP_CODE", code.as_str())
            }
            (CognitoChallenge::NewPasswordRequired, ChallengeAnswer::Code(_))
            | (
                CognitoChallenge::SoftwareTokenMfa | CognitoChallenge::EmailOtp,
                ChallengeAnswer::NewPassword(_),
            ) => return Ok(ChallengeOutcome::Wrong),
        };
        let username = follow_up.username.as_str();
        let answered = self
            .secrets
            .confidentially("answer the challenge", |secrets| {
                let challenge = ChallengeNameType::from(follow_up.challenge.as_str());
                self.pool
                    .answer(challenge, username, secrets)
                    .session(follow_up.session.as_str())
                    .challenge_responses(response.0, response.1)
                    .send()
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        let step = match answered {
            Ok(answer) => Step::from(answer),
            Err(failure) => return refused_answer(failure),
        };
        match step {
            Step::Done(result) => CognitoSignIn::read(result)
                .map(ChallengeOutcome::Right)
                .map_err(|report| Undecided::after_evaluation(Problem::Internal(report))),
            Step::Next(next) => {
                let username = next.username(username);
                self.challenge(next, username)
                    .await
                    .map(ChallengeOutcome::Challenged)
                    .map_err(Undecided::after_evaluation)
            }
        }
    }

    /// Whether the password of a signed-in user is right. The session that the proof begins is
    /// revoked. If Cognito accepts the password and asks for a second factor of its own, the
    /// password is right.
    pub async fn prove(&self, sub: &UserSub, password: Spelling<'_>) -> Result<bool, Undecided> {
        match self.sign_in_as(sub.as_str(), password).await? {
            PasswordProof::Right(CognitoSignIn { tokens, .. }) => {
                self.token_service.discard(&tokens).await;
                Ok(true)
            }
            PasswordProof::Challenged(_) => Ok(true),
            PasswordProof::Wrong | PasswordProof::Locked => Ok(false),
        }
    }

    /// The tokens for changing a signed-in user's passkeys, after a new proof of the password;
    /// `None` for a wrong one. The password answers a choice of challenges, because tokens issued
    /// by the first call of a sign-in cannot tell the trigger their purpose.
    pub async fn prove_for_passkeys(
        &self,
        sub: &UserSub,
        password: Spelling<'_>,
    ) -> Result<Option<Tokens>, Undecided> {
        let username = sub.as_str();
        let offered = self
            .secrets
            .confidentially("begin the proof of the password", |secrets| {
                self.pool.offer(username, secrets).send()
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        let asking = ChallengeNameType::SelectChallenge;
        let answered = match offered.map(Step::from) {
            Ok(Step::Next(next)) if next.asks_for_password_by(&asking) => {
                let purpose = TokenPurpose::Passkeys;
                self.give_password(username, password, asking, &next, purpose)
                    .await?
            }
            other => other,
        };
        let seen = |report| Undecided::after_evaluation(Problem::Internal(report));
        match answered {
            Ok(Step::Done(result)) => Ok(Some(CognitoSignIn::read(result).map_err(seen)?.tokens)),
            Ok(Step::Next(_)) => Ok(None),
            Err(failure) => match failure.code() {
                Some(code) if NOT_THIS_WAY.contains(&code) => {
                    tracing::info!(code, "Cognito does not take this password");
                    Ok(None)
                }
                Some(_) | None => Err(failure.into()),
            },
        }
    }

    /// Sets a user's password. It works at once, and confirms the user.
    pub async fn set(&self, sub: &UserSub, password: &NewPassword) -> Result<(), Problem> {
        self.set_text(sub, password.as_str()).await
    }

    /// Removes a user's password by setting an unknown one: Cognito has no other way.
    pub async fn take_away(&self, sub: &UserSub) -> Result<(), Problem> {
        // It has a character of each kind, for every possible rule of the pool.
        let text = format!(
            "Aa1!{}",
            URL_SAFE_NO_PAD.encode(self.randomness.bytes::<32>())
        );
        self.set_text(sub, &text).await
    }

    async fn set_text(&self, sub: &UserSub, text: &str) -> Result<(), Problem> {
        self.pool
            .client
            .admin_set_user_password()
            .user_pool_id(&self.pool.pool_id)
            .username(sub.as_str())
            .password(text)
            .permanent(true)
            .send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("set the password"))
            .map_err(|failure| refused_password(failure, "password"))
    }

    /// Asks Cognito to mail a code for a new password, and says whether it did. The answer must not
    /// reveal whether the user can get one. So a user who gets none, and a mail that fails or that
    /// no function words, are not errors: they are logged.
    pub async fn request_recovery(&self, email: &Email) -> Result<bool, Problem> {
        let asked = self
            .secrets
            .confidentially("ask for a code for a new password", |secrets| {
                self.pool
                    .client
                    .forgot_password()
                    .set_user_context_data(self.pool.user_context_data())
                    .client_id(&self.pool.client_id)
                    .username(email.as_str())
                    .secret_hash(self.pool.secret_hash(email.as_str(), secrets))
                    .send()
            })
            .await?;
        match asked {
            Ok(_) => Ok(true),
            Err(failure) => match failure.code() {
                Some(code) if NO_RECOVERY.contains(&code) => {
                    tracing::info!(code, "Cognito sends this user no code for a new password");
                    Ok(false)
                }
                Some("LimitExceededException") => {
                    tracing::warn!("Cognito's own limit of mails to this user is reached");
                    Ok(false)
                }
                Some(code) if UNDELIVERABLE.contains(&code) => {
                    tracing::error!(code, "a code for a new password could not be mailed");
                    Ok(false)
                }
                // Only a mail to a user who exists is worded.
                None if failure.is_of_trigger() => {
                    let error = failure.into_report().chain();
                    tracing::error!(error, "a code for a new password could not be worded");
                    Ok(false)
                }
                Some(_) | None => Err(failure.into()),
            },
        }
    }

    /// Sets a new password by a mailed code, which works once.
    pub async fn recover(
        &self,
        email: &Email,
        code: &OtpCode,
        password: &NewPassword,
    ) -> Result<Recovery, Undecided> {
        let confirmed = self
            .secrets
            .confidentially("set a new password by a code", |secrets| {
                self.pool
                    .client
                    .confirm_forgot_password()
                    .set_user_context_data(self.pool.user_context_data())
                    .client_id(&self.pool.client_id)
                    .username(email.as_str())
                    .confirmation_code(code.as_str())
                    .password(password.as_str())
                    .secret_hash(self.pool.secret_hash(email.as_str(), secrets))
                    .send()
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        match confirmed {
            Ok(_) => Ok(Recovery::Done),
            Err(failure)
                if failure
                    .code()
                    .is_some_and(|code| NOT_THIS_CODE.contains(&code)) =>
            {
                Ok(Recovery::Wrong)
            }
            Err(failure) => Err(Undecided {
                may_be_evaluated: !failure.did_not_act(),
                problem: refused_password(failure, "newPassword"),
            }),
        }
    }
}

/// Cognito's answer to a step of a sign-in.
enum Step {
    Done(AuthenticationResultType),
    Next(Next),
}

struct Next {
    name: Option<ChallengeNameType>,
    session: Option<String>,
    parameters: HashMap<String, String>,
    /// The factors that a choice offers.
    available: Vec<ChallengeNameType>,
}

impl From<AdminInitiateAuthOutput> for Step {
    fn from(answer: AdminInitiateAuthOutput) -> Self {
        match answer.authentication_result {
            Some(result) => Self::Done(result),
            None => Self::Next(Next {
                name: answer.challenge_name,
                session: answer.session,
                parameters: answer.challenge_parameters.unwrap_or_default(),
                available: answer.available_challenges.unwrap_or_default(),
            }),
        }
    }
}

impl From<AdminRespondToAuthChallengeOutput> for Step {
    fn from(answer: AdminRespondToAuthChallengeOutput) -> Self {
        match answer.authentication_result {
            Some(result) => Self::Done(result),
            None => Self::Next(Next {
                name: answer.challenge_name,
                session: answer.session,
                parameters: answer.challenge_parameters.unwrap_or_default(),
                available: answer.available_challenges.unwrap_or_default(),
            }),
        }
    }
}

impl Next {
    /// Whether this challenge accepts the password. A choice does if it offers the password.
    fn asks_for_password_by(&self, challenge: &ChallengeNameType) -> bool {
        let is_it = self.name.as_ref() == Some(challenge);
        let password = ChallengeNameType::Password;
        is_it && (*challenge == password || self.available.contains(&password))
    }

    /// Whether this challenge asks for a first factor, or for the choice of one. A mailed code that
    /// is the second factor comes with the user's name (developer guide, email MFA).
    fn is_first_factor(&self) -> bool {
        match &self.name {
            Some(ChallengeNameType::EmailOtp) => !self.parameters.contains_key(USER_ID),
            name => name
                .as_ref()
                .is_some_and(|name| FIRST_FACTORS.contains(name)),
        }
    }

    /// The name for the answer: the one in the challenge, or else the previous one.
    fn username(&self, before: &str) -> CognitoUsername {
        let given = self.parameters.get(USER_ID);
        CognitoUsername::given(given.map_or(before, String::as_str))
    }
}

fn refused_answer(failure: Failure) -> Result<ChallengeOutcome, Undecided> {
    match (failure.code(), failure.message()) {
        (Some("CodeMismatchException"), _) => Ok(ChallengeOutcome::Wrong),
        // Cognito calls an authenticator's used code expired.
        (Some("ExpiredCodeException"), message) if message.contains("used") => {
            Ok(ChallengeOutcome::Wrong)
        }
        (Some("ExpiredCodeException"), _) => Ok(ChallengeOutcome::Over),
        (Some("NotAuthorizedException"), message) if message.starts_with("Invalid session") => {
            Ok(ChallengeOutcome::Over)
        }
        (Some(code), _) if NOT_THIS_WAY.contains(&code) => Ok(ChallengeOutcome::Wrong),
        _ => Err(Undecided {
            may_be_evaluated: !failure.did_not_act(),
            problem: refused_password(failure, "newPassword"),
        }),
    }
}

/// The pool may require more of a password than Latchkey does: kinds of characters, or that it
/// differs from the last few.
fn refused_password(failure: Failure, field: &str) -> Problem {
    let not_taken = match failure.code() {
        Some("InvalidPasswordException" | "PasswordHistoryPolicyViolationException") => true,
        // By this error Cognito refuses characters that no password may have; its sentence begins
        // with the parameter's name.
        Some("InvalidParameterException") => failure.message().to_lowercase().contains("password"),
        Some(_) | None => false,
    };
    if not_taken {
        Problem::ValidationFailed(vec![auth_domain::FieldProblem {
            field: field.to_owned(),
            code: "invalid",
            message: "is refused by the user pool's policy".to_owned(),
        }])
    } else {
        failure.into()
    }
}
