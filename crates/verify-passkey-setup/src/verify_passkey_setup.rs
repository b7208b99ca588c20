//! The decision: claim the registration, ask Cognito, put the passkey on the list; the tokens of
//! the registration are revoked whatever comes of it.

use auth_aws::{PasskeySetUp, Registered};
use auth_domain::{
    ActivityKind, AttemptId, Guest, Notice, Passkey, PasskeyId, PasskeyName, Problem, Report,
};
use auth_lambda::Exchange;

use crate::{Input, VerifyPasskeySetup};

/// What a passkey is called whose maker nobody knows.
const UNNAMED: &str = "Passkey";

impl VerifyPasskeySetup {
    pub(crate) async fn complete(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Passkey, Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let id = input.session_token.passkey_set_up_id();
        let attempt = AttemptId::generate(&self.randomness);
        let now = self.clock.now();
        let set_up = self
            .set_ups
            .claim(&id, &guest.cognito_sub, &attempt, now)
            .await?;
        let registered = self.register(input, &guest, &set_up, exchange).await;
        let refresh_token = &set_up.tokens.refresh_token;
        if self.token_service.revoke(refresh_token).await.is_err() {
            tracing::warn!("the tokens of a passkey's registration could not be revoked");
        }
        let passkey = registered?;
        let notice = Notice::PasskeyAdded;
        self.notices.tell(&guest.email, notice, exchange).await;
        Ok(passkey)
    }

    async fn register(
        &self,
        input: &Input,
        guest: &Guest,
        set_up: &PasskeySetUp,
        exchange: &Exchange,
    ) -> Result<Passkey, Problem> {
        let attestation = &input.attestation;
        let now = self.clock.now();
        let passkey = Passkey {
            id: PasskeyId::of(attestation.id()),
            credential_id: attestation.id().clone(),
            name: Self::name(input)?,
            created_at: now,
            last_used_at: None,
            user_verified: attestation.user_verified(),
            shown_with: set_up.shown_with.clone(),
        };
        match self.passkeys.complete(&set_up.tokens, attestation).await? {
            Registered::Kept => {}
            // What was begun is over, whatever Cognito found.
            Registered::Refused => return Err(Problem::InvalidSession),
            Registered::TooMany => return Err(Problem::PasskeyLimit),
        }
        let kind = ActivityKind::PasskeyAdded;
        let listed = async {
            let entry = self.activities.entry(guest, kind, exchange)?;
            let sub = &guest.cognito_sub;
            self.list.add(sub, &passkey, entry, now).await
        };
        if let Err(problem) = listed.await {
            let id = attestation.id();
            if self.passkeys.delete(&set_up.tokens, id).await.is_err() {
                tracing::warn!("a passkey that is not on the list stays at Cognito");
            }
            return Err(problem);
        }
        Ok(passkey)
    }

    fn name(input: &Input) -> Result<PasskeyName, Problem> {
        match input
            .name
            .clone()
            .or_else(|| input.attestation.name_of_maker())
        {
            Some(name) => Ok(name),
            None => PasskeyName::parse(UNNAMED)
                .map_err(|error| Problem::Internal(Report::new("name the passkey", error))),
        }
    }
}
