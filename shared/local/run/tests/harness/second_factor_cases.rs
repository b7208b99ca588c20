//! What can become of the operations about authenticators, each as a stage: everything before the
//! request is done, and the request is ready to be sent.

use serde_json::{Value, json};

use crate::harness::authenticator_app::App;
use crate::harness::people::ADA;
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

pub(crate) const PASSWORD: &str = "nine lives of a cat";

/// Longer than a function believes the secrets that it has read.
const UNTIL_COLD_SECONDS: u64 = 301;

/// A case of an operation, as `calls.yaml` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    RightCode,
    BackupCode,
    WrongCode,
    LastWrongCode,
    NewPassword,
    NewPasswordOfNewGuest,
    NewPasswordThenAuthenticator,
    SetUpByPassword,
    SetUpByMail,
    SetUpInPlaceOfAnother,
    Confirmation,
    WrongConfirmation,
    RemovalByPassword,
    RemovalByMail,
    RemovalOfNothing,
}

impl Case {
    pub(crate) const ALL: [Self; 15] = [
        Self::RightCode,
        Self::BackupCode,
        Self::WrongCode,
        Self::LastWrongCode,
        Self::NewPassword,
        Self::NewPasswordOfNewGuest,
        Self::NewPasswordThenAuthenticator,
        Self::SetUpByPassword,
        Self::SetUpByMail,
        Self::SetUpInPlaceOfAnother,
        Self::Confirmation,
        Self::WrongConfirmation,
        Self::RemovalByPassword,
        Self::RemovalByMail,
        Self::RemovalOfNothing,
    ];

