//! Answers to challenges of Cognito's own.

use crate::{NewPassword, OtpCode};

/// A person's answer to a [`FollowUp`](crate::FollowUp).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeAnswer {
    /// To [`CognitoChallenge::NewPasswordRequired`](crate::CognitoChallenge::NewPasswordRequired).
    NewPassword(NewPassword),
    /// The answer to the other challenges: a mailed code.
    Code(OtpCode),
}
