//! The decision: count the attempt, look at the code and use it up, end the held sign-in; only then
//! do tokens leave.

use auth_aws::{FactorProof, UsedBy};
use auth_domain::{
    Attempts, AwaitedFactor, Guest, HeldToken, Notice, Problem, SecondFactor, TokenDelivery,
};
use auth_flows::{Arrived, Attempt, Resumed};
use auth_lambda::{Exchange, Fields, SignInAnswer};
use tokio::join;

use crate::{Answer, Input, VerifyMfa};

/// A second factor that was right, and is used up.
struct Proved<'a> {
    attempt: Attempt<'a>,
    guest: Guest,
    backup_codes_left: Option<usize>,
}

impl VerifyMfa {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let resumed = self.held.resume(&input.session_token, exchange).await?;
        // The second factor says how the refresh token is to travel, or else what the first said
        // holds.
        let delivery = input.token_delivery.unwrap_or(resumed.held.token_delivery);
        match (&resumed.held.awaits, &input.answer) {
            (AwaitedFactor::Authenticator(token), Answer::SecondFactor(factor)) => {
                let proved = self.prove(&resumed, token, factor).await?;
                self.finish(&resumed, token, proved, delivery).await
            }
            (AwaitedFactor::Authenticator(_), Answer::NewPassword(_)) => {
                self.held.give_back(&resumed).await;
                Err(Fields::needed("code"))
            }
            (AwaitedFactor::Cognito(follow_up), answer) => {
                self.answer(&resumed, follow_up, answer, delivery).await
            }
        }
    }

    /// Looks at the second factor, counted against network and guest first.
    async fn prove<'a>(
        &'a self,
        resumed: &Resumed<'_>,
        token: &HeldToken,
        factor: &SecondFactor,
    ) -> Result<Proved<'a>, Problem> {
        let (sub, requester) = (&token.sub, &resumed.requester);
        let counting = self.held.count(resumed, Some((&self.factors, token)));
        let (counted, found) = join!(counting, self.guests.find(sub));
        let attempt = counted?;
        let found = match found {
            Ok(found) => found,
            Err(problem) => {
                attempt.give_back().await;
                return Err(problem);
            }
        };
        // The guest or the authenticator has gone since the first factor: the sign-in has to begin
        // anew.
        let Some((guest, authenticator)) = found.and_then(|guest| {
            let authenticator = guest.authenticator.clone()?;
            Some((guest, authenticator))
        }) else {
            self.held.give_up(resumed, token).await;
            return Err(Problem::InvalidSession);
        };
        let (by, now) = (UsedBy::SignIn(resumed.id()), requester.now());
        let proving = self
            .authenticators
            .prove(sub, &authenticator, factor, by, now);
        match attempt.evaluate(proving).await? {
            FactorProof::Right { backup_codes_left } => Ok(Proved {
                attempt,
                guest,
                backup_codes_left,
            }),
            FactorProof::Wrong => {
                tracing::warn!(sub = sub.as_str(), "wrong second factor");
                let of_sign_in = resumed.held.attempts(self.held.rules());
                if of_sign_in.remaining == 0 {
                    self.held.give_up(resumed, token).await;
                }
                let left = Attempts {
                    remaining: of_sign_in.remaining.min(attempt.left().remaining),
                    ..of_sign_in
                };
                Err(self.refuse(resumed, left).await)
            }
        }
    }

    /// The answer to a wrong factor. The guest hears of the last attempt, and of the fifth wrong
    /// factor in a day: the first factor is known to somebody.
    pub(crate) async fn refuse(&self, resumed: &Resumed<'_>, left: Attempts) -> Problem {
        let requester = &resumed.requester;
        let is_worth_a_notice = self.factors.is_worth_a_notice(requester).await;
        if left.remaining == 0 || is_worth_a_notice {
            let (email, exchange) = (&resumed.held.email, requester.exchange());
            let notice = Notice::SecondFactorFailed;
            self.notices.tell(email, notice, exchange).await;
        }
        Problem::InvalidOtp(left)
    }

    /// Ends the held sign-in, and turns its refresh token into tokens.
    async fn finish(
        &self,
        resumed: &Resumed<'_>,
        token: &HeldToken,
        proved: Proved<'_>,
        delivery: TokenDelivery,
    ) -> Result<SignInAnswer, Problem> {
        let Proved {
            attempt,
            guest,
            backup_codes_left,
        } = proved;
        let arrived = Arrived {
            guest,
            returns: true,
            has_both_factors: true,
        };
        let tokens = self.held.trade(resumed, &attempt, token).await?;
        let tokens = self
            .signing_in
            .welcome(&resumed.requester, &arrived, tokens, delivery)
            .await;
        Ok(SignInAnswer::after_backup_code(
            tokens,
            arrived.guest,
            backup_codes_left,
        ))
    }
}
