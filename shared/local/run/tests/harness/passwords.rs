//! The steps of registrations, logins and resets.

use serde_json::json;

use crate::harness::{Answer, Browser, TestWorld};

/// The guests' choices.
pub(crate) const PASSWORD: &str = "nine lives of a cat";

pub(crate) const OTHER_PASSWORD: &str = "ten lives of a lucky cat";

/// Six digits that a mail contains once in a million.
pub(crate) const WRONG_RESET_CODE: &str = "404170";

impl Browser<'_> {
    pub(crate) async fn register(&mut self, email: &str, password: &str) -> Answer {
        let registration = json!({ "email": email, "password": password, "name": "Ada Lovelace" });
        self.post("/auth/register", registration).await
    }

    /// Begins a registration, which must succeed; returns its session token.
    pub(crate) async fn registering(&mut self, email: &str, password: &str) -> String {
        let registered = self.register(email, password).await;
        registered.expect_status(201);
        registered.text("sessionToken")
    }

    pub(crate) async fn confirm(&mut self, session_token: &str, code: &str) -> Answer {
        let confirmation = json!({ "sessionToken": session_token, "code": code });
        self.post("/auth/register/confirm", confirmation).await
    }

    pub(crate) async fn resend_confirmation(&mut self, session_token: &str) -> Answer {
        let resend = json!({ "sessionToken": session_token, "resend": true });
        self.post("/auth/register/confirm", resend).await
    }

    pub(crate) async fn login(&mut self, email: &str, password: &str) -> Answer {
        let login = json!({ "email": email, "password": password });
        self.post("/auth/login", login).await
    }

    pub(crate) async fn request_reset(&mut self, email: &str) -> Answer {
        self.post("/auth/password/reset", json!({ "email": email }))
            .await
    }

    pub(crate) async fn confirm_reset(
        &mut self,
        email: &str,
        code: &str,
        password: &str,
    ) -> Answer {
        let reset = json!({ "email": email, "code": code, "newPassword": password });
        self.post("/auth/password/reset/confirm", reset).await
    }
}

impl TestWorld {
    /// A guest who has registered a password and confirmed the address.
    pub(crate) async fn registered(&self, email: &str, password: &str) {
        let mut browser = self.browser();
        let session_token = browser.registering(email, password).await;
        let code = self.mail_code(email).await;
        let confirmed = browser.confirm(&session_token, &code).await;
        confirmed.expect_status(200);
    }

    /// A guest's password set anew by a mailed code.
    pub(crate) async fn reset_password(
        &self,
        browser: &mut Browser<'_>,
        email: &str,
        password: &str,
    ) -> Answer {
        browser.request_reset(email).await.expect_status(202);
        let code = self.mail_code(email).await;
        browser.confirm_reset(email, &code, password).await
    }

    pub(crate) fn subjects(&self, email: &str) -> Vec<String> {
        let mails = self.mails(email).into_iter();
        mails.map(|mail| mail.subject).collect()
    }
}

impl TestWorld {
    /// The code of the newest mail that has one.
    pub(crate) fn latest_code_of_reset(&self, email: &str) -> String {
        let mut mails = self.mails(email).into_iter();
        mails.find_map(|mail| mail.code).expect("a code")
    }
}
