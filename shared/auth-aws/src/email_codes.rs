//! Codes by mail: Cognito's choice-based sign-in through the Admin API.

use auth_domain::{
    CognitoSession, Email, Locale, OtpCode, Problem, Report, RequestContext, SignIn, UserSub,
};
use aws_sdk_cognitoidentityprovider::{
    operation::admin_initiate_auth::AdminInitiateAuthOutput,
    types::{AttributeType, ChallengeNameType, MessageActionType},
};

use crate::{
    ConfigurationError, Platform, Secrets,
    boxed::Boxed as _,
    failure::{Failure, Undecided, failure},
    user_pool::{CognitoSignIn, TokenPurpose, UserPool, sub_among},
};

/// The errors by which Cognito reports that it cannot mail: SES refuses, or Cognito may not use
/// SES.
pub(crate) const UNDELIVERABLE: [&str; 2] = [
    "CodeDeliveryFailureException",
    "InvalidEmailRoleAccessPolicyException",
];

/// The window of Cognito's own limits for one user (quotas page). Cognito does not report its
/// beginning.
const COGNITO_WINDOW_SECONDS: u64 = 3600;

/// The errors by which Cognito refuses a code to this user: disabled, to be reset, not confirmed,
/// deleted, or with an authenticator kept in Cognito itself. A person sees no difference.
const NO_CODE: [&str; 6] = [
    "NotAuthorizedException",
    "PasswordResetRequiredException",
    "UserNotConfirmedException",
    "UserNotFoundException",
    "MFAMethodNotFoundException",
    "UserLambdaValidationException",
];

/// Cognito's sign-in by mailed code.
#[derive(Clone)]
pub struct EmailCodes {
    pool: UserPool,
    secrets: Secrets,
}

/// The outcome of a request for a code.
#[derive(Debug)]
pub struct Sending {
    /// Cognito's session for proving the code. `None` if Cognito sends this user no code.
    pub session: Option<CognitoSession>,
    /// Whether Cognito offered a password too. It never offers one for Latchkey's own users without
    /// a password, so an offer indicates an unknown user or one made elsewhere.
    pub password_offered: bool,
}

/// The outcome of a code.
#[derive(Debug)]
pub enum Proof {
    /// The code was right.
    Right(CognitoSignIn),
    /// It was wrong.
    Wrong,
    /// The session is over or was used: the code may have been right.
    Over,
}

impl EmailCodes {
    /// Codes from the pool and client that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            pool: UserPool::new(platform)?,
            secrets: Secrets::new(platform)?,
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

    /// Asks Cognito to mail a code.
    ///
    /// Cognito's answer for an unknown user is not dependable, so this handles every challenge. A
    /// choice is answered with the mailed code, if Cognito offers it.
    pub async fn send(&self, email: &Email) -> Result<Sending, Problem> {
        let initiated = self
            .secrets
            .confidentially("ask Cognito for a code", |secrets| {
                self.pool
                    .sign_in(email.as_str(), "EMAIL_OTP", secrets)
                    .send()
            })
            .await?;
        match initiated {
            Ok(answer) => self.sending(email, answer).await,
            Err(failure) => no_code(failure),
        }
    }

    async fn sending(
        &self,
        email: &Email,
        answer: AdminInitiateAuthOutput,
    ) -> Result<Sending, Problem> {
        let offers = |factor| answer.available_challenges().contains(&factor);
        let password_offered =
            offers(ChallengeNameType::Password) || offers(ChallengeNameType::PasswordSrp);
        let code_offered = offers(ChallengeNameType::EmailOtp);
        let session = match (answer.challenge_name, answer.session) {
            (Some(ChallengeNameType::EmailOtp), session) => session,
            (Some(ChallengeNameType::SelectChallenge), Some(session)) if code_offered => {
                self.select(email, &session).await?
            }
            (Some(_) | None, _) => None,
        };
        Ok(Sending {
            session: session.map(CognitoSession::issued),
            password_offered,
        })
    }

    async fn select(&self, email: &Email, session: &str) -> Result<Option<String>, Problem> {
        let selected = self
            .secrets
            .confidentially("choose the code by mail", |secrets| {
                self.pool
                    .answer(ChallengeNameType::SelectChallenge, email.as_str(), secrets)
                    .session(session)
                    .challenge_responses("ANSWER", "EMAIL_OTP")
                    .send()
            })
            .await?;
        match selected {
            Ok(answer) => Ok(answer
                .session
                .filter(|_| answer.challenge_name == Some(ChallengeNameType::EmailOtp))),
            Err(failure) => no_code(failure).map(|_: Sending| None),
        }
    }

