//! Passkeys as fresh proofs: a challenge counts in one session, for one change, and takes one
//! answer.
//!
//! The answers have no budget of their own, as at a sign-in: a signature cannot be guessed. The
//! challenges do.

use auth_aws::{
    ConfigurationError, PasskeyChallenge, PasskeyList, PasskeyUse, Passkeys, Platform, SignIns,
    TokenService,
};
use auth_domain::{
    Clock, FieldProblem, Guest, Passkey, Problem, ProofBinding, ProofPurpose, Randomness,
    RelyingParty, SessionToken, SignIn, SignInRules, Tokens, UserVerification,
};
use auth_lambda::{Exchange, PasskeyAsked};

use crate::{BroughtAssertion, GuestRequests, PasskeyAttempts, Turn, passkey_attempts::one_answer};

/// Evaluates passkeys as fresh proofs.
#[derive(Clone)]
pub struct PasskeyProofs {
    attempts: PasskeyAttempts,
    list: PasskeyList,
    token_service: TokenService,
    clock: Clock,
}

impl PasskeyProofs {
    /// Proofs that `operation` asks for.
    pub fn new(platform: &Platform, operation: &'static str) -> Result<Self, ConfigurationError> {
        Ok(Self {
            attempts: PasskeyAttempts::new(platform, operation, None)?.for_own_address(),
            list: PasskeyList::new(platform)?,
            token_service: TokenService::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// The tokens for an assertion that Cognito accepts from a passkey on the list of `guest`. One
    /// write checks the list after Cognito's answer: a passkey that was deleted meanwhile proves
    /// nothing.
    pub(crate) async fn prove(
        &self,
        guest: &Guest,
        brought: BroughtAssertion<'_>,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let assertion = brought.assertion;
        let passkey = Passkey::shown_by(assertion, guest).ok_or(Problem::InvalidCredentials)?;
        let proved = self.attempts.prove(brought, exchange).await?;
        let sub = &guest.cognito_sub;
        let used = PasskeyUse::of(assertion, passkey, guest);
        let noting = async {
            if proved.sub != *sub {
                return Err(Problem::UserMismatch);
            }
            let now = self.clock.now();
            if self.list.used(sub, &passkey.id, used, now).await? {
                Ok(())
            } else {
                Err(proved.requester.wrong_passkey())
            }
        };
        let noted = proved.attempt.finish_beside(noting).await;
        if noted.is_err() {
            self.token_service.discard(&proved.tokens).await;
        }
        noted.map(|()| proved.tokens)
    }
}

/// Begins fresh proofs by passkey.
#[derive(Clone)]
pub struct ProofChallenges {
    per_guest: GuestRequests,
    passkeys: Passkeys,
    sign_ins: SignIns,
    rules: SignInRules,
    relying_party: RelyingParty,
    user_verification: UserVerification,
    clock: Clock,
    randomness: Randomness,
}

impl ProofChallenges {
    /// Challenges of the pool and the relying party that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let (quota, window) = ("OTP_STARTS_PER_EMAIL", "OTP_START_WINDOW_SECONDS");
        let per_guest = environment.limit("proof-passkey", quota, window)?;
        Ok(Self {
            per_guest: GuestRequests::new(platform, per_guest)?,
            passkeys: Passkeys::new(platform)?,
            sign_ins: SignIns::new(platform)?,
            rules: one_answer(environment.sign_in_rules()?),
            relying_party: environment.relying_party()?,
            user_verification: environment.required("PASSKEY_USER_VERIFICATION")?,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Asks Cognito for a challenge to a guest, who is the caller. Its answer proves the guest in
    /// the caller's session, for one purpose.
    pub async fn ask(
        &self,
        guest: &Guest,
        purpose: ProofPurpose,
        exchange: &Exchange,
    ) -> Result<PasskeyAsked, Problem> {
        if guest.passkeys.is_empty() {
            return Err(no_passkey());
        }
        let binding = ProofBinding::of(exchange.caller()?, purpose);
        let turn = Turn::of(exchange, &self.clock, &self.randomness);
        self.per_guest.admit(&guest.cognito_sub, &turn).await?;
        let now = turn.now;
        let passkeys = self.passkeys.for_request(exchange.context());
        let challenge = passkeys.challenge(&guest.email).await?;
        let PasskeyChallenge { session, challenge } = challenge.ok_or_else(no_passkey)?;
        let token = SessionToken::generate(&self.randomness);
        let sign_in = SignIn::begun(&guest.email, vec![session], &self.rules, now);
        self.sign_ins
            .begin_proof(&token.passkey_proof_id(), &sign_in, &binding)
            .await?;
        let answer = PasskeyAsked::new(
            token,
            self.rules.lifetime.as_secs(),
            challenge,
            &self.relying_party,
            self.user_verification,
        );
        let listed = guest.passkeys.iter().map(|passkey| &passkey.credential_id);
        Ok(answer.of(listed))
    }
}

/// The refusal for a guest without a passkey.
fn no_passkey() -> Problem {
    Problem::ValidationFailed(vec![FieldProblem {
        field: "method".to_owned(),
        code: "unavailable",
        message: "must be code: this account has no passkey".to_owned(),
    }])
}
