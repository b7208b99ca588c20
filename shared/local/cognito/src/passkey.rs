//! Users' passkeys, and the two ceremonies of `WebAuthn`, which `webauthn_rp` verifies.
//!
//! The challenges are the library's own: it accepts no source of randomness. Its time-outs are set
//! beyond use, so that the clock of this crate decides about expiry.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_kit::{Millis, seconds};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::{
    AllowedCredentials, AuthenticationVerificationOptions,
    NonDiscoverableAuthenticationServerState, NonDiscoverableCredentialRequestOptions,
};
use webauthn_rp::request::register::{
    CoseAlgorithmIdentifier, CoseAlgorithmIdentifiers, CredProtect,
    PublicKeyCredentialCreationOptions, PublicKeyCredentialUserEntity,
    RegistrationVerificationOptions, UserHandle, Username,
};
use webauthn_rp::request::{
    Challenge, Credentials as _, PublicKeyCredentialDescriptor, UserVerificationRequirement,
};
use webauthn_rp::response::register::error::RegCeremonyErr;
use webauthn_rp::response::register::{DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId, Origin};
use webauthn_rp::{
    AuthenticatedCredential, NonDiscoverableAuthentication, Registration, RegistrationServerState,
};

use crate::pool::UserVerification;
use crate::refusal::{Exception, Refusal};
use crate::relying_party::rp_id;
use crate::user::User;

/// The passkeys that one user can have (developer guide, "Passkey sign-in").
pub(crate) const MOST: usize = 20;

/// The lifetime of a registration. AWS does not document it.
pub(crate) const REGISTRATION: Millis = 300_000;

/// The time-out for the browser, as in AWS's samples.
const REGISTRATION_TIMEOUT: Millis = 60_000;

/// A user handle is the sub in ASCII.
const HANDLE: usize = 36;

/// A stored passkey.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Passkey {
    /// In base64url, as on the wire.
    pub(crate) id: String,
    pub(crate) relying_party: String,
    pub(crate) created: Millis,
    attachment: Option<String>,
    transports: Vec<String>,
    /// The public key, as `webauthn_rp` encodes it.
    key: Vec<u8>,
    /// The counter and the flags, as `webauthn_rp` encodes them.
    state: [u8; 7],
}

/// The registration that a user has begun.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// The app client whose token began it.
    pub(crate) client: String,
    pub(crate) relying_party: String,
    pub(crate) expires: Millis,
    ceremony: Vec<u8>,
}

impl Passkey {
    /// The shape `WebAuthnCredentialDescription`.
    pub(crate) fn shown(&self) -> Value {
        let name: String = self.id.chars().take(8).collect();
        let mut shown = json!({
            "CredentialId": self.id,
            "FriendlyCredentialName": format!("Passkey {name}"),
            "RelyingPartyId": self.relying_party,
            "AuthenticatorTransports": self.transports,
            "CreatedAt": seconds(self.created),
        });
        if let Some(attachment) = &self.attachment {
            shown["AuthenticatorAttachment"] = json!(attachment);
        }
        shown
    }

    fn descriptor(&self) -> Result<PublicKeyCredentialDescriptor<Vec<u8>>, Refusal> {
        let id = URL_SAFE_NO_PAD.decode(&self.id).map_err(broken)?;
        Ok(PublicKeyCredentialDescriptor {
            id: CredentialId::try_from(id).map_err(broken)?,
            transports: AuthTransports::NONE,
        })
    }
}

