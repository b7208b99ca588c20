//! Fresh proofs from a caller: the password, a code that was mailed for this change, or a passkey
//! that was asked for it, under the same limits as at a sign-in; and the second factor that a
//! sign-in of the guest needs, unless a verified passkey is both.

use auth_aws::{
    ConfigurationError, EmailCodes, Passwords, Platform, SignIns, TokenPurpose, TokenService, Whose,
};
use auth_domain::{
    Assertion, Authenticator, Clock, FreshProof, Guest, MissingFactor, OfferedPassword, OtpCode,
    Password, Problem, ProofBinding, ProofPurpose, Proofs, Randomness, Report, SecondFactor,
    SecondFactorPolicy, SelfServiceTokens, SessionToken, SignIn, SignInRules, Tokens,
};
use auth_lambda::{CodeSent, Exchange, Fields};

use crate::{
    BroughtAssertion, BroughtCode, CodeAttempts, CodeMails, PasskeyProofs, PasswordAttempts,
    Requesters, SecondFactorAttempts,
};

/// The sender of a proof that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prover {
    /// The caller, with a code or a challenge for the purpose in the caller's session.
    Caller,
    /// A sign-in that waits for a set-up. It has no session yet, so the code of another sign-in at
    /// the address proves its guest. No passkey does: its guest has no second factor.
    WaitingSignIn,
}

/// The parts for checking fresh proofs for one purpose.
#[derive(Clone)]
pub struct FreshProofs {
    codes: CodeAttempts,
    attempts: PasswordAttempts,
    passkeys: PasskeyProofs,
    factors: SecondFactorAttempts,
    passwords: Passwords,
    token_service: TokenService,
    policy: SecondFactorPolicy,
    purpose: ProofPurpose,
}

