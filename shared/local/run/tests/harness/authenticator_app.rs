//! An authenticator app and a person's use of it, as steps for tests.

use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use totp_rs::{Builder, Totp};

use crate::harness::people::ADA;
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

/// Seconds of a step.
pub(crate) const STEP_SECONDS: u64 = 30;

/// An app that has taken up a secret. Its clock is the world's.
#[derive(Clone)]
pub(crate) struct App<'world> {
    world: &'world TestWorld,
    totp: Totp,
}

impl<'world> App<'world> {
    /// Takes up a secret as a person types it.
    pub(crate) fn new(world: &'world TestWorld, secret: &str) -> Self {
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).expect("base32");
        let secret: [u8; 20] = secret.try_into().expect("160 bits");
        let totp = Builder::new()
            .with_secret(secret)
            .build()
            .expect("160 bits");
        Self { world, totp }
    }

    /// The code that it shows now.
    pub(crate) fn code(&self) -> String {
        self.code_at(0)
    }

    /// The code of some steps from now.
    pub(crate) fn code_at(&self, steps: i64) -> String {
        let now = self.world.clock().now().as_seconds() + steps * 30;
        let code = self.totp.generate(u64::try_from(now).expect("after 1970"));
        let code = code.to_string();
        self.world.remember_secrets(&json!({ "code": code }));
        code
    }

    /// Waits for the next step and shows its code: the one before may have been used.
    pub(crate) fn next_code(&self) -> String {
        self.world.advance(STEP_SECONDS);
        self.code()
    }
}

/// A guest who has set up an authenticator.
pub(crate) struct Guarded<'world> {
    /// The browser and the session of the set-up.
    pub(crate) session: SignedIn<'world>,
    pub(crate) app: App<'world>,
    pub(crate) backup_codes: Vec<String>,
}

impl Browser<'_> {
    /// Asks for a new secret.
    pub(crate) async fn set_up(&mut self, proofs: Value) -> Answer {
        self.post("/auth/mfa/setup", proofs).await
    }

    /// Brings the first code.
    pub(crate) async fn confirm_set_up(&mut self, code: &str) -> Answer {
        self.post("/auth/mfa/setup/verify", json!({ "code": code }))
            .await
    }

    /// Brings the second factor: `{"code": …}`, say.
    pub(crate) async fn second_factor(&mut self, session_token: &str, factor: Value) -> Answer {
        let mut body = factor;
        body["sessionToken"] = json!(session_token);
        self.post("/auth/mfa/verify", body).await
    }

    /// Asks to remove the authenticator.
    pub(crate) async fn disable(&mut self, proofs: Value) -> Answer {
        self.post("/auth/mfa/disable", proofs).await
    }

    /// A proof by a code that is mailed now, for one purpose.
    pub(crate) async fn mailed_proof(&mut self, email: &str, purpose: &str) -> Value {
        let requested = self.post("/me/proof", json!({ "purpose": purpose })).await;
        requested.expect_status(200);
        let code = self.world.mail_code(email).await;
        json!({ "sessionToken": requested["sessionToken"], "code": code })
    }
}

impl TestWorld {
    /// A sign-in and its code, which prove the guest of another sign-in that waits for a set-up.
    pub(crate) async fn mailed_sign_in(&self, email: &str) -> Value {
        let session_token = self.browser().started(email).await;
        json!({ "sessionToken": session_token, "code": self.mail_code(email).await })
    }

    /// Signs an address in and sets an authenticator up for it, proved by mail.
    pub(crate) async fn guarded(&self, email: &str) -> Guarded<'_> {
        let mut session = self.sign_in(email).await;
        session.browser.bearer(&session.access_token);
        let proof = session.browser.mailed_proof(email, "authenticator").await;
        self.guard(session, json!({ "proof": proof })).await
    }

    /// The same proved by a password.
    pub(crate) async fn guarded_by_password(&self, email: &str, password: &str) -> Guarded<'_> {
        let session = self.sign_in(email).await;
        self.guard(session, json!({ "password": password })).await
    }

    async fn guard<'world>(
        &'world self,
        mut session: SignedIn<'world>,
        proofs: Value,
    ) -> Guarded<'world> {
        session.browser.bearer(&session.access_token);
        let set_up = session.browser.set_up(proofs).await;
        set_up.expect_status(200);
        let app = App::new(self, &set_up.text("secret"));
        let confirmed = session.browser.confirm_set_up(&app.code()).await;
        confirmed.expect_status(200);
        let codes = confirmed["backupCodes"].as_array().expect("codes");
        let backup_codes = codes
            .iter()
            .map(|code| code.as_str().expect("text").to_owned())
            .collect();
        Guarded {
            session,
            app,
            backup_codes,
        }
    }

    /// Signs a guarded address in up to the second factor; returns the handle of the held sign-in.
    pub(crate) async fn held(&self, email: &str) -> String {
        let held = self.browser().sign_in(email).await;
        held.expect_status(200);
        assert_eq!(held["mfaRequired"], true, "{}", held.body);
        held.text("sessionToken")
    }
}

/// Fifty attempts may be made at all, so that only the single use of a code decides.
pub(crate) const GENEROUS: [(&str, &str); 2] =
    [("MFA_ATTEMPTS", "60"), ("MFA_FAILURES_PER_USER", "100")];

pub(crate) fn code(code: &str) -> Value {
    json!({ "code": code })
}

pub(crate) fn statuses(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

pub(crate) fn assert_told(world: &TestWorld, subject: &str) {
    assert!(world.mails(ADA).iter().any(|mail| mail.subject == subject));
}
