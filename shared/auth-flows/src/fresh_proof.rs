//! Fresh proofs from a caller: the password, a code that was mailed for this change, or a passkey
//! that was asked for it, under the same limits as at a sign-in; and the second factor that a
//! sign-in of the guest needs, unless a verified passkey is both.

use auth_aws::{
    ConfigurationError, EmailCodes, Passwords, Platform, SignIns, TokenPurpose, TokenService,
    Undecided, Whose,
};
use auth_domain::{
    Assertion, Authenticator, Clock, FreshProof, Guest, MissingFactor, NewUser, OtpCode, Password,
    Problem, ProofBinding, ProofPurpose, Proofs, Randomness, Report, SecondFactor,
    SecondFactorPolicy, SelfServiceTokens, SessionToken, SignIn, SignInRules, Spelling, Tokens,
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

/// The proof that an operation demands.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    guest: &'a Guest,
    purpose: TokenPurpose,
    by: Prover,
    exchange: &'a Exchange,
}

/// A second factor from the request, and the guest's authenticator.
struct PresentFactor<'a> {
    authenticator: &'a Authenticator,
    factor: &'a SecondFactor,
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
        let wanted = Wanted {
            guest,
            purpose: TokenPurpose::Session,
            by: Prover::Caller,
            exchange,
        };
        if let Some(tokens) = self.prove(&proofs.proof, wanted).await? {
            self.token_service.discard(&tokens).await;
        }
        self.prove_factor(factor, wanted).await
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
        let wanted = Wanted {
            guest,
            purpose: TokenPurpose::Passkeys,
            by,
            exchange,
        };
        let tokens = self.prove(&proofs.proof, wanted).await?;
        if let Err(problem) = self.prove_factor(factor, wanted).await {
            if let Some(tokens) = &tokens {
                self.token_service.discard(tokens).await;
            }
            return Err(problem);
        }
        let tokens = tokens.and_then(|tokens| {
            Some(SelfServiceTokens {
                access_token: tokens.access_token,
                refresh_token: tokens.refresh_token?,
            })
        });
        tokens.ok_or_else(|| {
            Problem::Internal(Report::of(
                "Cognito gave no refresh token for a fresh proof",
            ))
        })
    }

    /// Demands the fresh proof, and returns its tokens, once. A password that proves a session's
    /// guest has none: Cognito's session has ended.
    async fn prove(
        &self,
        proof: &FreshProof,
        wanted: Wanted<'_>,
    ) -> Result<Option<Tokens>, Problem> {
        match proof {
            FreshProof::Password(password) => self.password(password, wanted).await,
            FreshProof::MailedCode {
                session_token,
                code,
            } => self.mailed(session_token, code, wanted).await.map(Some),
            FreshProof::Passkey {
                session_token,
                assertion,
            } => self.shown(session_token, assertion, wanted).await.map(Some),
        }
    }

    async fn password(
        &self,
        password: &Password,
        wanted: Wanted<'_>,
    ) -> Result<Option<Tokens>, Problem> {
        let sub = &wanted.guest.cognito_sub;
        let passwords = &self.passwords.for_request(wanted.exchange.context());
        match wanted.purpose {
            TokenPurpose::Session => {
                let proving = |spelling| passwords.prove(sub, spelling);
                let is_right = |is_right: &bool| *is_right;
                self.evaluate(password, wanted, proving, is_right).await?;
                Ok(None)
            }
            TokenPurpose::Passkeys => {
                let proving = |spelling| passwords.prove_for_passkeys(sub, spelling);
                self.evaluate(password, wanted, proving, Option::is_some)
                    .await
            }
        }
    }

    /// What `proving` returns for a right password.
    async fn evaluate<'p, T, F>(
        &self,
        password: &'p Password,
        wanted: Wanted<'_>,
        proving: impl Fn(Spelling<'p>) -> F,
        is_right: impl Fn(&T) -> bool,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Undecided>>,
    {
        let (email, exchange) = (&wanted.guest.email, wanted.exchange);
        let counts = wanted.guest.password_counts();
        let is_wrong = |proved: &T| !(counts && is_right(proved));
        let (attempt, _, proved) = self
            .attempts
            .evaluate(email, password, exchange, proving, is_wrong)
            .await?;
        if is_wrong(&proved) {
            return Err(Problem::InvalidCredentials);
        }
        attempt.clear().await;
        Ok(proved)
    }

    /// The tokens for a right mailed code, once.
    async fn mailed(
        &self,
        session_token: &SessionToken,
        code: &OtpCode,
        wanted: Wanted<'_>,
    ) -> Result<Tokens, Problem> {
        let Wanted {
            guest, exchange, ..
        } = wanted;
        let binding = match wanted.by {
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
        let codes = self.codes.with_purpose(wanted.purpose);
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
        session_token: &SessionToken,
        assertion: &Assertion,
        wanted: Wanted<'_>,
    ) -> Result<Tokens, Problem> {
        let Wanted {
            guest, exchange, ..
        } = wanted;
        let binding = match wanted.by {
            Prover::Caller => ProofBinding::of(exchange.caller()?, self.purpose),
            Prover::WaitingSignIn => return Err(Problem::InvalidSession),
        };
        let brought = BroughtAssertion {
            sign_in: session_token.passkey_proof_id(),
            whose: Whose::Proof(&guest.email, &binding),
            assertion,
            purpose: wanted.purpose,
        };
        let proving = self.passkeys.prove(guest, brought, exchange);
        proving.await.map_err(good_once)
    }

    /// Demands the second factor, if one is needed.
    async fn prove_factor(
        &self,
        factor: Option<PresentFactor<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<(), Problem> {
        let Some(PresentFactor {
            authenticator,
            factor,
        }) = factor
        else {
            return Ok(());
        };
        self.factors
            .require(wanted.guest, authenticator, factor, wanted.exchange)
            .await
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
    ) -> Result<Option<PresentFactor<'a>>, Problem> {
        if let (Some(authenticator), Some(factor)) = (&guest.authenticator, &proofs.second_factor) {
            return Ok(Some(PresentFactor {
                authenticator,
                factor,
            }));
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
        self.mails.admit(&requester, NewUser::Never).await?;
        let codes = self.codes.for_request(exchange.context());
        let session = codes.send(email).await?.session.ok_or_else(|| {
            Problem::EmailDeliveryFailed(Report::of("Cognito sends this user no code"))
        })?;
        let (token, now) = (SessionToken::generate(&self.randomness), self.clock.now());
        let rules = &self.rules;
        let sign_in = SignIn::begun(email, vec![session], rules, now);
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