    /// Makes a user for an address without a guest. The user has no password and gets no welcome
    /// mail. The address is marked verified, because otherwise Cognito mails no code to it. Nothing
    /// is granted before that code is proved. The trigger that writes the mail reads the language
    /// from the user, because Cognito passes it nothing of the request.
    ///
    /// Returns the new user's sub, or `None` if a user of that name exists: another request was
    /// faster, or someone else made the user.
    pub async fn create_user(
        &self,
        email: &Email,
        locale: Option<&Locale>,
    ) -> Result<Option<UserSub>, Problem> {
        let attribute =
            |name: &str, value: &str| AttributeType::builder().name(name).value(value).build();
        let describe = |error| Problem::Internal(Report::new("describe the user", error));
        let locale = locale
            .map(|locale| attribute("locale", locale.as_str()))
            .transpose()
            .map_err(describe)?;
        let mut creation = self
            .pool
            .client
            .admin_create_user()
            .user_pool_id(&self.pool.pool_id)
            .username(email.as_str())
            .user_attributes(attribute("email", email.as_str()).map_err(describe)?)
            .user_attributes(attribute("email_verified", "true").map_err(describe)?)
            .message_action(MessageActionType::Suppress);
        if let Some(locale) = locale {
            creation = creation.user_attributes(locale);
        }
        let created = creation
            .send()
            .boxed()
            .await
            .map_err(failure("make the user"));
        match created {
            Ok(answer) => {
                let user = answer.user();
                sub_among(user.map_or(&[], |user| user.attributes()))
                    .map(Some)
                    .ok_or_else(|| {
                        Problem::Internal(Report::of("Cognito made a user without a sub"))
                    })
            }
            Err(failure)
                if matches!(
                    failure.code(),
                    Some("UsernameExistsException" | "AliasExistsException")
                ) =>
            {
                Ok(None)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Whether Cognito marks a user's address as verified. It does after the first right code.
    pub async fn is_address_verified(&self, email: &Email) -> Result<bool, Problem> {
        let user = self.pool.find(email.as_str()).await?;
        let is_proof = |attribute: &AttributeType| {
            attribute.name() == "email_verified" && attribute.value() == Some("true")
        };
        Ok(user.is_some_and(|user| user.user_attributes().iter().any(is_proof)))
    }

    /// Asks Cognito about the code in each mail's session, the newest first: any code of this
    /// sign-in counts.
    pub async fn prove_any(
        &self,
        sign_in: &SignIn,
        code: &OtpCode,
        purpose: TokenPurpose,
    ) -> Result<Proof, Undecided> {
        let mut outcome = if sign_in.cognito_sessions.is_empty() {
            Proof::Wrong
        } else {
            Proof::Over
        };
        for (asked_before, session) in sign_in.cognito_sessions.iter().enumerate() {
            match self.prove(&sign_in.email, session, code, purpose).await {
                Ok(Proof::Wrong) => outcome = Proof::Wrong,
                Ok(Proof::Over) => {}
                Ok(right @ Proof::Right(_)) => return Ok(right),
                Err(undecided) => {
                    return Err(Undecided {
                        may_be_evaluated: undecided.may_be_evaluated || asked_before > 0,
                        ..undecided
                    });
                }
            }
        }
        Ok(outcome)
    }

    /// Asks Cognito whether it mailed this code for this session.
    async fn prove(
        &self,
        email: &Email,
        session: &CognitoSession,
        code: &OtpCode,
        purpose: TokenPurpose,
    ) -> Result<Proof, Undecided> {
        let answered = self
            .secrets
            .confidentially("prove the code", |secrets| {
                let answer = self
                    .pool
                    .answer(ChallengeNameType::EmailOtp, email.as_str(), secrets)
                    .session(session.as_str())
                    .challenge_responses("EMAIL_OTP_CODE", code.as_str());
                purpose.say(answer).send()
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        match answered {
            Ok(answer) => answer
                .authentication_result
                .ok_or_else(|| Report::of("Cognito answered a right code with another challenge"))
                .and_then(CognitoSignIn::read)
                .map(Proof::Right)
                .map_err(|report| Undecided::after_evaluation(Problem::Internal(report))),
            Err(failure) => match (failure.code(), failure.message()) {
                (Some("CodeMismatchException"), _) => Ok(Proof::Wrong),
                (Some("ExpiredCodeException"), _) => Ok(Proof::Over),
                (Some("NotAuthorizedException"), message)
                    if message.starts_with("Invalid session") =>
                {
                    Ok(Proof::Over)
                }
                // A trigger failed, and the trigger is our own: the code is not at fault.
                (Some("UserLambdaValidationException"), _) => {
                    let problem = Problem::Internal(failure.into_report());
                    Err(Undecided::before_evaluation(problem))
                }
                // Cognito does not document its answer to a code for a user who does not exist, or
                // may not sign in.
                (Some(code), _) if NO_CODE.contains(&code) => Ok(Proof::Wrong),
                _ => Err(failure.into()),
            },
        }
    }
}

/// The outcome of a refusal to send a code.
fn no_code(failure: Failure) -> Result<Sending, Problem> {
    match failure.code() {
        Some("LimitExceededException") => {
            tracing::warn!("Cognito's own limit of mails to this user is reached");
            Err(Problem::RateLimited {
                retry_after_seconds: COGNITO_WINDOW_SECONDS,
                challenge: None,
            })
        }
        Some(code) if UNDELIVERABLE.contains(&code) => {
            Err(Problem::EmailDeliveryFailed(failure.into_report()))
        }
        Some(code) if NO_CODE.contains(&code) => {
            tracing::info!(code, "Cognito sends this user no code");
            Ok(Sending {
                session: None,
                password_offered: false,
            })
        }
        Some(_) | None => Err(failure.into()),
    }
}