    /// The operation's and the case's name in `calls.yaml`.
    pub(crate) fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::RightCode => ("verify-mfa", "authenticator's code"),
            Self::BackupCode => ("verify-mfa", "backup code"),
            Self::WrongCode => ("verify-mfa", "wrong code"),
            Self::LastWrongCode => ("verify-mfa", "last wrong code"),
            Self::NewPassword => ("verify-mfa", "Cognito's challenge"),
            Self::NewPasswordOfNewGuest => ("verify-mfa", "Cognito's challenge, first sign-in"),
            Self::NewPasswordThenAuthenticator => {
                ("verify-mfa", "Cognito's challenge, then the authenticator")
            }
            Self::SetUpByPassword => ("setup-mfa", "proved by password"),
            Self::SetUpByMail => ("setup-mfa", "proved by mail"),
            Self::SetUpInPlaceOfAnother => ("setup-mfa", "in place of another"),
            Self::Confirmation => ("verify-mfa-setup", "confirmed"),
            Self::WrongConfirmation => ("verify-mfa-setup", "wrong code"),
            Self::RemovalByPassword => ("disable-mfa", "proved by password"),
            Self::RemovalByMail => ("disable-mfa", "proved by mail"),
            Self::RemovalOfNothing => ("disable-mfa", "nothing to remove"),
        }
    }

    /// What the operation answers when nothing goes wrong.
    pub(crate) fn healthy_status(self) -> u16 {
        match self {
            Self::WrongCode | Self::LastWrongCode | Self::WrongConfirmation => 401,
            Self::RemovalByPassword | Self::RemovalByMail | Self::RemovalOfNothing => 204,
            Self::RightCode
            | Self::BackupCode
            | Self::NewPassword
            | Self::NewPasswordOfNewGuest
            | Self::NewPasswordThenAuthenticator
            | Self::SetUpByPassword
            | Self::SetUpByMail
            | Self::SetUpInPlaceOfAnother
            | Self::Confirmation => 200,
        }
    }

    /// Does everything before the request. The function that takes it has no secrets yet.
    pub(crate) async fn prepare(self, world: &TestWorld) -> Stage<'_> {
        match self {
            Self::RightCode | Self::BackupCode | Self::WrongCode | Self::LastWrongCode => {
                self.held(world).await
            }
            Self::NewPassword
            | Self::NewPasswordOfNewGuest
            | Self::NewPasswordThenAuthenticator => self.challenged(world).await,
            Self::SetUpByPassword | Self::SetUpByMail | Self::SetUpInPlaceOfAnother => {
                self.setting_up(world).await
            }
            Self::Confirmation | Self::WrongConfirmation => self.confirming(world).await,
            Self::RemovalByPassword | Self::RemovalByMail | Self::RemovalOfNothing => {
                self.removing(world).await
            }
        }
    }

    /// A guest has an authenticator, and a sign-in waits for it.
    async fn held(self, world: &TestWorld) -> Stage<'_> {
        let guest = world.guarded(ADA).await;
        let session_token = world.held(ADA).await;
        let mut stage = Stage::new(world.browser(), "/auth/mfa/verify", Value::Null);
        if self == Self::LastWrongCode {
            // The function must not have read its secrets before.
            for _ in 0..2 {
                let refused = stage
                    .browser
                    .second_factor(&session_token, json!({ "code": "404170" }))
                    .await;
                refused.expect_problem(401, "INVALID_OTP");
            }
        }
        stage.body = if self == Self::BackupCode {
            json!({ "backupCode": guest.backup_codes[0] })
        } else if [Self::WrongCode, Self::LastWrongCode].contains(&self) {
            json!({ "code": "404170" })
        } else {
            json!({ "code": guest.app.next_code() })
        };
        stage.body["sessionToken"] = json!(session_token);
        stage.app = Some(guest.app);
        stage
    }

    /// A user whose password an administrator chose, and who has to choose another.
    async fn challenged(self, world: &TestWorld) -> Stage<'_> {
        if self == Self::NewPassword {
            drop(world.sign_in(ADA).await);
        } else if self == Self::NewPasswordThenAuthenticator {
            drop(world.guarded(ADA).await);
        } else {
            world.make_user(ADA, None).await;
        }
        let temporary =
            json!({ "Username": ADA, "Password": "Only-for-the-1st-time", "Permanent": false });
        world.admin("AdminSetUserPassword", temporary).await;
        world.advance(UNTIL_COLD_SECONDS);
        let held = world.browser().login(ADA, "Only-for-the-1st-time").await;
        held.expect_status(200);
        assert_eq!(held["challenge"], "NEW_PASSWORD_REQUIRED", "{}", held.body);
        let body = json!({ "sessionToken": held["sessionToken"], "newPassword": PASSWORD });
        Stage::new(world.browser(), "/auth/mfa/verify", body)
    }

    async fn setting_up(self, world: &TestWorld) -> Stage<'_> {
        world.registered(ADA, PASSWORD).await;
        if self == Self::SetUpInPlaceOfAnother {
            let guest = world.guarded_by_password(ADA, PASSWORD).await;
            world.advance(UNTIL_COLD_SECONDS);
            let body = json!({ "password": PASSWORD, "code": guest.app.next_code() });
            return Stage::of(guest.session, "/auth/mfa/setup", body);
        }
        let session = world.sign_in(ADA).await;
        let body = if self == Self::SetUpByMail {
            json!({ "proof": world.mailed_proof(ADA).await })
        } else {
            json!({ "password": PASSWORD })
        };
        Stage::of(session, "/auth/mfa/setup", body)
    }

    async fn confirming(self, world: &TestWorld) -> Stage<'_> {
        let mut session = world.sign_in(ADA).await;
        session.browser.bearer(&session.access_token);
        let proof = world.mailed_proof(ADA).await;
        let set_up = session.browser.set_up(json!({ "proof": proof })).await;
        set_up.expect_status(200);
        let app = App::new(world, &set_up.text("secret"));
        let code = if self == Self::WrongConfirmation {
            "404170".to_owned()
        } else {
            app.code()
        };
        let mut stage = Stage::of(session, "/auth/mfa/setup/verify", json!({ "code": code }));
        stage.app = Some(app);
        stage
    }

    async fn removing(self, world: &TestWorld) -> Stage<'_> {
        world.registered(ADA, PASSWORD).await;
        if self == Self::RemovalOfNothing {
            let session = world.sign_in(ADA).await;
            let body = json!({ "password": PASSWORD, "code": "404170" });
            return Stage::of(session, "/auth/mfa/disable", body);
        }
        let guest = world.guarded_by_password(ADA, PASSWORD).await;
        let mut body = if self == Self::RemovalByMail {
            json!({ "proof": world.mailed_proof(ADA).await })
        } else {
            json!({ "password": PASSWORD })
        };
        body["code"] = json!(guest.app.next_code());
        let mut stage = Stage::of(guest.session, "/auth/mfa/disable", body);
        stage.app = Some(guest.app);
        stage
    }
}

/// A request, and what its sender has.
pub(crate) struct Stage<'world> {
    pub(crate) browser: Browser<'world>,
    path: &'static str,
    pub(crate) body: Value,
    pub(crate) app: Option<App<'world>>,
}

impl<'world> Stage<'world> {
    fn new(browser: Browser<'world>, path: &'static str, body: Value) -> Self {
        Self {
            browser,
            path,
            body,
            app: None,
        }
    }

    fn of(session: SignedIn<'world>, path: &'static str, body: Value) -> Self {
        let mut browser = session.browser;
        browser.bearer(&session.access_token);
        Self::new(browser, path, body)
    }

    /// Sends the request; the same one each time.
    pub(crate) async fn act(&mut self) -> Answer {
        self.browser.post(self.path, self.body.clone()).await
    }
}
