//! The challenge `WEB_AUTHN`: made for a user or pretended for an unknown name, and
//! answered.

use serde_json::{Value, json};

use super::completion::complete;
use super::respond_to_challenge::Answer;
use crate::options::AllowedCredentials;
use crate::passkey;
use crate::place::Place;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::session::Step;
use crate::tokens::Reason;
use crate::user::User;

/// Asks for one of a user's passkeys. For an unknown name, it asks for a passkey that does not
/// exist.
pub(super) fn ask(
    service: &Service,
    place: &Place,
    typed: &str,
    user: Option<&User>,
) -> Result<Value, Refusal> {
    let relying_party = service.relying_party(&place.pool)?.ok_or_else(|| {
        Refusal::new(
            Exception::WebAuthnConfigurationMissing,
            "The user pool has neither a relying party id nor a domain.",
        )
    })?;
    let verification = place.pool.settings.user_verification();
    let (ceremony, challenge, allowed) = if let Some(user) = user {
        let (ceremony, challenge) = passkey::begin_assertion(user, &relying_party, verification)?;
        let allowed = passkey::allowed(user, &relying_party);
        (Some(ceremony), challenge, allowed)
    } else {
        let folded = place.pool.settings.folded(typed);
        let seed = service.simulated_passkey(&place.pool.id, &folded);
        let challenge = passkey::simulated_challenge();
        (None, challenge, passkey::simulated(&seed))
    };
    let options = passkey::request_options(
        &challenge,
        &relying_party,
        verification,
        place.client.settings.auth_session_validity * 60_000,
        match service.options.allowed_credentials {
            AllowedCredentials::Listed => Some(&allowed),
            AllowedCredentials::LeftOut => None,
        },
    );
    let step = Step::WebAuthn {
        relying_party,
        ceremony,
    };
    let username = user.map(|user| user.username.as_str());
    let session = place.open_session(service, typed, username, step)?;
    Ok(json!({
        "ChallengeName": "WEB_AUTHN",
        "ChallengeParameters": {"CREDENTIAL_REQUEST_OPTIONS": options.to_string()},
        "Session": session,
    }))
}

impl Answer<'_> {
    /// The session takes one assertion, right or wrong.
    pub(super) async fn web_authn(
        &self,
        relying_party: &str,
        ceremony: Option<&[u8]>,
    ) -> Result<Value, Refusal> {
        let credential = self.input.response("CREDENTIAL")?;
        let parsed: Result<Value, _> = serde_json::from_str(credential);
        if !parsed.is_ok_and(|credential| credential.is_object()) {
            return Err(Refusal::invalid("CREDENTIAL is not a JSON object."));
        }
        let user = self.consume(|transaction, found| {
            let (Some(username), Some(ceremony)) = (&found.session.username, ceremony) else {
                return Ok(None);
            };
            let mut user = User::find(transaction, &self.place.pool, username)?;
            let proved = passkey::finish_assertion(&mut user, relying_party, ceremony, credential)?;
            if proved.is_none() {
                return Ok(None);
            }
            user.save_quietly(transaction, &self.place.pool)?;
            Ok(Some(user))
        })?;
        let user = user.ok_or_else(|| Refusal::not_authorized("The passkey is not valid."))?;
        complete(
            self.service,
            self.place,
            &user,
            Reason::SignIn,
            self.input.client_metadata.as_ref(),
        )
        .await
    }
}