/// Begins a registration. The second value is the options for the browser.
pub(crate) fn begin_registration(
    user: &User,
    client: &str,
    relying_party: &str,
    verification: UserVerification,
    now: Millis,
) -> Result<(Begun, Value), Refusal> {
    let rp_id = rp_id(relying_party)?;
    let handle = handle(user)?;
    let name = Username::try_from(user.sub.as_str()).map_err(broken)?;
    let entity = PublicKeyCredentialUserEntity {
        name,
        id: &handle,
        display_name: None,
    };
    let mut options = PublicKeyCredentialCreationOptions::passkey(&rp_id, entity, Vec::new());
    options.timeout = NonZeroU32::MAX;
    options.pub_key_cred_params = CoseAlgorithmIdentifiers::ALL
        .remove(CoseAlgorithmIdentifier::Eddsa)
        .remove(CoseAlgorithmIdentifier::Es384);
    options.authenticator_selection.user_verification = verification.requirement();
    options.extensions.cred_protect = CredProtect::None;
    let (ceremony, browser) = options.start_ceremony().map_err(broken)?;
    let challenge = text(&browser.options().challenge);
    let excluded: Vec<Value> = user
        .passkeys_of(relying_party)
        .map(|passkey| json!({"id": passkey.id, "type": "public-key"}))
        .collect();
    let begun = Begun {
        client: client.to_owned(),
        relying_party: relying_party.to_owned(),
        expires: now + REGISTRATION,
        ceremony: ceremony.encode().map_err(broken)?,
    };
    let options = json!({
        "authenticatorSelection": {
            "requireResidentKey": true,
            "residentKey": "required",
            "userVerification": verification.name(),
        },
        "challenge": challenge,
        "excludeCredentials": excluded,
        "pubKeyCredParams": [
            {"alg": -7, "type": "public-key"},
            {"alg": -257, "type": "public-key"},
        ],
        "rp": {"id": relying_party, "name": relying_party},
        "timeout": REGISTRATION_TIMEOUT,
        "user": {
            "displayName": user.username,
            "id": URL_SAFE_NO_PAD.encode(&user.sub),
            "name": user.username,
        },
    });
    Ok((begun, options))
}

/// Verifies an authenticator's new credential.
pub(crate) fn finish_registration(
    begun: &Begun,
    credential: &Value,
    now: Millis,
) -> Result<Passkey, Refusal> {
    let malformed = || Refusal::invalid("The credential is not valid.");
    let ceremony = RegistrationServerState::<HANDLE>::decode(&begun.ceremony).map_err(broken)?;
    let response = serde_json::to_vec(credential)?;
    let registration = Registration::from_json_relaxed(&response).map_err(|_| malformed())?;
    let origins = [Within(&begun.relying_party)];
    let options = RegistrationVerificationOptions::<Within<'_>, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..RegistrationVerificationOptions::default()
    };
    let registered = ceremony
        .verify(&rp_id(&begun.relying_party)?, &registration, &options)
        .map_err(|error| refused(&error).unwrap_or_else(malformed))?;
    let words = |value: &Value| value.as_str().map(str::to_owned);
    let transports = credential["response"]["transports"].as_array();
    Ok(Passkey {
        id: URL_SAFE_NO_PAD.encode(registered.id().into_inner()),
        relying_party: begun.relying_party.clone(),
        created: now,
        attachment: words(&credential["authenticatorAttachment"]),
        transports: transports
            .map(|transports| transports.iter().filter_map(words).collect())
            .unwrap_or_default(),
        key: registered.static_state().encode().map_err(broken)?,
        state: registered.dynamic_state().encode().map_err(broken)?,
    })
}

/// AWS's name of the failure, if it has one.
fn refused(error: &RegCeremonyErr) -> Option<Refusal> {
    let (exception, message) = if matches!(
        error,
        RegCeremonyErr::OriginMismatch
            | RegCeremonyErr::CrossOrigin
            | RegCeremonyErr::TopOriginMismatch
    ) {
        (
            Exception::WebAuthnOriginNotAllowed,
            "The origin of the credential is not allowed.",
        )
    } else if matches!(error, RegCeremonyErr::RpIdHashMismatch) {
        (
            Exception::WebAuthnRelyingPartyMismatch,
            "The credential is of another relying party.",
        )
    } else if matches!(
        error,
        RegCeremonyErr::ChallengeMismatch | RegCeremonyErr::Timeout
    ) {
        (
            Exception::WebAuthnChallengeNotFound,
            "The challenge of the credential was not found.",
        )
    } else if matches!(
        error,
        RegCeremonyErr::PublicKeyAlgorithmMismatch
            | RegCeremonyErr::PubKey(_)
            | RegCeremonyErr::UserNotVerified
    ) {
        (
            Exception::WebAuthnCredentialNotSupported,
            "The credential is not supported.",
        )
    } else {
        return None;
    };
    Some(Refusal::new(exception, message))
}

/// A sign-in by one of the user's passkeys: the ceremony to keep, and its challenge.
pub(crate) fn begin_assertion(
    user: &User,
    relying_party: &str,
    verification: UserVerification,
) -> Result<(Vec<u8>, String), Refusal> {
    let rp_id = rp_id(relying_party)?;
    let mut allowed = AllowedCredentials::with_capacity(MOST);
    for passkey in user.passkeys_of(relying_party) {
        allowed.push(passkey.descriptor()?.into());
    }
    let mut options =
        NonDiscoverableCredentialRequestOptions::second_factor(&rp_id, allowed).map_err(broken)?;
    options.options().timeout = NonZeroU32::MAX;
    options.options().user_verification = verification.requirement();
    let challenge = text(&options.options().challenge);
    let (ceremony, _) = options.start_ceremony().map_err(broken)?;
    Ok((ceremony.encode().map_err(broken)?, challenge))
}

