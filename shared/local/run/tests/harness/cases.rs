//! What can become of an operation, each as a stage: everything before the request is done, and the
//! request is ready to be sent.

use std::borrow::Cow;

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::backstage::{
    delete_user, make_unverified_user_with_password, make_user_with_password, plant_authenticator,
    plant_guest,
};
use crate::harness::people::ADA;
use crate::harness::requests::session_of;
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

/// What she chooses for a password, and then another.
pub(crate) const PASSWORD: &str = "nine lives of a cat";
pub(crate) const NEW_PASSWORD: &str = "ten lives of a lucky cat";

/// Longer than a function believes the secrets that it has read.
const UNTIL_COLD_SECONDS: u64 = 301;

/// Longer than the wait between two mails.
const UNTIL_RESEND_SECONDS: u64 = 31;

/// A case of an operation, as `calls.yaml` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    StartOfKnownGuest,
    StartOfNewAddress,
    StartOfGuestWithoutUser,
    StartOfUnverifiedUser,
    Resend,
    ProofByKnownGuest,
    FirstProof,
    ProofByUnboundGuest,
    ProofFromEarlierMail,
    WrongProof,
    Refresh,
    Logout,
    LogoutEverywhere,
    Profile,
    Rename,
    NothingToRename,
    Sessions,
    EndSession,
    EndOtherSessions,
    Activity,
    ProofWithAuthenticator,
    Registration,
    RegistrationOfLeftUser,
    Confirmation,
    ConfirmationOfUnboundGuest,
    ConfirmationWithAuthenticator,
    WrongConfirmation,
    ConfirmationMail,
    Login,
    FirstLogin,
    LoginOfUnboundGuest,
    LoginWithAuthenticator,
    LoginOfUnconfirmedGuest,
    WrongLogin,
    ResetRequest,
    Reset,
    ResetOfUserWithoutGuest,
    WrongReset,
    ProofByRegisteredGuest,
    ProofByUnverifiedUser,
}

impl Case {
    pub(crate) const ALL: [Self; 40] = [
        Self::StartOfKnownGuest,
        Self::StartOfNewAddress,
        Self::StartOfGuestWithoutUser,
        Self::StartOfUnverifiedUser,
        Self::Resend,
        Self::ProofByKnownGuest,
        Self::FirstProof,
        Self::ProofByUnboundGuest,
        Self::ProofFromEarlierMail,
        Self::WrongProof,
        Self::Refresh,
        Self::Logout,
        Self::LogoutEverywhere,
        Self::Profile,
        Self::Rename,
        Self::NothingToRename,
        Self::Sessions,
        Self::EndSession,
        Self::EndOtherSessions,
        Self::Activity,
        Self::ProofWithAuthenticator,
        Self::Registration,
        Self::RegistrationOfLeftUser,
        Self::Confirmation,
        Self::ConfirmationOfUnboundGuest,
        Self::ConfirmationWithAuthenticator,
        Self::WrongConfirmation,
        Self::ConfirmationMail,
        Self::Login,
        Self::FirstLogin,
        Self::LoginOfUnboundGuest,
        Self::LoginWithAuthenticator,
        Self::LoginOfUnconfirmedGuest,
        Self::WrongLogin,
        Self::ResetRequest,
        Self::Reset,
        Self::ResetOfUserWithoutGuest,
        Self::WrongReset,
        Self::ProofByRegisteredGuest,
        Self::ProofByUnverifiedUser,
    ];

