//! An authenticator with room for one passkey, and the browser before it.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, ClientData, DefaultClientData, DefaultClientDataWithCustomHash};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey_types::Passkey;
use passkey_types::ctap2::{Aaguid, Ctap2Error};
use passkey_types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

/// A browser at one address with an authenticator of its own.
#[derive(Clone)]
pub(crate) struct Device {
    origin: Url,
    verifies: bool,
    passkey: Option<Passkey>,
}

/// The person at the device, who always agrees.
#[derive(Clone, Copy)]
struct Holder {
    verifies: bool,
}

#[async_trait]
impl UserValidationMethod for Holder {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck {
            presence,
            verification: verification && self.verifies,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(self.verifies)
    }
}

impl Device {
    /// One that asks its holder for a finger or a PIN.
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            origin: origin.parse().unwrap(),
            verifies: true,
            passkey: None,
        }
    }

    /// A device that asks its holder only for a touch.
    pub(crate) fn without_verification(origin: &str) -> Self {
        Self {
            verifies: false,
            ..Self::at(origin)
        }
    }

    /// `navigator.credentials.create`: `RegistrationResponseJSON`.
    pub(crate) async fn create(&mut self, options: &Value) -> Value {
        let mut client = Client::new(self.authenticator())
            .allows_insecure_localhost(true)
            .user_verification_when_preferred(self.verifies);
        let request: CredentialCreationOptions =
            serde_json::from_value(json!({ "publicKey": options })).unwrap();
        let made = client
            .register(&self.origin, request, DefaultClientData)
            .await
            .unwrap();
        self.passkey.clone_from(client.authenticator().store());
        serde_json::to_value(made).unwrap()
    }

    /// The same device with the same passkey, whose holder only touches it.
    pub(crate) fn touched(&self) -> Self {
        Self {
            verifies: false,
            ..self.clone()
        }
    }

    /// `navigator.credentials.get`: `AuthenticationResponseJSON`.
    pub(crate) async fn get(&mut self, options: &Value) -> Value {
        self.sign(options, DefaultClientData).await
    }

    /// What a page of another origin gets before a browser that lets it ask for any passkey: the
    /// device signs that origin.
    pub(crate) async fn get_at(&mut self, origin: &str, options: &Value) -> Value {
        // The order of the members is the specification's.
        let seen = format!(
            r#"{{"type":"webauthn.get","challenge":{},"origin":"{origin}","crossOrigin":false}}"#,
            options["challenge"]
        );
        let hash = Sha256::digest(&seen).to_vec();
        let mut made = self
            .sign(options, DefaultClientDataWithCustomHash(hash))
            .await;
        made["response"]["clientDataJSON"] = json!(URL_SAFE_NO_PAD.encode(seen));
        made
    }

    async fn sign(&mut self, options: &Value, client_data: impl ClientData<()>) -> Value {
        let mut client = Client::new(self.authenticator())
            .allows_insecure_localhost(true)
            .user_verification_when_preferred(self.verifies);
        let request: CredentialRequestOptions =
            serde_json::from_value(json!({ "publicKey": options })).unwrap();
        let made = client
            .authenticate(&self.origin, request, client_data)
            .await
            .unwrap();
        self.passkey.clone_from(client.authenticator().store());
        serde_json::to_value(made).unwrap()
    }

    fn authenticator(&self) -> Authenticator<Option<Passkey>, Holder, RustCryptoBackend> {
        let holder = Holder {
            verifies: self.verifies,
        };
        let aaguid = Aaguid::new_empty();
        let mut authenticator =
            Authenticator::new(aaguid, self.passkey.clone(), holder, RustCryptoBackend);
        authenticator.set_make_credentials_with_signature_counter(true);
        authenticator
    }
}
