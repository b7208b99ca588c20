//! Passkeys: devices at the front end, and requests about their passkeys.

use reqwest::Method;
use serde_json::{Value, json};

use super::device::Device;
use super::{Answer, Browser, SignedIn, TestWorld};

/// A guest with a passkey, signed in, and the device that holds it.
pub(crate) struct Holder<'world> {
    pub(crate) session: SignedIn<'world>,
    pub(crate) device: Device,
    /// As the list shows it.
    pub(crate) passkey: Value,
}

impl Holder<'_> {
    /// The passkey's path at the gateway.
    pub(crate) fn path(&self) -> String {
        let id = self.passkey["passkeyId"].as_str().expect("an id");
        format!("/me/passkeys/{id}")
    }
}

impl TestWorld {
    /// The origin of the page and the front end: passkeys need a name, not an address.
    pub(crate) fn origin(&self) -> String {
        self.ready().page.trim_end_matches('/').to_owned()
    }

    pub(crate) fn device(&self) -> Device {
        Device::at(&self.origin())
    }

    /// Signs in by code, and registers a passkey by another.
    pub(crate) async fn holder(&self, email: &str) -> Holder<'_> {
        self.holder_with(email, self.device()).await
    }

    pub(crate) async fn holder_with(&self, email: &str, mut device: Device) -> Holder<'_> {
        let mut session = self.sign_in(email).await;
        session.browser.bearer(&session.access_token);
        let proof = json!({ "proof": session.browser.mailed_proof(email, "passkey").await });
        let added = session.browser.add_passkey(proof, &mut device).await;
        added.expect_status(201);
        Holder {
            session,
            device,
            passkey: added.body.clone(),
        }
    }
}

impl Browser<'_> {
    pub(crate) async fn set_up_passkey(&mut self, proofs: Value) -> Answer {
        self.post("/me/passkeys", proofs).await
    }

    pub(crate) async fn complete_passkey(&mut self, begun: &Answer, credential: &Value) -> Answer {
        let body = json!({ "sessionToken": begun["sessionToken"], "credential": credential });
        self.post("/me/passkeys/verify", body).await
    }

    /// The whole registration; the answer is the last.
    pub(crate) async fn add_passkey(&mut self, proofs: Value, device: &mut Device) -> Answer {
        let begun = self.set_up_passkey(proofs).await;
        begun.expect_status(200);
        let credential = device.create(&begun["options"]).await;
        self.complete_passkey(&begun, &credential).await
    }

    pub(crate) async fn remove_passkey(&mut self, passkey_id: &str, proofs: Value) -> Answer {
        let headers = [("content-type", "application/json")];
        let path = format!("/me/passkeys/{passkey_id}");
        let body = proofs.to_string().into_bytes();
        self.send(Method::DELETE, &path, &headers, body).await
    }

    /// Asks for a passkey as a fresh proof.
    pub(crate) async fn ask_for_passkey(&mut self, purpose: &str) -> Answer {
        let body = json!({ "purpose": purpose, "method": "passkey" });
        let asked = self.post("/me/proof", body).await;
        asked.expect_status(200);
        asked
    }

    /// The device's answer to a challenge for a fresh proof.
    pub(crate) async fn passkey_proof(&mut self, purpose: &str, device: &mut Device) -> Value {
        let asked = self.ask_for_passkey(purpose).await;
        let credential = device.get(&asked["options"]).await;
        json!({ "sessionToken": asked["sessionToken"], "credential": credential })
    }

    pub(crate) async fn start_passkey(&mut self, email: &str) -> Answer {
        let started = self
            .post("/auth/passkey/initiate", json!({ "email": email }))
            .await;
        started.expect_status(200);
        started
    }

    pub(crate) async fn prove_passkey(&mut self, started: &Answer, credential: &Value) -> Answer {
        let body = json!({ "sessionToken": started["sessionToken"], "credential": credential });
        self.post("/auth/passkey/verify", body).await
    }

    /// The whole sign-in; the answer is the last.
    pub(crate) async fn passkey_sign_in(&mut self, email: &str, device: &mut Device) -> Answer {
        let started = self.start_passkey(email).await;
        let credential = device.get(&started["options"]).await;
        self.prove_passkey(&started, &credential).await
    }
}