    /// The operation's and the case's name in `calls.yaml`.
    pub(crate) fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::StartOfKnownGuest => ("initiate-otp", "known guest"),
            Self::StartOfNewAddress => ("initiate-otp", "new address"),
            Self::StartOfGuestWithoutUser => ("initiate-otp", "guest whose user has gone"),
            Self::StartOfUnverifiedUser => ("initiate-otp", "user of an older pool, unproved"),
            Self::Resend => ("resend-otp", "sent"),
            Self::ProofByKnownGuest => ("verify-otp", "known guest"),
            Self::FirstProof => ("verify-otp", "first sign-in"),
            Self::ProofByUnboundGuest => ("verify-otp", "guest without a user"),
            Self::ProofFromEarlierMail => ("verify-otp", "code from the mail before"),
            Self::WrongProof => ("verify-otp", "wrong code"),
            Self::Refresh => ("refresh-token", "exchanged"),
            Self::Logout => ("logout-user", "this session"),
            Self::LogoutEverywhere => ("logout-user", "everywhere"),
            Self::Profile => ("get-profile", "signed in"),
            Self::Rename => ("update-profile", "renamed"),
            Self::NothingToRename => ("update-profile", "nothing to change"),
            Self::Sessions => ("list-sessions", "listed"),
            Self::EndSession => ("end-session", "ended"),
            Self::EndOtherSessions => ("end-other-sessions", "ended"),
            Self::Activity => ("list-activity", "listed"),
            Self::Registration => ("register-user", "new address"),
            Self::RegistrationOfLeftUser => ("register-user", "user without a guest"),
            Self::Confirmation => ("confirm-registration", "confirmed"),
            Self::ConfirmationOfUnboundGuest => ("confirm-registration", "guest without a user"),
            Self::ConfirmationWithAuthenticator => {
                ("confirm-registration", "guest with an authenticator")
            }
            Self::WrongConfirmation => ("confirm-registration", "wrong code"),
            Self::ConfirmationMail => ("confirm-registration", "mailed again"),
            Self::Login => ("login-user", "guest on a new device"),
            Self::FirstLogin => ("login-user", "first sign-in"),
            Self::LoginOfUnboundGuest => ("login-user", "guest without a user"),
            Self::LoginWithAuthenticator => ("login-user", "guest with an authenticator"),
            Self::LoginOfUnconfirmedGuest => ("login-user", "registration not confirmed"),
            Self::WrongLogin => ("login-user", "wrong password"),
            Self::ResetRequest => ("request-password-reset", "mailed"),
            Self::Reset => ("confirm-password-reset", "known guest"),
            Self::ResetOfUserWithoutGuest => ("confirm-password-reset", "user without a guest"),
            Self::WrongReset => ("confirm-password-reset", "wrong code"),
            Self::ProofByRegisteredGuest => ("verify-otp", "registration not confirmed"),
            Self::ProofByUnverifiedUser => ("verify-otp", "user of an older pool, unproved"),
            Self::ProofWithAuthenticator => ("verify-otp", "guest with an authenticator"),
        }
    }

    /// Whether it is one of the operations that deal with passwords alone.
    pub(crate) fn is_about_passwords(self) -> bool {
        matches!(
            self.operation(),
            "register-user"
                | "confirm-registration"
                | "login-user"
                | "request-password-reset"
                | "confirm-password-reset"
        )
    }

    pub(crate) fn operation(self) -> &'static str {
        self.row().0
    }

    /// Whether it is one of those that happen every day. The others differ from one of these in a
    /// call or two.
    pub(crate) fn is_common(self) -> bool {
        match self {
            Self::StartOfKnownGuest
            | Self::StartOfNewAddress
            | Self::Resend
            | Self::ProofByKnownGuest
            | Self::FirstProof
            | Self::WrongProof
            | Self::Refresh
            | Self::Logout
            | Self::LogoutEverywhere
            | Self::Profile
            | Self::Rename
            | Self::Sessions
            | Self::EndSession
            | Self::EndOtherSessions
            | Self::Activity
            | Self::ProofWithAuthenticator
            | Self::Registration
            | Self::Confirmation
            | Self::WrongConfirmation
            | Self::ConfirmationMail
            | Self::Login
            | Self::FirstLogin
            | Self::LoginWithAuthenticator
            | Self::LoginOfUnconfirmedGuest
            | Self::WrongLogin
            | Self::ResetRequest
            | Self::Reset
            | Self::WrongReset => true,
            Self::StartOfGuestWithoutUser
            | Self::StartOfUnverifiedUser
            | Self::ProofByUnboundGuest
            | Self::ProofByUnverifiedUser
            | Self::ProofFromEarlierMail
            | Self::NothingToRename
            | Self::RegistrationOfLeftUser
            | Self::ConfirmationOfUnboundGuest
            | Self::ConfirmationWithAuthenticator
            | Self::LoginOfUnboundGuest
            | Self::ResetOfUserWithoutGuest
            | Self::ProofByRegisteredGuest => false,
        }
    }

    /// What the operation answers when nothing goes wrong.
    pub(crate) fn healthy_status(self) -> u16 {
        match self {
            Self::WrongProof
            | Self::WrongConfirmation
            | Self::LoginOfUnconfirmedGuest
            | Self::WrongLogin
            | Self::WrongReset => 401,
            Self::Registration | Self::RegistrationOfLeftUser => 201,
            Self::ConfirmationMail | Self::ResetRequest => 202,
            Self::Logout
            | Self::LogoutEverywhere
            | Self::EndSession
            | Self::EndOtherSessions
            | Self::Reset
            | Self::ResetOfUserWithoutGuest => 204,
            Self::StartOfKnownGuest
            | Self::StartOfNewAddress
            | Self::StartOfGuestWithoutUser
            | Self::StartOfUnverifiedUser
            | Self::Resend
            | Self::ProofByKnownGuest
            | Self::FirstProof
            | Self::ProofByUnboundGuest
            | Self::ProofByUnverifiedUser
            | Self::ProofFromEarlierMail
            | Self::Refresh
            | Self::Profile
            | Self::Rename
            | Self::NothingToRename
            | Self::Sessions
            | Self::Activity
            | Self::ProofWithAuthenticator
            | Self::Confirmation
            | Self::ConfirmationOfUnboundGuest
            | Self::ConfirmationWithAuthenticator
            | Self::Login
            | Self::FirstLogin
            | Self::LoginOfUnboundGuest
            | Self::LoginWithAuthenticator
            | Self::ProofByRegisteredGuest => 200,
        }
    }

    /// Does everything before the request. The function that takes it has no secrets yet, or
    /// believes the old ones no longer.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm a case, and none of them long"
    )]
    pub(crate) async fn prepare(self, world: &TestWorld) -> Stage<'_> {
        match self {
            Self::StartOfNewAddress => {
                Stage::new(world, "/auth/otp/initiate", json!({ "email": ADA }))
            }
            Self::StartOfKnownGuest => {
                world.sign_in(ADA).await;
                world.advance(UNTIL_COLD_SECONDS);
                Stage::new(world, "/auth/otp/initiate", json!({ "email": ADA }))
            }
            Self::StartOfGuestWithoutUser => {
                world.sign_in(ADA).await;
                delete_user(world, ADA).await;
                world.set_unknown_user(auth_local::UnknownUser::AllFactors);
                world.advance(UNTIL_COLD_SECONDS);
                Stage::new(world, "/auth/otp/initiate", json!({ "email": ADA }))
            }
            Self::StartOfUnverifiedUser => {
                make_unverified_user_with_password(world, ADA, PASSWORD).await;
                Stage::new(world, "/auth/otp/initiate", json!({ "email": ADA }))
            }
            Self::Resend => Self::resend(world).await,
            Self::Registration => Stage::registration(world),
            Self::RegistrationOfLeftUser => {
                let mut stage = Stage::new(world, "/auth/otp/initiate", json!({ "email": ADA }));
                stage.act().await.expect_status(200);
                Stage::registration(world)
            }
            Self::Confirmation => Stage::confirmation(world).await,
            Self::ConfirmationOfUnboundGuest => {
                plant_guest(world, ADA, "GST-2026-7K3QXB").await;
                Stage::confirmation(world).await
            }
            // It has failed after it had made its guest, who has set up an authenticator since.
            Self::ConfirmationWithAuthenticator => {
                let mut stage = Stage::confirmation(world).await;
                let fault = Fault::new(FaultKind::Denied, "cognito-idp", "AdminSetUserPassword");
                world.fault(fault);
                stage.act().await.expect_status(500);
                plant_authenticator(world, ADA).await;
                world.advance(UNTIL_RESEND_SECONDS);
                stage.becomes_confirmation_mail();
                stage.act().await.expect_status(202);
                stage.becomes_confirmation(&world.mail_code(ADA).await);
                stage
            }
            Self::WrongConfirmation => {
                let mut stage = Stage::confirmation(world).await;
                stage.spoil_code();
                stage
            }
            Self::ConfirmationMail => {
                let mut stage = Stage::registration(world);
                stage.session_token = stage.act().await.text("sessionToken");
                world.advance(UNTIL_RESEND_SECONDS);
                stage.becomes_confirmation_mail();
                stage
            }
            Self::Login => {
                Stage::guest_with_password(world).await;
                Stage::login(world, PASSWORD)
            }
            Self::FirstLogin => {
                make_user_with_password(world, ADA, PASSWORD).await;
                Stage::login(world, PASSWORD)
            }
            Self::LoginOfUnboundGuest => {
                plant_guest(world, ADA, "GST-2026-7K3QXB").await;
                make_user_with_password(world, ADA, PASSWORD).await;
                Stage::login(world, PASSWORD)
            }
            Self::LoginWithAuthenticator => {
                Stage::guest_with_password(world).await;
                plant_authenticator(world, ADA).await;
                Stage::login(world, PASSWORD)
            }
            Self::LoginOfUnconfirmedGuest => {
                Stage::registered(world).await;
                Stage::login(world, PASSWORD)
            }
            Self::WrongLogin => {
                Stage::guest_with_password(world).await;
                Stage::login(world, NEW_PASSWORD)
            }
            Self::ResetRequest => {
                Stage::guest_with_password(world).await;
                Stage::new(world, "/auth/password/reset", json!({ "email": ADA }))
            }
            Self::Reset => {
                Stage::guest_with_password(world).await;
                Stage::reset(world).await
            }
            Self::ResetOfUserWithoutGuest => {
                make_user_with_password(world, ADA, PASSWORD).await;
                Stage::reset(world).await
            }
            Self::WrongReset => {
                Stage::guest_with_password(world).await;
                let mut stage = Stage::reset(world).await;
                stage.spoil_code();
                stage
            }
            Self::ProofByRegisteredGuest => {
                Stage::registered(world).await;
                Stage::proof(world).await
            }
            Self::ProofByUnverifiedUser => {
                make_unverified_user_with_password(world, ADA, PASSWORD).await;
                Stage::proof(world).await
            }
            Self::ProofByKnownGuest => {
                world.sign_in(ADA).await;
                world.advance(UNTIL_COLD_SECONDS);
                Stage::proof(world).await
            }
            Self::ProofWithAuthenticator => {
                world.sign_in(ADA).await;
                plant_authenticator(world, ADA).await;
                world.advance(UNTIL_COLD_SECONDS);
                Stage::proof(world).await
            }
            Self::FirstProof => Stage::proof(world).await,
            Self::ProofByUnboundGuest => {
                plant_guest(world, ADA, "GST-2026-7K3QXB").await;
                Stage::proof(world).await
            }
            Self::ProofFromEarlierMail => {
                let mut stage = Self::resend(world).await;
                let code = world.mail_code(ADA).await;
                stage.act().await.expect_status(200);
                stage.becomes_proof(&code);
                stage
            }
            Self::WrongProof => {
                let mut stage = Stage::proof(world).await;
                stage.spoil_code();
                stage
            }
            Self::Refresh => {
                let tokens = world.sign_in(ADA).await;
                let body = json!({ "refreshToken": tokens.refresh_token });
                Stage::signed_in(world, tokens, Method::POST, "/auth/refresh", body)
            }
            Self::Logout => {
                let tokens = world.sign_in(ADA).await;
                let body = json!({ "refreshToken": tokens.refresh_token });
                Stage::signed_in(world, tokens, Method::POST, "/auth/logout", body)
            }
            Self::LogoutEverywhere => {
                let tokens = world.sign_in(ADA).await;
                let body = json!({ "everywhere": true });
                Stage::signed_in(world, tokens, Method::POST, "/auth/logout", body)
            }
            Self::Profile => {
                let tokens = world.sign_in(ADA).await;
                Stage::signed_in(world, tokens, Method::GET, "/me", Value::Null)
            }
            Self::Activity => {
                let tokens = world.sign_in(ADA).await;
                Stage::signed_in(world, tokens, Method::GET, "/me/activity", Value::Null)
            }
            Self::Sessions | Self::EndOtherSessions => {
                let other = world.sign_in(ADA).await;
                let tokens = world.sign_in(ADA).await;
                let method = if self == Self::Sessions {
                    Method::GET
                } else {
                    Method::DELETE
                };
                let mut stage =
                    Stage::signed_in(world, tokens, method, "/me/sessions", Value::Null);
                stage.refresh_token = other.refresh_token;
                stage
            }
            Self::EndSession => {
                let other = world.sign_in(ADA).await;
                let tokens = world.sign_in(ADA).await;
                let id = session_of(&other.access_token);
                let path = format!("/me/sessions/{id}");
                let mut stage = Stage::signed_in(world, tokens, Method::DELETE, path, Value::Null);
                stage.refresh_token = other.refresh_token;
                stage
            }
            Self::Rename | Self::NothingToRename => {
                let tokens = world.sign_in(ADA).await;
                let body = if self == Self::NothingToRename {
                    json!({})
                } else {
                    json!({ "name": "Ada Lovelace" })
                };
                Stage::signed_in(world, tokens, Method::PATCH, "/me", body)
            }
        }
    }

    async fn resend(world: &TestWorld) -> Stage<'_> {
        let mut stage = Stage::new(world, "/auth/otp/initiate", json!({ "email": ADA }));
        let started = stage.act().await;
        started.expect_status(200);
        world.advance(UNTIL_RESEND_SECONDS);
        stage.session_token = started.text("sessionToken");
        stage.path = "/auth/otp/resend".into();
        stage.body = json!({ "sessionToken": stage.session_token });
        stage
    }
}

