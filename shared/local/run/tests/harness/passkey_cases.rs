//! What can become of the operations about passkeys, each as a stage: everything before the request
//! is done, and the request is ready to be sent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::{Answer, Browser, TestWorld};

/// After this the functions read their secrets anew.
const UNTIL_COLD_SECONDS: u64 = 301;

/// A case of an operation, as `calls.yaml` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    SetUpByPassword,
    SetUpByMail,
    SetUpWithAuthenticator,
    Completion,
    Refusal,
    Listing,
    Renaming,
    Removal,
    RemovalWithAuthenticator,
    RemovalOfNothing,
    StartWithPasskey,
    StartWithout,
    Proof,
    ProofBeforeAuthenticator,
    WrongProof,
}

/// A request, ready to be sent.
pub(crate) struct Stage<'world> {
    browser: Browser<'world>,
    method: Method,
    path: String,
    body: Value,
}

impl Case {
    pub(crate) const ALL: [Self; 15] = [
        Self::SetUpByPassword,
        Self::SetUpByMail,
        Self::SetUpWithAuthenticator,
        Self::Completion,
        Self::Refusal,
        Self::Listing,
        Self::Renaming,
        Self::Removal,
        Self::RemovalWithAuthenticator,
        Self::RemovalOfNothing,
        Self::StartWithPasskey,
        Self::StartWithout,
        Self::Proof,
        Self::ProofBeforeAuthenticator,
        Self::WrongProof,
    ];

    /// The operation's and the case's name in `calls.yaml`.
    pub(crate) fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::SetUpByPassword => ("setup-passkey", "proved by password"),
            Self::SetUpByMail => ("setup-passkey", "proved by mail"),
            Self::SetUpWithAuthenticator => ("setup-passkey", "proved with an authenticator"),
            Self::Completion => ("verify-passkey-setup", "registered"),
            Self::Refusal => ("verify-passkey-setup", "refused"),
            Self::Listing => ("list-passkeys", "listed"),
            Self::Renaming => ("rename-passkey", "renamed"),
            Self::Removal => ("delete-passkey", "proved by password"),
            Self::RemovalWithAuthenticator => ("delete-passkey", "proved with an authenticator"),
            Self::RemovalOfNothing => ("delete-passkey", "nothing to remove"),
            Self::StartWithPasskey => ("initiate-passkey", "guest with a passkey"),
            Self::StartWithout => ("initiate-passkey", "address without a guest"),
            Self::Proof => ("verify-passkey", "guest on a new device"),
            Self::ProofBeforeAuthenticator => ("verify-passkey", "guest with an authenticator"),
            Self::WrongProof => ("verify-passkey", "challenge made up"),
        }
    }

    /// What the operation answers when nothing goes wrong.
    pub(crate) fn healthy_status(self) -> u16 {
        match self {
            Self::SetUpByPassword
            | Self::SetUpByMail
            | Self::SetUpWithAuthenticator
            | Self::Listing
            | Self::Renaming
            | Self::StartWithPasskey
            | Self::StartWithout
            | Self::Proof
            | Self::ProofBeforeAuthenticator => 200,
            Self::Completion => 201,
            Self::Removal | Self::RemovalWithAuthenticator | Self::RemovalOfNothing => 204,
            Self::Refusal => 400,
            Self::WrongProof => 401,
        }
    }

    /// Does everything before the request. The function that takes it has no secrets yet.
    pub(crate) async fn prepare(self, world: &TestWorld) -> Stage<'_> {
        world.registered(ADA, PASSWORD).await;
        let password = json!({ "password": PASSWORD });
        if matches!(self, Self::StartWithout | Self::WrongProof) {
            return self.of_nobody(world).await;
        }
        let mut holder = world.holder(ADA).await;
        let id = holder.passkey["passkeyId"].as_str().unwrap();
        let one = format!("/me/passkeys/{id}");
        let mut password = password;
        if self.is_guarded() {
            let guest = world.guarded_by_password(ADA, PASSWORD).await;
            world.advance(UNTIL_COLD_SECONDS);
            password["mfaCode"] = json!(guest.app.next_code());
            holder.session = guest.session;
        } else {
            world.advance(UNTIL_COLD_SECONDS);
        }
        let (method, path, body) = match self {
            Self::SetUpByPassword | Self::SetUpWithAuthenticator => {
                (Method::POST, "/me/passkeys".to_owned(), password)
            }
            Self::SetUpByMail => {
                let proof = json!({ "proof": world.mailed_proof(ADA).await });
                (Method::POST, "/me/passkeys".to_owned(), proof)
            }
            Self::Completion | Self::Refusal => {
                let begun = holder.session.browser.set_up_passkey(password).await;
                let mut device = world.device();
                let mut credential = device.create(&begun["options"]).await;
                if self == Self::Refusal {
                    credential["response"]["attestationObject"] = json!("oA");
                }
                let token = &begun["sessionToken"];
                let body = json!({ "sessionToken": token, "credential": credential });
                (Method::POST, "/me/passkeys/verify".to_owned(), body)
            }
            Self::Listing => (Method::GET, "/me/passkeys".to_owned(), Value::Null),
            Self::Renaming => (Method::PATCH, one, json!({ "name": "Phone" })),
            Self::Removal | Self::RemovalWithAuthenticator => (Method::DELETE, one, password),
            Self::RemovalOfNothing => {
                let unknown = format!("/me/passkeys/{}", "A".repeat(43));
                (Method::DELETE, unknown, password)
            }
            Self::StartWithPasskey => {
                let body = json!({ "email": ADA });
                (Method::POST, "/auth/passkey/initiate".to_owned(), body)
            }
            Self::Proof | Self::ProofBeforeAuthenticator => {
                let started = world.browser().start_passkey(ADA).await;
                let credential = holder.device.get(&started["options"]).await;
                let token = &started["sessionToken"];
                let body = json!({ "sessionToken": token, "credential": credential });
                (Method::POST, "/auth/passkey/verify".to_owned(), body)
            }
            Self::StartWithout | Self::WrongProof => unreachable!("nobody's, and dealt with"),
        };
        let signs_in = path.starts_with("/auth/");
        Stage {
            browser: if signs_in {
                world.browser()
            } else {
                holder.session.browser
            },
            method,
            path,
            body,
        }
    }

    /// Whether the guest has set an authenticator up since the passkey.
    fn is_guarded(self) -> bool {
        [
            Self::SetUpWithAuthenticator,
            Self::RemovalWithAuthenticator,
            Self::ProofBeforeAuthenticator,
        ]
        .contains(&self)
    }

    async fn of_nobody(self, world: &TestWorld) -> Stage<'_> {
        let (path, body) = if self == Self::StartWithout {
            ("/auth/passkey/initiate", json!({ "email": EVE }))
        } else {
            let mut holder = world.holder(ADA).await;
            let started = world.browser().start_passkey(EVE).await;
            let credential = holder.device.get(&started["options"]).await;
            let token = &started["sessionToken"];
            let body = json!({ "sessionToken": token, "credential": credential });
            ("/auth/passkey/verify", body)
        };
        Stage {
            browser: world.browser(),
            method: Method::POST,
            path: path.to_owned(),
            body,
        }
    }
}

impl Stage<'_> {
    /// Sends the request; the same one each time.
    pub(crate) async fn act(&mut self) -> Answer {
        let body = if self.body.is_null() {
            Vec::new()
        } else {
            self.body.to_string().into_bytes()
        };
        let headers = [("content-type", "application/json")];
        let headers = if body.is_empty() { &[][..] } else { &headers };
        self.browser
            .send(self.method.clone(), &self.path, headers, body)
            .await
    }
}
