//! A fresh proof from somebody who is signed in: the password, or a code by mail, under the same counts as at a sign-in.

use auth_domain::{
    AttemptId, Caller, FreshProof, Guest, KeyRing, KnownDevice, Limit, LimitState, Password,
    Problem, Randomness, SignInId, SignInRules, Timestamp, UserSub,
};
use tokio::join;

use crate::{
    ConfigurationError, EmailCodes, Limits, Passwords, Platform, Proof, Secrets, SignIns,
    TokenService, failure::Undecided,
};

/// Everything that a fresh proof is checked with.
#[derive(Clone)]
pub struct Reauthentication {
    sign_ins: SignIns,
    limits: Limits,
    codes: EmailCodes,
    passwords: Passwords,
    token_service: TokenService,
    secrets: Secrets,
    randomness: Randomness,
    rules: SignInRules,
    code_failures: Limit,
    password_failures: Limit,
}

impl Reauthentication {
    /// Proofs by the pool, the sign-ins and the counts that the environment names.
    pub fn new(platform: &Platform, secrets: &Secrets) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            sign_ins: SignIns::new(platform)?,
            limits: Limits::new(platform)?,
            codes: EmailCodes::new(platform, secrets)?,
            passwords: Passwords::new(platform, secrets)?,
            token_service: TokenService::new(platform, secrets)?,
            secrets: secrets.clone(),
            randomness: platform.randomness(),
            rules: environment.sign_in_rules()?,
            code_failures: environment.otp_failures()?,
            password_failures: environment.login_failures()?,
        })
    }

    /// Checks a proof of `guest`, who is the caller. Whatever session the proof begins is revoked: it is worth this one answer.
    ///
    /// `recognise` tells a device that is known for the guest's address, which has a budget of its own; `note` hears what is left of a
    /// limit.
    pub async fn prove(
        &self,
        guest: &Guest,
        caller: &Caller,
        proof: &FreshProof,
        now: Timestamp,
        recognise: impl FnOnce(&KeyRing) -> Option<KnownDevice>,
        note: impl FnOnce(LimitState),
    ) -> Result<(), Problem> {
        let email = &guest.email;
        let secrets = self.secrets.get().await?;
        let device = recognise(secrets.keys());
        let budget = KnownDevice::budget(device.as_ref(), email, secrets.keys());
        let attempt = AttemptId::generate(&self.randomness);
        match proof {
            FreshProof::Password(password) => {
                self.limits
                    .admit(&self.password_failures, &budget, &attempt, now, note)
                    .await?;
                let proved = self.prove_password(&caller.sub, password, &budget, &attempt);
                if !proved.await? {
                    return Err(Problem::InvalidCredentials);
                }
                let cleared = self.limits.clear(&self.password_failures, &budget).await;
                note_uncleared(&cleared);
                Ok(())
            }
            FreshProof::MailedCode {
                session_token,
                code,
            } => {
                let id = session_token.sign_in_id();
                let sign_in = self.sign_ins.claim(&id, email, &attempt, now, &self.rules);
                let sign_in = sign_in.await.map_err(|problem| {
                    // A proof is no sign-in, and good once.
                    if matches!(problem, Problem::SignInCompleted) {
                        Problem::InvalidSession
                    } else {
                        problem
                    }
                })?;
                let counted = self
                    .limits
                    .admit(&self.code_failures, &budget, &attempt, now, note)
                    .await;
                if let Err(problem) = counted {
                    self.give_back(&id, &budget, &attempt).await;
                    return Err(problem);
                }
                match self.codes.prove_any(&sign_in, code).await {
                    Ok(Proof::Right { tokens, sub: owner }) => {
                        let (finished, ()) = join!(
                            self.sign_ins.finish(&id, &attempt),
                            self.token_service.discard(&tokens)
                        );
                        if owner != caller.sub {
                            return Err(Problem::UserMismatch);
                        }
                        if !finished? {
                            return Err(Problem::InvalidSession);
                        }
                        let cleared = self.limits.clear(&self.code_failures, &budget).await;
                        note_uncleared(&cleared);
                        Ok(())
                    }
                    Ok(Proof::Wrong) => Err(Problem::InvalidOtp(sign_in.attempts(&self.rules))),
                    Ok(Proof::Over) => Err(Problem::OtpExpired),
                    Err(Undecided {
                        problem,
                        may_be_evaluated,
                    }) => {
                        if !may_be_evaluated {
                            self.give_back(&id, &budget, &attempt).await;
                        }
                        Err(problem)
                    }
                }
            }
        }
    }

    async fn prove_password(
        &self,
        sub: &UserSub,
        password: &Password,
        budget: &str,
        attempt: &AttemptId,
    ) -> Result<bool, Problem> {
        match self.passwords.prove(sub, password).await {
            Ok(proved) => Ok(proved),
            Err(Undecided {
                problem,
                may_be_evaluated,
            }) => {
                if !may_be_evaluated {
                    let taken_back = self
                        .limits
                        .take_back(&self.password_failures, budget, attempt)
                        .await;
                    note_stuck(&taken_back);
                }
                Err(problem)
            }
        }
    }

    /// Undoes the counting of a code at which nobody looked.
    async fn give_back(&self, id: &SignInId, budget: &str, attempt: &AttemptId) {
        let (sign_in, failures) = join!(
            self.sign_ins.give_back(id, attempt),
            self.limits.take_back(&self.code_failures, budget, attempt)
        );
        note_stuck(&sign_in.and(failures));
    }
}

fn note_uncleared(cleared: &Result<(), Problem>) {
    if cleared.is_err() {
        tracing::warn!("a count could not be cleared, and will age out");
    }
}

fn note_stuck(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that nobody looked at stays counted");
    }
}
