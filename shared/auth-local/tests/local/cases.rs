//! What can become of an operation, each as a stage: everything before the request is done, and the request is ready to be sent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::backstage::{delete_user, move_guest, plant_authenticator, plant_guest};
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

/// Who signs in.
pub(crate) const ADA: &str = "ada@example.com";

/// Where a guest is found after the address has changed.
const ELSEWHERE: &str = "ada@elsewhere.example";

/// Longer than a function believes the secrets that it has read.
const UNTIL_COLD_SECONDS: u64 = 301;

/// Longer than the wait between two mails.
const UNTIL_RESEND_SECONDS: u64 = 31;

/// A case of an operation, as the table in ARCHITECTURE.md has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    StartOfKnownGuest,
    StartOfNewAddress,
    StartOfGuestWithoutUser,
    Resend,
    ProofByKnownGuest,
    FirstProof,
    ProofByUnboundGuest,
    ProofByMovedGuest,
    ProofFromEarlierMail,
    WrongProof,
    Refresh,
    Logout,
    LogoutOfMovedGuest,
    LogoutEverywhere,
    Profile,
    ProfileOfMovedGuest,
    Rename,
    RenameOfMovedGuest,
    NothingToRename,
    ProofWithAuthenticator,
}

impl Case {
    pub(crate) const ALL: [Self; 20] = [
        Self::StartOfKnownGuest,
        Self::StartOfNewAddress,
        Self::StartOfGuestWithoutUser,
        Self::Resend,
        Self::ProofByKnownGuest,
        Self::FirstProof,
        Self::ProofByUnboundGuest,
        Self::ProofByMovedGuest,
        Self::ProofFromEarlierMail,
        Self::WrongProof,
        Self::Refresh,
        Self::Logout,
        Self::LogoutOfMovedGuest,
        Self::LogoutEverywhere,
        Self::Profile,
        Self::ProfileOfMovedGuest,
        Self::Rename,
        Self::RenameOfMovedGuest,
        Self::NothingToRename,
        Self::ProofWithAuthenticator,
    ];

