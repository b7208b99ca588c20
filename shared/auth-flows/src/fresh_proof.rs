//! A fresh proof from a caller: the password, or a code by mail, under the same counts as at a
//! sign-in.

use auth_aws::{ConfigurationError, Passwords, Platform, TokenService};
use auth_domain::{Caller, FreshProof, Guest, Problem};
use auth_lambda::Exchange;
use tokio::join;

use crate::{BroughtCode, CodeAttempts, PasswordAttempts};

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
            codes: CodeAttempts::new(platform, operation, None)?,
            attempts: PasswordAttempts::new(platform, operation, None)?,
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
}

/// A proof is no sign-in: one that was used is worth nothing.
fn good_once(problem: Problem) -> Problem {
    if matches!(problem, Problem::SignInCompleted) {
        Problem::InvalidSession
    } else {
        problem
    }
}
