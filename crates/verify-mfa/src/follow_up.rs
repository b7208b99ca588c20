//! Challenges of Cognito's own: answered at Cognito, which may ask for another, or be followed by the guest's authenticator.

use auth_aws::{ChallengeOutcome, PasswordSignIn, Undecided};
use auth_domain::{
    ChallengeAnswer, CognitoChallenge, FollowUp, Guest, HeldSignIn, KeyRing, NewPassword, Notice,
    Problem, SecondFactor,
};
use auth_lambda::{Fields, Metric, SignInAnswer};

use crate::{Answer, VerifyMfa, verify_mfa::Turn};

impl VerifyMfa {
    /// Answers a challenge of Cognito's.
    pub(crate) async fn answer(
        &self,
        held: &HeldSignIn,
        follow_up: &FollowUp,
        answer: &Answer,
        keys: &KeyRing,
        turn: &Turn<'_>,
    ) -> Result<SignInAnswer, Problem> {
        let answer = match challenge_answer(held, follow_up, answer) {
            Ok(answer) => answer,
            Err(problem) => {
                self.give_back(turn).await;
                return Err(problem);
            }
        };
        match self.passwords.answer_challenge(follow_up, &answer).await {
            Ok(ChallengeOutcome::Right(signed_in)) => {
                let settled = self.settle(held, &signed_in, keys, turn).await;
                if settled.is_err() {
                    self.token_service.discard(&signed_in.tokens).await;
                }
                if settled.is_ok() && matches!(answer, ChallengeAnswer::NewPassword(_)) {
                    self.tell(&held.email, Notice::PasswordChanged, turn).await;
                }
                settled
            }
            Ok(ChallengeOutcome::Challenged(next)) => {
                let session_token = self
                    .second_factors
                    .hold_follow_up(&next, &held.email, turn.delivery(held))
                    .await?;
                self.end(turn).await?;
                Ok(SignInAnswer::held(session_token, next.challenge))
            }
            Ok(ChallengeOutcome::Wrong) => {
                let attempts = held.attempts(&self.settings.rules);
                if attempts.remaining == 0 {
                    // Whoever got here has the first factor.
                    self.tell(&held.email, Notice::SecondFactorFailed, turn)
                        .await;
                }
                Err(Problem::InvalidOtp(attempts))
            }
            Ok(ChallengeOutcome::Over) => Err(Problem::SessionExpired),
            Err(Undecided {
                problem,
                may_be_evaluated,
            }) => {
                if !may_be_evaluated {
                    self.give_back(turn).await;
                }
                Err(problem)
            }
        }
    }

    /// Finds or makes the guest, and holds the sign-in once more where an authenticator guards it.
    async fn settle(
        &self,
        held: &HeldSignIn,
        signed_in: &PasswordSignIn,
        keys: &KeyRing,
        turn: &Turn<'_>,
    ) -> Result<SignInAnswer, Problem> {
        let arrival = self.guests.arrival(&signed_in.sub, &held.email).await?;
        if !(signed_in.email_verified || arrival.proved_before() == Some(true)) {
            return Err(Problem::InvalidCredentials);
        }
        let (guest, created): (Guest, bool) = self
            .guests
            .get_or_create(
                &signed_in.sub,
                &held.email,
                arrival,
                true,
                &self.unproved,
                turn.now,
            )
            .await?;
        if guest.authenticator.is_some() {
            let delivery = turn.delivery(held);
            let session_token = self
                .second_factors
                .hold(&signed_in.tokens, &signed_in.sub, &held.email, delivery)
                .await?;
            self.end(turn).await?;
            return Ok(SignInAnswer::held(
                session_token,
                CognitoChallenge::SoftwareTokenMfa,
            ));
        }
        self.end(turn).await?;
        if created {
            turn.exchange.count(Metric::GuestsCreated);
        }
        let tokens = self
            .welcome(held, signed_in.tokens.clone(), keys, turn)
            .await;
        Ok(SignInAnswer::signed_in(tokens, guest))
    }

    /// Ends the held sign-in that was answered.
    async fn end(&self, turn: &Turn<'_>) -> Result<(), Problem> {
        if self
            .second_factors
            .finish(&turn.sign_in_id, &turn.attempt)
            .await?
        {
            Ok(())
        } else {
            Err(Problem::InvalidSession)
        }
    }
}

/// What Cognito is to be told. An answer to something else costs no attempt.
fn challenge_answer(
    held: &HeldSignIn,
    follow_up: &FollowUp,
    answer: &Answer,
) -> Result<ChallengeAnswer, Problem> {
    match (follow_up.challenge, answer) {
        (CognitoChallenge::NewPasswordRequired, Answer::NewPassword(password)) => {
            NewPassword::parse(password.as_str(), Some(&held.email))
                .map(ChallengeAnswer::NewPassword)
                .map_err(|broken| Fields::broken_password("newPassword", &broken))
        }
        (CognitoChallenge::NewPasswordRequired, Answer::SecondFactor(_)) => {
            Err(Fields::needed("newPassword"))
        }
        (
            CognitoChallenge::SoftwareTokenMfa | CognitoChallenge::EmailOtp,
            Answer::SecondFactor(SecondFactor::Code(code)),
        ) => Ok(ChallengeAnswer::Code(code.clone())),
        (
            CognitoChallenge::SoftwareTokenMfa | CognitoChallenge::EmailOtp,
            Answer::SecondFactor(SecondFactor::BackupCode(_)) | Answer::NewPassword(_),
        ) => Err(Fields::needed("code")),
    }
}