    /// The operation's and the case's name in ARCHITECTURE.md.
    pub(crate) fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::StartOfKnownGuest => ("initiate-otp", "known guest"),
            Self::StartOfNewAddress => ("initiate-otp", "new address"),
            Self::StartOfGuestWithoutUser => ("initiate-otp", "guest whose user has gone"),
            Self::Resend => ("resend-otp", "sent"),
            Self::ProofByKnownGuest => ("verify-otp", "known guest"),
            Self::FirstProof => ("verify-otp", "first sign-in"),
            Self::ProofByUnboundGuest => ("verify-otp", "guest without a user"),
            Self::ProofByMovedGuest => ("verify-otp", "guest at another address"),
            Self::ProofFromEarlierMail => ("verify-otp", "code from the mail before"),
            Self::WrongProof => ("verify-otp", "wrong code"),
            Self::Refresh => ("refresh-token", "exchanged"),
            Self::Logout => ("logout-user", "this session"),
            Self::LogoutOfMovedGuest => ("logout-user", "guest at another address"),
            Self::LogoutEverywhere => ("logout-user", "everywhere"),
            Self::Profile => ("get-profile", "signed in"),
            Self::ProfileOfMovedGuest => ("get-profile", "guest at another address"),
            Self::Rename => ("update-profile", "renamed"),
            Self::RenameOfMovedGuest => ("update-profile", "guest at another address"),
            Self::NothingToRename => ("update-profile", "nothing to change"),
            Self::ProofWithAuthenticator => ("verify-otp", "guest with an authenticator"),
        }
    }

    pub(crate) fn operation(self) -> &'static str {
        self.row().0
    }

    /// Whether it is one of those that happen every day. The others differ from one of these in a call or two.
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
            | Self::ProofWithAuthenticator => true,
            Self::StartOfGuestWithoutUser
            | Self::ProofByUnboundGuest
            | Self::ProofByMovedGuest
            | Self::ProofFromEarlierMail
            | Self::LogoutOfMovedGuest
            | Self::ProfileOfMovedGuest
            | Self::RenameOfMovedGuest
            | Self::NothingToRename => false,
        }
    }

    /// What the operation answers when nothing goes wrong.
    pub(crate) fn healthy_status(self) -> u16 {
        match self {
            Self::WrongProof => 401,
            Self::Logout | Self::LogoutOfMovedGuest | Self::LogoutEverywhere => 204,
            Self::StartOfKnownGuest
            | Self::StartOfNewAddress
            | Self::StartOfGuestWithoutUser
            | Self::Resend
            | Self::ProofByKnownGuest
            | Self::FirstProof
            | Self::ProofByUnboundGuest
            | Self::ProofByMovedGuest
            | Self::ProofFromEarlierMail
            | Self::Refresh
            | Self::Profile
            | Self::ProfileOfMovedGuest
            | Self::Rename
            | Self::RenameOfMovedGuest
            | Self::NothingToRename
            | Self::ProofWithAuthenticator => 200,
        }
    }

    /// Does everything before the request. The function that takes it has no secrets yet, or believes the old ones no longer.
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
            Self::Resend => Self::resend(world).await,
            Self::ProofByKnownGuest => {
                world.sign_in(ADA).await;
                world.advance(UNTIL_COLD_SECONDS);
                Stage::proof(world).await
            }
            Self::ProofByMovedGuest => {
                world.sign_in(ADA).await;
                move_guest(world, ADA, ELSEWHERE).await;
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
                let right = stage.body["code"].as_str().expect("a code").to_owned();
                // Not a round number: those stand in logged durations by chance.
                let (first, rest) = right.split_at(1);
                let wrong = format!("{}{rest}", if first == "1" { "2" } else { "1" });
                stage.body["code"] = json!(wrong);
                stage.right_code = right;
                stage
            }
            Self::Refresh => {
                let tokens = world.sign_in(ADA).await;
                let body = json!({ "refreshToken": tokens.refresh_token });
                Stage::signed_in(world, tokens, Method::POST, "/auth/refresh", body)
            }
            Self::Logout | Self::LogoutOfMovedGuest => {
                let tokens = world.sign_in(ADA).await;
                if self == Self::LogoutOfMovedGuest {
                    move_guest(world, ADA, ELSEWHERE).await;
                }
                let body = json!({ "refreshToken": tokens.refresh_token });
                Stage::signed_in(world, tokens, Method::POST, "/auth/logout", body)
            }
            Self::LogoutEverywhere => {
                let tokens = world.sign_in(ADA).await;
                let body = json!({ "everywhere": true });
                Stage::signed_in(world, tokens, Method::POST, "/auth/logout", body)
            }
            Self::Profile | Self::ProfileOfMovedGuest => {
                let tokens = world.sign_in(ADA).await;
                if self == Self::ProfileOfMovedGuest {
                    move_guest(world, ADA, ELSEWHERE).await;
                }
                Stage::signed_in(world, tokens, Method::GET, "/me", Value::Null)
            }
            Self::Rename | Self::RenameOfMovedGuest | Self::NothingToRename => {
                let tokens = world.sign_in(ADA).await;
                if self == Self::RenameOfMovedGuest {
                    move_guest(world, ADA, ELSEWHERE).await;
                }
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
        stage.path = "/auth/otp/resend";
        stage.body = json!({ "sessionToken": stage.session_token });
        stage
    }
}

/// A request, and what its sender knows.
pub(crate) struct Stage<'world> {
    pub(crate) world: &'world TestWorld,
    pub(crate) browser: Browser<'world>,
    method: Method,
    path: &'static str,
    pub(crate) body: Value,
    /// Of the sign-in that is going on. Empty where none is.
    pub(crate) session_token: String,
    /// The code that proves it, where `body` has a wrong one.
    pub(crate) right_code: String,
    /// Of the session that is going on. Empty where none is.
    pub(crate) refresh_token: String,
}

impl<'world> Stage<'world> {
    fn new(world: &'world TestWorld, path: &'static str, body: Value) -> Self {
        Self {
            world,
            browser: world.browser(),
            method: Method::POST,
            path,
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

    fn becomes_proof(&mut self, code: &str) {
        self.path = "/auth/otp/verify";
        self.body = json!({ "email": ADA, "code": code, "sessionToken": self.session_token });
    }

    fn signed_in(
        world: &'world TestWorld,
        tokens: SignedIn<'world>,
        method: Method,
        path: &'static str,
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
            .send(self.method.clone(), self.path, headers, body)
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