/// A request, and what its sender knows.
pub(crate) struct Stage<'world> {
    pub(crate) world: &'world TestWorld,
    pub(crate) browser: Browser<'world>,
    method: Method,
    path: Cow<'static, str>,
    pub(crate) body: Value,
    /// Of the sign-in that is going on. Empty where none is.
    pub(crate) session_token: String,
    /// The code that proves it, where `body` has a wrong one.
    pub(crate) right_code: String,
    /// Of the session that is going on, or is to end. Empty where none is.
    pub(crate) refresh_token: String,
}

impl<'world> Stage<'world> {
    fn new(world: &'world TestWorld, path: impl Into<Cow<'static, str>>, body: Value) -> Self {
        Self {
            world,
            browser: world.browser(),
            method: Method::POST,
            path: path.into(),
            body,
            session_token: String::new(),
            right_code: String::new(),
            refresh_token: String::new(),
        }
    }

    /// A sign-in has begun, and its code is known.
    async fn proof(world: &'world TestWorld) -> Self {
        let mut stage = Self::new(world, "/auth/otp/initiate", json!({ "email": ADA }));
        let started = stage.act().await;
        started.expect_status(200);
        stage.session_token = started.text("sessionToken");
        let code = world.mail_code(ADA).await;
        stage.becomes_proof(&code);
        stage
    }

