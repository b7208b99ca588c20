//! The decision: count the attempt, check the code and use it up, end the held sign-in; only then
//! return tokens.

use auth_domain::{AwaitedFactor, HeldToken, Problem, TokenDelivery};
use auth_flows::{Arrived, ProvedFactor, Resumed};
use auth_lambda::{Exchange, Fields, SignInAnswer};

use crate::{Answer, Input, VerifyMfa};

impl VerifyMfa {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        self.signing_in.expect_mail(exchange);
        let resumed = self
            .held
            .resume(input.session_token.held_sign_in_id(), exchange)
            .await?;
        // The second factor's choice of delivery applies, or else the first factor's.
        let delivery = input.token_delivery.unwrap_or(resumed.held.token_delivery);
        match (&resumed.held.awaits, &input.answer) {
            (AwaitedFactor::Authenticator(token), Answer::SecondFactor(factor)) => {
                let proved = self.held.prove(&resumed, token, factor).await?;
                let spares = input.remember_device && self.signing_in.remembers_devices();
                self.finish(&resumed, token, proved, (delivery, spares))
                    .await
            }
            (AwaitedFactor::Authenticator(_), Answer::NewPassword(_)) => {
                self.held.give_back(&resumed).await;
                Err(Fields::needed("code"))
            }
            // It needs a set-up, not a code.
            (AwaitedFactor::SetUp(_), Answer::SecondFactor(_) | Answer::NewPassword(_)) => {
                self.held.give_back(&resumed).await;
                Err(Problem::InvalidSession)
            }
            (AwaitedFactor::Cognito(follow_up), answer) => {
                self.answer(&resumed, follow_up, answer, delivery).await
            }
        }
    }

    /// Ends the held sign-in, and exchanges its refresh token.
    async fn finish(
        &self,
        resumed: &Resumed<'_>,
        token: &HeldToken,
        proved: ProvedFactor<'_>,
        (delivery, spares_second_factor): (TokenDelivery, bool),
    ) -> Result<SignInAnswer, Problem> {
        let tokens = self.held.trade(resumed, &proved, token).await?;
        self.held.confirm_passkey(resumed, &proved).await;
        let arrived = Arrived {
            spares_second_factor,
            ..Arrived::with_both_factors(proved.guest, true)
        };
        let tokens = self
            .signing_in
            .welcome(&resumed.requester, &arrived, tokens, delivery)
            .await;
        Ok(SignInAnswer::after_backup_code(
            tokens,
            arrived.guest,
            proved.backup_codes_left,
        ))
    }
}
