//! A fresh proof from a caller: the password, or a code by mail, under the same counts as at a
//! sign-in.

use auth_aws::{ConfigurationError, Passwords, Platform, TokenPurpose, TokenService};
use auth_domain::{
    Caller, FreshProof, Guest, OtpCode, Problem, Report, SecondFactor, SelfServiceTokens,
    SessionToken, Tokens,
};
use auth_lambda::{Exchange, Fields};
use tokio::join;

use crate::{BroughtCode, CodeAttempts, PasswordAttempts, SecondFactorAttempts};

/// Everything that a fresh proof is checked with.
#[derive(Clone)]
pub struct FreshProofs {
    codes: CodeAttempts,
    attempts: PasswordAttempts,
    passwords: Passwords,
    token_service: TokenService,
}

impl FreshProofs {
    /// Proofs that `operation` asks for.
    pub fn new(platform: &Platform, operation: &'static str) -> Result<Self, ConfigurationError> {
        Ok(Self {
            codes: CodeAttempts::new(platform, operation, None)?.for_own_address(),
            attempts: PasswordAttempts::new(platform, operation, None)?.for_own_address(),
            passwords: Passwords::new(platform)?,
            token_service: TokenService::new(platform)?,
        })
    }

    /// Demands a proof of `guest`, who is the caller. A session that the proof begins is revoked:
    /// it is worth this one answer.
    pub async fn require(
        &self,
        guest: &Guest,
        caller: &Caller,
        proof: &FreshProof,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        match proof {
            FreshProof::Password(password) => {
                let passwords = self.passwords.for_request(exchange.context());
                let (attempt, _, is_right) = self
                    .attempts
                    .evaluate(
                        &guest.email,
                        password,
                        exchange,
                        |spelling| passwords.prove(&caller.sub, spelling),
                        |is_right| !is_right,
                    )
                    .await?;
                if !is_right {
                    return Err(Problem::InvalidCredentials);
                }
                attempt.clear().await;
                Ok(())
            }
            FreshProof::MailedCode {
                session_token,
                code,
            } => {
                let brought = BroughtCode {
                    sign_in: session_token.sign_in_id(),
                    email: Some(&guest.email),
                    code,
                    proof_of_work: None,
                };
                let proving = self.codes.prove(brought, exchange);
                let proved = proving.await.map_err(good_once)?;
                let (finished, ()) = join!(
                    proved.attempt.finish(),
                    self.token_service.discard(&proved.tokens)
                );
                if proved.sub == caller.sub {
                    finished.map_err(good_once)
                } else {
                    Err(Problem::UserMismatch)
                }
            }
        }
    }

    /// Demands a proof of `guest`, and the second factor where there is one, for a change of
    /// passkeys at Cognito. The tokens keep the scope that Cognito wants there. They must not
    /// leave, and whoever takes them revokes them.
    pub async fn for_passkeys(
        &self,
        guest: &Guest,
        proofs: (&FreshProof, Option<&SecondFactor>),
        factors: &SecondFactorAttempts,
        exchange: &Exchange,
    ) -> Result<SelfServiceTokens, Problem> {
        let (proof, factor) = proofs;
        let factor = match (&guest.authenticator, factor) {
            (Some(_), None) => return Err(Fields::needed("mfaCode")),
            (Some(authenticator), Some(factor)) => Some((authenticator, factor)),
            (None, _) => None,
        };
        let tokens = match proof {
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
            } => self.mailed(guest, session_token, code, exchange).await?,
        };
        if let Some((authenticator, factor)) = factor
            && let Err(problem) = factors
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

    async fn mailed(
        &self,
        guest: &Guest,
        session_token: &SessionToken,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let brought = BroughtCode {
            sign_in: session_token.sign_in_id(),
            email: Some(&guest.email),
            code,
            proof_of_work: None,
        };
        let codes = self.codes.with_purpose(TokenPurpose::Passkeys);
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

    /// Revokes the tokens of a change of passkeys. Where that fails, they end unused by their own
    /// time: nobody has them.
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
}

/// A proof is no sign-in: one that was used is worth nothing.
fn good_once(problem: Problem) -> Problem {
    if matches!(problem, Problem::SignInCompleted) {
        Problem::InvalidSession
    } else {
        problem
    }
}