    fn registration(world: &'world TestWorld) -> Self {
        let body = json!({ "email": ADA, "password": PASSWORD });
        Self::new(world, "/auth/register", body)
    }

    /// A registration that waits to be confirmed.
    async fn registered(world: &'world TestWorld) {
        let mut stage = Self::registration(world);
        stage.act().await.expect_status(201);
    }

    async fn confirmation(world: &'world TestWorld) -> Self {
        let mut stage = Self::registration(world);
        let registered = stage.act().await;
        registered.expect_status(201);
        stage.session_token = registered.text("sessionToken");
        let code = world.mail_code(ADA).await;
        stage.becomes_confirmation(&code);
        stage
    }

    pub(crate) fn becomes_confirmation(&mut self, code: &str) {
        self.path = "/auth/register/confirm".into();
        self.body = json!({ "sessionToken": self.session_token, "code": code });
    }

    pub(crate) fn becomes_confirmation_mail(&mut self) {
        self.path = "/auth/register/confirm".into();
        self.body = json!({ "sessionToken": self.session_token, "resend": true });
    }

    async fn guest_with_password(world: &'world TestWorld) {
        let mut stage = Self::confirmation(world).await;
        stage.act().await.expect_status(200);
    }

    pub(crate) fn login(world: &'world TestWorld, password: &str) -> Self {
        let body = json!({ "email": ADA, "password": password });
        Self::new(world, "/auth/login", body)
    }

