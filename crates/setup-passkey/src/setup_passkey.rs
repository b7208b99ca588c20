//! The decision: find the caller, check that there is room for another passkey, check the proofs;
//! then ask Cognito for the options, and seal the tokens.

use std::time::Duration;

use auth_aws::BegunPasskeySetUp;
use auth_domain::{
    AuthenticatorMark, Guest, GuestName, MOST_PASSKEYS, Problem, SelfServiceTokens, SessionToken,
};
use auth_flows::Prover;
use auth_lambda::Exchange;
use serde_json::Value;

use crate::{Begun, Input, SetupPasskey};

/// The time between the options and the browser's answer. The lifetime of Cognito's challenge is
/// not documented; its sign-ins have five minutes.
const LIFETIME: Duration = Duration::from_mins(5);

impl SetupPasskey {
    pub(crate) async fn begin(&self, input: &Input, exchange: &Exchange) -> Result<Begun, Problem> {
        let (guest, prover) = if let Some(session_token) = &input.session_token {
            let guest = self.waiting.guest(session_token).await?;
            (guest, Prover::WaitingSignIn)
        } else {
            let caller = self.entrance.caller(exchange).await?;
            (self.callers.find(caller).await?, Prover::Caller)
        };
        if guest.passkeys.len() >= MOST_PASSKEYS {
            return Err(Problem::PasskeyLimit);
        }
        let tokens = self
            .proofs
            .for_passkeys(&guest, &input.proofs, prover, exchange)
            .await?;
        let waiting = input.session_token.as_ref();
        let begun = self.remember(&guest, &tokens, waiting).await;
        if begun.is_err() {
            self.proofs.give_back(&tokens).await;
        }
        begun
    }

    async fn remember(
        &self,
        guest: &Guest,
        tokens: &SelfServiceTokens,
        waiting: Option<&SessionToken>,
    ) -> Result<Begun, Problem> {
        let options = self.passkeys.begin(tokens).await?;
        let options = options.ok_or(Problem::PasskeyLimit)?;
        let session_token = SessionToken::generate(&self.randomness);
        let shown_with = guest.authenticator.as_ref().map(AuthenticatorMark::of);
        let waiting = waiting.map(SessionToken::held_sign_in_id);
        let begun = BegunPasskeySetUp {
            sub: &guest.cognito_sub,
            tokens,
            shown_with: shown_with.as_ref(),
            waiting: waiting.as_ref(),
            expires_at: self.clock.now().after(LIFETIME),
        };
        self.set_ups
            .begin(&session_token.passkey_set_up_id(), begun)
            .await?;
        Ok(Begun {
            session_token,
            options: with_names(options, guest),
        })
    }
}

/// The options with names for people: Cognito may put the sub there, and authenticators show these
/// names. The names are not signed.
fn with_names(mut options: Value, guest: &Guest) -> Value {
    let name = guest.name.as_ref().map(GuestName::as_str);
    if let Some(user) = options.get_mut("user").and_then(Value::as_object_mut) {
        let email = guest.email.as_str();
        user.insert("name".to_owned(), email.into());
        user.insert("displayName".to_owned(), name.unwrap_or(email).into());
    }
    options
}
