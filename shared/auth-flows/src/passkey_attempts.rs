//! Sign-ins by passkey: begun, claimed, counted, and evaluated by Cognito.
//!
//! No address has a budget for them: a signature cannot be guessed, and strangers would spend the
//! budget.
//!
//! A sign-in accepts one answer, because any answer may use up Cognito's session. A made-up
//! challenge behaves the same, so a known address looks like an unknown one.

use auth_aws::{
    Address, CognitoSignIn, ConfigurationError, Guests, PasskeyChallenge, PasskeyProof, Passkeys,
    Platform, SignIns, TokenPurpose, Whose,
};
use auth_domain::{
    Assertion, Clock, Email, Problem, Randomness, SessionToken, SignIn, SignInId, SignInRules,
    Tokens, UserSub, UserVerification, made_up_challenge,
};
use auth_lambda::Exchange;

use crate::{Attempt, NetworkAttempts, Requester, Requesters, attempt::Claim};

/// Attempts at the challenges of sign-ins by passkey.
#[derive(Clone)]
pub struct PasskeyAttempts {
    requesters: Requesters,
    sign_ins: SignIns,
    passkeys: Passkeys,
    network: Option<NetworkAttempts>,
    user_verification: UserVerification,
    rules: SignInRules,
}

/// An assertion from a request.
pub struct BroughtAssertion<'a> {
    /// The sign-in or the proof that it is for.
    pub sign_in: SignInId,
    /// The required owner of it.
    pub whose: Whose<'a>,
    /// The assertion.
    pub assertion: &'a Assertion,
    /// The purpose of the tokens.
    pub purpose: TokenPurpose,
}

/// A right assertion, and Cognito's answer to it.
pub struct ProvedPasskey<'a> {
    /// The attempt.
    pub attempt: Attempt<'a>,
    /// The requester who sent it.
    pub requester: Requester<'a>,
    /// The new session's tokens.
    pub tokens: Tokens,
    /// The user who signed in.
    pub sub: UserSub,
}

impl PasskeyAttempts {
    /// Attempts by way of `operation`, which may have a limit of that name for each network.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        network: Option<&'static str>,
    ) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let network = network.map(|policy| NetworkAttempts::new(platform, policy));
        Ok(Self {
            requesters: Requesters::new(platform, operation)?,
            sign_ins: SignIns::new(platform)?,
            passkeys: Passkeys::new(platform)?,
            network: network.transpose()?,
            user_verification: environment.required("PASSKEY_USER_VERIFICATION")?,
            rules: one_answer(environment.sign_in_rules()?),
        })
    }

    /// The same for signed-in guests who prove themselves again.
    #[must_use]
    pub fn for_own_address(self) -> Self {
        Self {
            requesters: self.requesters.for_own_address(),
            ..self
        }
    }

    /// Proves a passkey: claims the one attempt, counts it, and asks Cognito last. If the
    /// deployment demands verified users, any other answer is refused before all that, and uses
    /// nothing up.
    pub async fn prove<'a>(
        &'a self,
        brought: BroughtAssertion<'_>,
        exchange: &'a Exchange,
    ) -> Result<ProvedPasskey<'a>, Problem> {
        let BroughtAssertion {
            sign_in: id,
            whose,
            assertion,
            purpose,
        } = brought;
        if !self.user_verification.accepts(assertion.user_verified()) {
            return Err(Problem::InvalidCredentials);
        }
        let turn = self.requesters.turn(exchange);
        let claiming = self
            .sign_ins
            .claim(&id, whose, &turn.attempt, turn.now, &self.rules);
        let give_back = self.sign_ins.give_back(&id, &turn.attempt);
        let email = |sign_in: &SignIn| sign_in.email.clone();
        let (sign_in, requester) = self
            .requesters
            .claim(&turn, claiming, give_back, email, None)
            .await?;
        let attempt = self.count(&id, &sign_in, &requester).await?;
        let passkeys = self.passkeys.for_request(exchange.context());
        let proving = async {
            match sign_in.cognito_sessions.first() {
                Some(session) => {
                    let email = &sign_in.email;
                    passkeys.prove(email, session, assertion, purpose).await
                }
                None => Ok(PasskeyProof::Wrong),
            }
        };
        match attempt.evaluate(proving).await? {
            PasskeyProof::Right(CognitoSignIn { tokens, sub, .. }) => Ok(ProvedPasskey {
                attempt,
                requester,
                tokens,
                sub,
            }),
            PasskeyProof::Wrong => Err(requester.wrong_passkey()),
        }
    }

    async fn count<'a>(
        &'a self,
        id: &SignInId,
        sign_in: &SignIn,
        requester: &Requester<'a>,
    ) -> Result<Attempt<'a>, Problem> {
        let claim = Claim::SignIn(&self.sign_ins, id.clone(), Box::new(sign_in.clone()));
        let network = self.network.as_ref().map(|network| (network, requester));
        Attempt::count(&requester.turn(), Some(claim), None, network).await
    }
}

/// Beginnings of sign-ins by passkey.
#[derive(Clone)]
pub struct PasskeyStarts {
    guests: Guests,
    sign_ins: SignIns,
    passkeys: Passkeys,
    rules: SignInRules,
    clock: Clock,
    randomness: Randomness,
}

/// A sign-in by passkey that has begun.
pub struct StartedPasskey {
    /// The handle for the answer.
    pub session_token: SessionToken,
    /// The challenge for the device to sign.
    pub challenge: String,
    /// The limits of the sign-in.
    pub rules: SignInRules,
}

impl PasskeyStarts {
    /// Sign-ins of the pool and the challenges that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            sign_ins: SignIns::new(platform)?,
            passkeys: Passkeys::new(platform)?,
            rules: one_answer(platform.environment().sign_in_rules()?),
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Begins a sign-in at an address whose item is `address`. Cognito is asked if the guest's list
    /// has a passkey. Otherwise, and if Cognito has none for the user, the challenge is made up.
    /// All else is the same.
    pub async fn begin(
        &self,
        email: &Email,
        address: Option<Address>,
        exchange: &Exchange,
    ) -> Result<StartedPasskey, Problem> {
        let guest = match address {
            Some(Address::Claimed(claim)) => self.guests.find(&claim.sub).await?,
            Some(Address::Waiting(_)) | None => None,
        };
        let asked = if guest.is_some_and(|guest| !guest.passkeys.is_empty()) {
            let passkeys = self.passkeys.for_request(exchange.context());
            passkeys.challenge(email).await?
        } else {
            None
        };
        let (challenge, cognito_sessions) = match asked {
            Some(PasskeyChallenge { session, challenge }) => (challenge, vec![session]),
            None => (made_up_challenge(&self.randomness), Vec::new()),
        };
        let now = self.clock.now();
        let session_token = SessionToken::generate(&self.randomness);
        let sign_in = SignIn::begun(email, cognito_sessions, &self.rules, now);
        self.sign_ins
            .begin(&session_token.passkey_sign_in_id(), &sign_in)
            .await?;
        Ok(StartedPasskey {
            session_token,
            challenge,
            rules: self.rules,
        })
    }
}

/// The rules of a challenge, which takes one answer.
pub(crate) fn one_answer(rules: SignInRules) -> SignInRules {
    SignInRules {
        attempts: 1,
        ..rules
    }
}