    pub(crate) async fn reset(world: &'world TestWorld) -> Self {
        let mut stage = Self::new(world, "/auth/password/reset", json!({ "email": ADA }));
        stage.act().await.expect_status(202);
        let code = world.mail_code(ADA).await;
        stage.becomes_reset(&code);
        stage
    }

    pub(crate) fn becomes_reset(&mut self, code: &str) {
        self.path = "/auth/password/reset/confirm".into();
        self.body = json!({ "email": ADA, "code": code, "newPassword": NEW_PASSWORD });
    }

    /// Makes the code wrong, and remembers the right one.
    fn spoil_code(&mut self) {
        let right = self.body["code"].as_str().expect("a code").to_owned();
        // Not a round number: those stand in logged durations by chance.
        let (first, rest) = right.split_at(1);
        let wrong = format!("{}{rest}", if first == "1" { "2" } else { "1" });
        self.body["code"] = json!(wrong);
        self.right_code = right;
    }

    fn becomes_proof(&mut self, code: &str) {
        self.path = "/auth/otp/verify".into();
        self.body = json!({ "email": ADA, "code": code, "sessionToken": self.session_token });
    }

    fn signed_in(
        world: &'world TestWorld,
        tokens: SignedIn<'world>,
        method: Method,
        path: impl Into<Cow<'static, str>>,
        body: Value,
    ) -> Self {
        let mut browser = tokens.browser;
        browser.bearer(&tokens.access_token);
        Self {
            refresh_token: tokens.refresh_token,
            method,
            browser,
            ..Self::new(world, path, body)
        }
    }

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

    /// Proves the newest code of a sign-in.
    pub(crate) async fn prove_newest(&mut self, session_token: &str) -> Answer {
        let code = self.world.mail_code(ADA).await;
        let proof = json!({ "email": ADA, "code": code, "sessionToken": session_token });
        self.browser.post("/auth/otp/verify", proof).await
    }

    /// Asks for another mail of the sign-in that is going on, after the wait between two mails.
    pub(crate) async fn resend(&mut self) -> Answer {
        self.world.advance(UNTIL_RESEND_SECONDS);
        let body = json!({ "sessionToken": self.session_token });
        self.browser.post("/auth/otp/resend", body).await
    }
}
