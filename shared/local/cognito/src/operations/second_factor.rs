//! The second factor of a sign-in: which ones a user has, how each is asked for, and what an answer leads to.

use serde_json::{Value, json};

use super::respond_to_challenge::Answer;
use super::sign_in::{Place, complete};
use crate::mail::{Mail, masked};
use crate::pool::{MfaConfiguration, PoolSettings};
use crate::random;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::session::{self, Found, Session, Step};
use crate::store::Millis;
use crate::tokens::Reason;
use crate::totp::Shown;
use crate::trigger::Metadata;
use crate::user::{Failures, User};

/// Digits of a code that is a second factor; one that is the first has eight.
const CODE_DIGITS: usize = 6;

/// A way to prove oneself after the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    SoftwareToken,
    Email,
}

impl SecondFactor {
    /// The challenge, and the setting's name at the user.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::Email => "EMAIL_OTP",
        }
    }

    /// The factors that the pool has.
    fn of_pool(settings: &PoolSettings) -> Vec<Self> {
        let mut factors = Vec::new();
        if settings.mfa_configuration == MfaConfiguration::Off {
            return factors;
        }
        if settings.software_token_mfa {
            factors.push(Self::SoftwareToken);
        }
        if settings.email_mfa_configuration.is_some() {
            factors.push(Self::Email);
        }
        factors
    }

    /// The factors that this user is asked for. Where the pool demands one, what is set up counts and not what is switched on.
    pub(crate) fn of_user(user: &User, settings: &PoolSettings) -> Vec<Self> {
        let demanded = settings.mfa_configuration == MfaConfiguration::On;
        Self::of_pool(settings)
            .into_iter()
            .filter(|factor| match factor {
                Self::SoftwareToken => user
                    .software_token
                    .as_ref()
                    .is_some_and(|token| token.verified && (token.enabled || demanded)),
                Self::Email => user.email().is_some() && (user.email_mfa.enabled || demanded),
            })
            .collect()
    }

    fn is_preferred(self, user: &User) -> bool {
        match self {
            Self::SoftwareToken => user
                .software_token
                .as_ref()
                .is_some_and(|token| token.preferred),
            Self::Email => user.email_mfa.preferred,
        }
    }
}

/// A JSON array as text, the form of `MFAS_CAN_CHOOSE` and `MFAS_CAN_SETUP`.
fn listed(factors: &[SecondFactor]) -> String {
    json!(
        factors
            .iter()
            .map(|factor| factor.name())
            .collect::<Vec<_>>()
    )
    .to_string()
}

/// What follows a proved password: the second factor where there is one or must be one, tokens otherwise.
pub(super) async fn second_factor_or_tokens(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    reason: Reason,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    let settings = &place.pool.settings;
    let factors = SecondFactor::of_user(user, settings);
    let preferred = factors
        .iter()
        .copied()
        .find(|factor| factor.is_preferred(user));
    match (preferred, factors.as_slice()) {
        (Some(factor), _) => ask(service, place, typed, user, factor),
        (None, [only]) => ask(service, place, typed, user, *only),
        (None, []) if settings.mfa_configuration == MfaConfiguration::On => {
            let step = Step::MfaSetup { token: None };
            let session = place.open_session(service, typed, Some(&user.username), step)?;
            Ok(json!({
                "ChallengeName": "MFA_SETUP",
                "ChallengeParameters": {
                    "USER_ID_FOR_SRP": user.username,
                    "MFAS_CAN_SETUP": listed(&SecondFactor::of_pool(settings)),
                },
                "Session": session,
            }))
        }
        (None, []) => complete(service, place, user, reason, metadata).await,
        (None, several) => {
            let session =
                place.open_session(service, typed, Some(&user.username), Step::SelectMfaType)?;
            Ok(json!({
                "ChallengeName": "SELECT_MFA_TYPE",
                "ChallengeParameters": {
                    "USER_ID_FOR_SRP": user.username,
                    "MFAS_CAN_CHOOSE": listed(several),
                },
                "Session": session,
            }))
        }
    }
}

