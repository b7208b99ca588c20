//! The decision: claim the registration, ask Cognito, put the passkey on the list, and finish the
//! waiting sign-in. The tokens of the registration are always revoked.

use auth_aws::{PasskeySetUp, Registered};
use auth_domain::{
    ActivityKind, AttemptId, Guest, HeldSetUp, HeldSignInId, Notice, Passkey, PasskeyId,
    PasskeyName, Problem, Report,
};
use auth_lambda::Exchange;
use tokio::join;

use crate::{Completed, Input, VerifyPasskeySetup};

/// The name of a passkey from an unknown maker.
const UNNAMED: &str = "Passkey";

impl VerifyPasskeySetup {
    pub(crate) async fn complete(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Completed, Problem> {
        let caller = match exchange.bearer_token() {
            Some(_) => Some(self.entrance.caller(exchange).await?),
            None => exchange.caller().ok(),
        };
        let guest = match caller {
            Some(caller) => Some(self.callers.find(caller).await?),
            None => None,
        };
        let id = input.session_token.passkey_set_up_id();
        let attempt = AttemptId::generate(&self.randomness);
        let (sub, now) = (caller.map(|caller| &caller.sub), self.clock.now());
        let set_up = self.set_ups.claim(&id, sub, &attempt, now).await?;
        let completed = match (guest, &set_up.waiting) {
            (Some(guest), _) => self.for_guest(input, guest, &set_up, exchange).await,
            (None, Some(id)) => self.for_sign_in(input, id, &set_up, exchange).await,
            (None, None) => Err(Problem::AuthRequired),
        };
        let refresh_token = &set_up.tokens.refresh_token;
        if self.token_service.revoke(refresh_token).await.is_err() {
            tracing::warn!("the tokens of a passkey's registration could not be revoked");
        }
        let (completed, guest) = completed?;
        let notice = Notice::PasskeyAdded;
        self.notices.tell(&guest, notice, exchange).await;
        Ok(completed)
    }

    async fn for_guest(
        &self,
        input: &Input,
        guest: Guest,
        set_up: &PasskeySetUp,
        exchange: &Exchange,
    ) -> Result<(Completed, Guest), Problem> {
        let registering = self.register(input, &guest, set_up, None, exchange);
        let passkey = registering.await?;
        let signed_in = None;
        Ok((Completed { passkey, signed_in }, guest))
    }

    /// Registers the passkey of a guest with a waiting sign-in, and finishes the sign-in.
    async fn for_sign_in(
        &self,
        input: &Input,
        id: &HeldSignInId,
        set_up: &PasskeySetUp,
        exchange: &Exchange,
    ) -> Result<(Completed, Guest), Problem> {
        let setting_up = self.waiting.resume(id.clone(), exchange).await?;
        let attempt = self.waiting.count_passkey(&setting_up).await?;
        let (guest, waiting) = (&setting_up.guest, Some(&setting_up.set_up));
        let registering = self.register(input, guest, set_up, waiting, exchange);
        let passkey = match registering.await {
            Ok(passkey) => passkey,
            Err(problem) => {
                attempt.give_back().await;
                return Err(problem);
            }
        };
        let guest = setting_up.guest.clone();
        let signed_in = if passkey.user_verified {
            self.waiting.sign_in(setting_up, attempt).await
        } else {
            attempt.give_back().await;
            None
        };
        Ok((Completed { passkey, signed_in }, guest))
    }

    async fn register(
        &self,
        input: &Input,
        guest: &Guest,
        set_up: &PasskeySetUp,
        waiting: Option<&HeldSetUp>,
        exchange: &Exchange,
    ) -> Result<Passkey, Problem> {
        let attestation = &input.attestation;
        if !self.user_verification.accepts(attestation.user_verified()) {
            return Err(Problem::InvalidSession);
        }
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
            // The registration is used up, whatever Cognito's reason.
            Registered::Refused => return Err(Problem::InvalidSession),
            Registered::TooMany => return Err(Problem::PasskeyLimit),
        }
        let kind = ActivityKind::PasskeyAdded;
        let may_stop_a_reset = waiting.is_none() && passkey.user_verified;
        let listed = async {
            let entry = self.activities.entry(guest, kind, exchange)?;
            let stopped = if may_stop_a_reset {
                self.activities.stopped_reset(guest, exchange)?
            } else {
                None
            };
            let stops = stopped.is_some();
            let sub = &guest.cognito_sub;
            let adding = self.list.add(sub, &passkey, waiting, entry, stopped, now);
            adding.await.map(|()| stops)
        };
        let stops_a_reset = match listed.await {
            Ok(stops) => stops,
            Err(problem) => {
                self.undo(guest, set_up, &passkey).await;
                return Err(problem);
            }
        };
        if stops_a_reset {
            let notice = Notice::FactorResetStopped;
            self.notices.tell(guest, notice, exchange).await;
        }
        Ok(passkey)
    }

    /// Takes back a passkey that could not be listed. An entry without its passkey at Cognito would
    /// be a factor that the guest cannot show.
    async fn undo(&self, guest: &Guest, set_up: &PasskeySetUp, passkey: &Passkey) {
        let (listed, kept) = join!(
            self.list.forget(&guest.cognito_sub, &passkey.id),
            self.passkeys.delete(&set_up.tokens, &passkey.credential_id)
        );
        if listed.is_err() {
            tracing::warn!("a passkey may stay on the list, and is not at Cognito");
        }
        if kept.is_err() {
            tracing::warn!("a passkey that is not on the list stays at Cognito");
        }
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