impl FreshProofs {
    /// Proofs that `operation` asks for.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        purpose: ProofPurpose,
    ) -> Result<Self, ConfigurationError> {
        Ok(Self {
            codes: CodeAttempts::new(platform, operation, None)?.for_own_address(),
            attempts: PasswordAttempts::new(platform, operation, None)?.for_own_address(),
            passkeys: PasskeyProofs::new(platform, operation)?,
            factors: SecondFactorAttempts::new(platform)?,
            passwords: Passwords::new(platform)?,
            token_service: TokenService::new(platform)?,
            policy: platform.environment().second_factor_policy()?,
            purpose,
        })
    }

    /// Demands proofs of `guest`, who is the caller. A session that a proof begins is revoked: it
    /// serves only this request.
    pub async fn require(
        &self,
        guest: &Guest,
        proofs: &Proofs,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let factor = self.factor(guest, proofs)?;
        match &proofs.proof {
            FreshProof::Password(password) => {
                self.password(guest, password, exchange).await?;
            }
            FreshProof::MailedCode {
                session_token,
                code,
            } => {
                let (mail, purpose) = ((session_token, code), TokenPurpose::Session);
                let mailed = self.mailed(guest, mail, purpose, Prover::Caller, exchange);
                let tokens = mailed.await?;
                self.token_service.discard(&tokens).await;
            }
            FreshProof::Passkey {
                session_token,
                assertion,
            } => {
                let (shown, purpose) = ((session_token, &**assertion), TokenPurpose::Session);
                let shown = self.shown(guest, shown, purpose, Prover::Caller, exchange);
                let tokens = shown.await?;
                self.token_service.discard(&tokens).await;
            }
        }
        match factor {
            Some((authenticator, factor)) => {
                self.factors
                    .require(guest, authenticator, factor, exchange)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn password(
        &self,
        guest: &Guest,
        password: &Password,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let passwords = self.passwords.for_request(exchange.context());
        let (attempt, _, is_right) = self
            .attempts
            .evaluate(
                &guest.email,
                password,
                exchange,
                |spelling| passwords.prove(&guest.cognito_sub, spelling),
                |is_right| !is_right,
            )
            .await?;
        if !is_right {
            return Err(Problem::InvalidCredentials);
        }
        attempt.clear().await;
        Ok(())
    }

    /// Demands proofs of `guest`, for a change of passkeys at Cognito. The tokens keep the scope
    /// that Cognito requires for it. They must not leave, and the calling operation revokes them.
    pub async fn for_passkeys(
        &self,
        guest: &Guest,
        proofs: &Proofs,
        by: Prover,
        exchange: &Exchange,
    ) -> Result<SelfServiceTokens, Problem> {
        let factor = self.factor(guest, proofs)?;
        let tokens = match &proofs.proof {
            FreshProof::Password(password) => {
                let passwords = self.passwords.for_request(exchange.context());
                let (attempt, _, tokens) = self
                    .attempts
                    .evaluate(
                        &guest.email,
                        password,
                        exchange,
                        |spelling| passwords.prove_for_passkeys(&guest.cognito_sub, spelling),
                        Option::is_none,
                    )
                    .await?;
                let Some(tokens) = tokens else {
                    return Err(Problem::InvalidCredentials);
                };
                attempt.clear().await;
                tokens
            }
            FreshProof::MailedCode {
                session_token,
                code,
            } => {
                let (mail, purpose) = ((session_token, code), TokenPurpose::Passkeys);
                self.mailed(guest, mail, purpose, by, exchange).await?
            }
            FreshProof::Passkey {
                session_token,
                assertion,
            } => {
                let (shown, purpose) = ((session_token, &**assertion), TokenPurpose::Passkeys);
                self.shown(guest, shown, purpose, by, exchange).await?
            }
        };
        if let Some((authenticator, factor)) = factor
            && let Err(problem) = self
                .factors
                .require(guest, authenticator, factor, exchange)
                .await
        {
            self.token_service.discard(&tokens).await;
            return Err(problem);
        }
        let refresh_token = tokens.refresh_token.ok_or_else(|| {
            Problem::Internal(Report::of(
                "Cognito gave no refresh token for a fresh proof",
            ))
        })?;
        Ok(SelfServiceTokens {
            access_token: tokens.access_token,
            refresh_token,
        })
    }

    /// The tokens for a right mailed code, once.
    async fn mailed(
        &self,
        guest: &Guest,
        (session_token, code): (&SessionToken, &OtpCode),
        purpose: TokenPurpose,
        by: Prover,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let binding = match by {
            Prover::Caller => Some(ProofBinding::of(exchange.caller()?, self.purpose)),
            Prover::WaitingSignIn => None,
        };
        let (sign_in, whose) = match &binding {
            Some(binding) => (
                session_token.proof_id(),
                Whose::Proof(&guest.email, binding),
            ),
            None => (session_token.sign_in_id(), Whose::Address(&guest.email)),
        };
        let brought = BroughtCode {
            sign_in,
            whose,
            code,
            proof_of_work: None,
        };
        let codes = self.codes.with_purpose(purpose);
        let proving = codes.prove(brought, exchange);
        let proved = proving.await.map_err(good_once)?;
        let finished = proved.attempt.finish().await.map_err(good_once);
        let refused = if proved.sub == guest.cognito_sub {
            finished.err()
        } else {
            Some(Problem::UserMismatch)
        };
        match refused {
            Some(problem) => {
                self.token_service.discard(&proved.tokens).await;
                Err(problem)
            }
            None => Ok(proved.tokens),
        }
    }

    /// The tokens for a right assertion, once.
    async fn shown(
        &self,
        guest: &Guest,
        (session_token, assertion): (&SessionToken, &Assertion),
        purpose: TokenPurpose,
        by: Prover,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let binding = match by {
            Prover::Caller => ProofBinding::of(exchange.caller()?, self.purpose),
            Prover::WaitingSignIn => return Err(Problem::InvalidSession),
        };
        let brought = BroughtAssertion {
            sign_in: session_token.passkey_proof_id(),
            whose: Whose::Proof(&guest.email, &binding),
            assertion,
            purpose,
        };
        let proving = self.passkeys.prove(guest, brought, exchange);
        proving.await.map_err(good_once)
    }

    /// Revokes the tokens of a change of passkeys. If that fails, they expire unused: no client has
    /// them.
    pub async fn give_back(&self, tokens: &SelfServiceTokens) {
        if self
            .token_service
            .revoke(&tokens.refresh_token)
            .await
            .is_err()
        {
            tracing::warn!("the tokens of a change of passkeys could not be revoked");
        }
    }

    /// The authenticator of a guest who has one, and the second factor from the request. `None` if
    /// the fresh proof needs none beside it: the guest's sign-ins need none, or it is both factors.
    fn factor<'a>(
        &self,
        guest: &'a Guest,
        proofs: &'a Proofs,
    ) -> Result<Option<(&'a Authenticator, &'a SecondFactor)>, Problem> {
        if let (Some(authenticator), Some(factor)) = (&guest.authenticator, &proofs.second_factor) {
            return Ok(Some((authenticator, factor)));
        }
        if proofs.are_both_factors_of(guest) {
            return Ok(None);
        }
        match self.policy.missing(guest) {
            Some(MissingFactor::Authenticator) => Err(Fields::needed("mfaCode")),
            Some(MissingFactor::Passkey) => Err(Problem::PasskeyRequired),
            // The session began before the requirement, or waits for the set-up.
            Some(MissingFactor::SetUp) | None => Ok(None),
        }
    }
}

/// A proof is no sign-in: a used proof is refused like a wrong one.
fn good_once(problem: Problem) -> Problem {
    if matches!(problem, Problem::SignInCompleted) {
        Problem::InvalidSession
    } else {
        problem
    }
}

/// Mails the codes of fresh proofs.
#[derive(Clone)]
pub struct ProofMails {
    requesters: Requesters,
    mails: CodeMails,
    codes: EmailCodes,
    sign_ins: SignIns,
    rules: SignInRules,
    clock: Clock,
    randomness: Randomness,
}

/// The message beside a proof's handle.
const MESSAGE: &str = "A code for this change is on its way.";

impl ProofMails {
    /// Mails by way of `operation`.
    pub fn new(platform: &Platform, operation: &'static str) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let own = environment.limit(
            "proof-start",
            "OTP_STARTS_PER_EMAIL",
            "OTP_START_WINDOW_SECONDS",
        )?;
        Ok(Self {
            requesters: Requesters::new(platform, operation)?.for_own_address(),
            mails: CodeMails::new(platform, own)?,
            codes: EmailCodes::new(platform)?,
            sign_ins: SignIns::new(platform)?,
            rules: environment.sign_in_rules()?,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Asks Cognito to mail a code to a guest, who is the caller. The code proves the guest in the
    /// caller's session, for one purpose.
    pub async fn send(
        &self,
        guest: &Guest,
        purpose: ProofPurpose,
        exchange: &Exchange,
    ) -> Result<CodeSent, Problem> {
        let email = &guest.email;
        let binding = ProofBinding::of(exchange.caller()?, purpose);
        let requester = self.requesters.meet(exchange, email, None).await?;
        self.mails.admit(&requester, false).await?;
        let codes = self.codes.for_request(exchange.context());
        let session = codes.send(email).await?.session.ok_or_else(|| {
            Problem::EmailDeliveryFailed(Report::of("Cognito sends this user no code"))
        })?;
        let (token, now) = (SessionToken::generate(&self.randomness), self.clock.now());
        let rules = &self.rules;
        let sign_in = SignIn {
            email: email.clone(),
            cognito_sessions: vec![session],
            attempts: 0,
            sent_at: now,
            expires_at: now.after(rules.lifetime),
            password: OfferedPassword::None,
            registration: None,
        };
        self.sign_ins
            .begin_proof(&token.proof_id(), &sign_in, &binding)
            .await?;
        let (expires_in, resend_after) = (rules.lifetime.as_secs(), rules.resend_after.as_secs());
        Ok(CodeSent::new(
            token,
            email,
            expires_in,
            resend_after,
            MESSAGE,
        ))
    }
}