/// The challenge of a simulated sign-in.
pub(crate) fn simulated_challenge() -> String {
    text(&Challenge::new())
}

/// `CREDENTIAL_REQUEST_OPTIONS`. `None` leaves the list of credentials out.
pub(crate) fn request_options(
    challenge: &str,
    relying_party: &str,
    verification: UserVerification,
    timeout: Millis,
    allowed: Option<&[Value]>,
) -> Value {
    let mut options = json!({
        "challenge": challenge,
        "timeout": timeout,
        "rpId": relying_party,
        "userVerification": verification.name(),
    });
    if let Some(allowed) = allowed {
        options["allowCredentials"] = json!(allowed);
    }
    options
}

/// `allowCredentials` of a user.
pub(crate) fn allowed(user: &User, relying_party: &str) -> Vec<Value> {
    user.passkeys_of(relying_party)
        .map(|passkey| {
            json!({"type": "public-key", "id": passkey.id, "transports": passkey.transports})
        })
        .collect()
}

/// `allowCredentials` of an unknown name: the same every time, because `seed` is.
pub(crate) fn simulated(seed: &[u8; 32]) -> Vec<Value> {
    let id = URL_SAFE_NO_PAD.encode(seed);
    vec![json!({"type": "public-key", "id": id, "transports": ["internal"]})]
}

/// Verifies an assertion, and stores its counter. `None` if it is wrong.
pub(crate) fn finish_assertion(
    user: &mut User,
    relying_party: &str,
    ceremony: &[u8],
    credential: &str,
) -> Result<Option<()>, Refusal> {
    let ceremony = NonDiscoverableAuthenticationServerState::decode(ceremony).map_err(broken)?;
    let Ok(response) =
        NonDiscoverableAuthentication::<HANDLE>::from_json_relaxed(credential.as_bytes())
    else {
        return Ok(None);
    };
    let id = URL_SAFE_NO_PAD.encode(response.raw_id().into_inner());
    let handle = handle(user)?;
    let Some(passkey) = user
        .passkeys
        .iter_mut()
        .find(|passkey| passkey.id == id && passkey.relying_party == relying_party)
    else {
        return Ok(None);
    };
    let key = StaticState::decode(passkey.key.as_slice()).map_err(broken)?;
    let state = DynamicState::decode(passkey.state).map_err(broken)?;
    let mut known =
        AuthenticatedCredential::new(response.raw_id(), &handle, key, state).map_err(broken)?;
    let origins = [Within(relying_party)];
    let options = AuthenticationVerificationOptions::<Within<'_>, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..AuthenticationVerificationOptions::default()
    };
    if ceremony
        .verify(&rp_id(relying_party)?, &response, &mut known, &options)
        .is_err()
    {
        return Ok(None);
    }
    passkey.state = known.dynamic_state().encode().map_err(broken)?;
    Ok(Some(()))
}

/// The origins of a relying party: its own name and those below it, over HTTPS; over HTTP on this
/// machine only.
struct Within<'a>(&'a str);

impl PartialEq<Origin<'_>> for Within<'_> {
    fn eq(&self, origin: &Origin<'_>) -> bool {
        let Ok(url) = Url::parse(&origin.0) else {
            return false;
        };
        let host = url.host_str().unwrap_or_default();
        let below = |name: &str| {
            host == name
                || host
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
        };
        let secure = url.scheme() == "https" || (url.scheme() == "http" && below("localhost"));
        secure && below(self.0)
    }
}

fn handle(user: &User) -> Result<UserHandle<HANDLE>, Refusal> {
    let sub: [u8; HANDLE] = user.sub.as_bytes().try_into().map_err(broken)?;
    Ok(UserHandle::from(sub))
}

/// A challenge in the form of the wire.
fn text(challenge: &Challenge) -> String {
    URL_SAFE_NO_PAD.encode(challenge.as_data().to_le_bytes())
}

/// The stored state does not have this crate's form.
fn broken(cause: impl std::error::Error + 'static) -> Refusal {
    Refusal::internal(&cause)
}

impl UserVerification {
    const fn requirement(self) -> UserVerificationRequirement {
        match self {
            Self::Required => UserVerificationRequirement::Required,
            Self::Preferred => UserVerificationRequirement::Preferred,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Preferred => "preferred",
        }
    }
}
