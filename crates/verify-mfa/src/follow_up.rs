//! Challenges of Cognito's own: answered at Cognito, which may ask for another, or be followed by
//! the guest's authenticator.

use auth_aws::{ChallengeOutcome, locale_of};
use auth_domain::{
    ChallengeAnswer, CognitoChallenge, FollowUp, HeldSignIn, NewPassword, Notice, Problem,
    SecondFactor, TokenDelivery,
};
use auth_flows::Resumed;
use auth_lambda::{Fields, SignInAnswer};

use crate::{Answer, VerifyMfa};

impl VerifyMfa {
    /// Answers a challenge of Cognito's.
    pub(crate) async fn answer(
        &self,
        resumed: &Resumed<'_>,
        follow_up: &FollowUp,
        answer: &Answer,
        token_delivery: TokenDelivery,
    ) -> Result<SignInAnswer, Problem> {
        let (held, requester) = (&resumed.held, &resumed.requester);
        let answer = match challenge_answer(held, follow_up, answer) {
            Ok(answer) => answer,
            Err(problem) => {
                self.held.give_back(resumed).await;
                return Err(problem);
            }
        };
        let attempt = self.held.count_answer(resumed).await?;
        let passwords = self.passwords.for_request(requester.exchange().context());
        let answering = passwords.answer_challenge(follow_up, &answer);
        match attempt.evaluate(answering).await? {
            ChallengeOutcome::Right(signed_in) => {
                let locale = locale_of(&signed_in.tokens.id_token);
                let answered = self
                    .signing_in
                    .by_password(attempt, requester.clone(), signed_in, token_delivery)
                    .await?;
                if matches!(answer, ChallengeAnswer::NewPassword(_)) {
                    let notice = Notice::PasswordChanged;
                    let exchange = requester.exchange();
                    self.notices
                        .tell_at(&held.email, locale.as_ref(), notice, exchange)
                        .await;
                }
                Ok(answered)
            }
            ChallengeOutcome::Challenged(next) => {
                self.signing_in
                    .hold_follow_up(&attempt, &next, &held.email, token_delivery)
                    .await
            }
            ChallengeOutcome::Wrong => Err(self.held.refuse(resumed, &attempt, None).await),
            ChallengeOutcome::Over => Err(self.held.why_over(resumed).await),
        }
    }
}

/// The answer for Cognito. An answer to another question costs no attempt.
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