fn ask(
    service: &Service,
    place: &Place,
    typed: &str,
    user: &User,
    factor: SecondFactor,
) -> Result<Value, Refusal> {
    match factor {
        SecondFactor::SoftwareToken => {
            let session =
                place.open_session(service, typed, Some(&user.username), Step::SoftwareTokenMfa)?;
            let device = user
                .software_token
                .as_ref()
                .and_then(|token| token.name.as_deref())
                .unwrap_or("My TOTP device");
            Ok(json!({
                "ChallengeName": "SOFTWARE_TOKEN_MFA",
                "ChallengeParameters": {
                    "USER_ID_FOR_SRP": user.username,
                    "FRIENDLY_DEVICE_NAME": device,
                },
                "Session": session,
            }))
        }
        SecondFactor::Email => {
            let email = user.email().unwrap_or_default();
            let code = random::digits(service.random(), CODE_DIGITS);
            let step = Step::EmailMfa {
                code: session::hashed(&code),
            };
            let session = place.open_session(service, typed, Some(&user.username), step)?;
            let template = place.pool.settings.email_mfa_configuration.as_ref();
            service.send(Mail::sign_in_code(email, &code, template));
            Ok(json!({
                "ChallengeName": "EMAIL_OTP",
                "ChallengeParameters": {
                    "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
                    "CODE_DELIVERY_DESTINATION": masked(email),
                    "USER_ID_FOR_SRP": user.username,
                },
                "Session": session,
            }))
        }
    }
}

impl Answer<'_> {
    /// `SELECT_MFA_TYPE`.
    pub(super) fn select_mfa_type(&self) -> Result<Value, Refusal> {
        let choice = self.input.response("ANSWER")?;
        let user = self.known()?;
        let factor = SecondFactor::of_user(user, &self.place.pool.settings)
            .into_iter()
            .find(|factor| factor.name() == choice)
            .ok_or_else(|| {
                Refusal::invalid(format!("{choice} is not one of the MFA types of the user"))
            })?;
        self.consume(|_, _| Ok(()))?;
        ask(self.service, self.place, self.typed, user, factor)
    }

    pub(super) async fn software_token(&self) -> Result<Value, Refusal> {
        let code = self.input.response("SOFTWARE_TOKEN_MFA_CODE")?;
        self.finish_with("Invalid code received for user", |user, _, now| {
            let token = user.software_token.as_mut().ok_or_else(Session::invalid)?;
            Ok(token.accept(code, now))
        })
        .await
    }

    /// `EMAIL_OTP` after a password.
    pub(super) async fn email_mfa(&self) -> Result<Value, Refusal> {
        let code = self.input.response("EMAIL_OTP_CODE")?;
        self.finish_with("Invalid code or auth state for the user.", |_, found, _| {
            let right = matches!(&found.session.step,
                    Step::EmailMfa { code: kept } if session::is_code(code, kept));
            Ok(if right { Shown::Right } else { Shown::Wrong })
        })
        .await
    }

    /// Looks at a code in one transaction that also counts it: a right one uses the session up and leads to tokens, a wrong
    /// one leaves the session as it is and brings the lock nearer, under which no code is looked at.
    async fn finish_with(
        &self,
        mismatch: &'static str,
        look: impl FnOnce(&mut User, &Found, Millis) -> Result<Shown, Refusal>,
    ) -> Result<Value, Refusal> {
        let username = &self.known()?.username;
        let now = self.service.now();
        let user = self.service.store.change(now, |transaction| {
            let found = Session::find(transaction, &self.service.session_key, self.text, now)?;
            let mut user = User::find(transaction, &self.place.pool, username)?;
            if !user.enabled {
                return Err(Refusal::user_disabled());
            }
            if user.mfa_failures.locked(now) {
                return Err(Refusal::attempts_exceeded());
            }
            let outcome = match look(&mut user, &found, now)? {
                Shown::Right => {
                    user.mfa_failures = Failures::default();
                    found.consume(transaction)?;
                    Ok(())
                }
                Shown::Wrong => {
                    user.mfa_failures.count(now);
                    Err(Refusal::new(Exception::CodeMismatch, mismatch))
                }
                Shown::UsedBefore => Err(Refusal::new(
                    Exception::ExpiredCode,
                    "Your software token has already been used once.",
                )),
            };
            user.save_quietly(transaction, &self.place.pool)?;
            Ok(outcome.map(|()| user))
        })??;
        complete(
            self.service,
            self.place,
            &user,
            Reason::SignIn,
            self.input.client_metadata.as_ref(),
        )
        .await
    }
}
