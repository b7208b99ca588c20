//! People who sign in with the public app client, at Cognito's own endpoint, as Amplify does.

use serde_json::{Value, json};

use crate::harness::backstage::{Item, items};
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

/// Tokens of the public client open the JWT routes.
pub(crate) const API: [(&str, &str); 1] = [("PUBLIC_CLIENT", "api")];

/// A world whose public client's tokens open the JWT routes.
pub(crate) async fn open_world() -> TestWorld {
    let settings = [&API[..], &MANY_STARTS].concat();
    TestWorld::with_settings(&settings).await
}

/// A person who signs in with the public client.
pub(crate) struct Outside<'world> {
    world: &'world TestWorld,
    pub(crate) client: &'world str,
}

impl<'world> Outside<'world> {
    pub(crate) fn of(world: &'world TestWorld) -> Self {
        let client = world.ready().client_id.as_deref();
        Self {
            world,
            client: client.expect("there is a public client"),
        }
    }

    pub(crate) async fn by_password(&self, email: &str, password: &str) -> Answer {
        let begun = json!({
            "ClientId": self.client,
            "AuthFlow": "USER_AUTH",
            "AuthParameters": { "USERNAME": email, "PASSWORD": password, "PREFERRED_CHALLENGE": "PASSWORD" },
        });
        self.world.cognito_call("InitiateAuth", begun).await
    }

    pub(crate) async fn asks_for_code(&self, email: &str) -> Answer {
        let begun = json!({
            "ClientId": self.client,
            "AuthFlow": "USER_AUTH",
            "AuthParameters": { "USERNAME": email, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
        });
        self.world.cognito_call("InitiateAuth", begun).await
    }

    pub(crate) async fn by_code(&self, email: &str) -> Answer {
        let begun = self.asks_for_code(email).await;
        begun.expect_status(200);
        let proof = json!({
            "ClientId": self.client,
            "ChallengeName": "EMAIL_OTP",
            "Session": begun["Session"],
            "ChallengeResponses": {
                "USERNAME": email,
                "EMAIL_OTP_CODE": self.world.mail_code(email).await,
            },
        });
        self.world
            .cognito_call("RespondToAuthChallenge", proof)
            .await
    }

    pub(crate) async fn refresh(&self, signed_in: &Answer) -> Answer {
        let token = &signed_in["AuthenticationResult"]["RefreshToken"];
        self.renew(token.as_str().expect("a refresh token")).await
    }

    /// Exchanges a refresh token at Cognito.
    pub(crate) async fn renew(&self, refresh_token: &str) -> Answer {
        let refresh = json!({
            "ClientId": self.client,
            "RefreshToken": refresh_token,
        });
        self.world
            .cognito_call("GetTokensFromRefreshToken", refresh)
            .await
    }

    /// A browser that brings the access token.
    pub(crate) fn browser(&self, signed_in: &Answer) -> Browser<'world> {
        let mut browser = self.world.browser();
        browser.bearer(&access_token(signed_in));
        browser
    }

    /// Signs in by password, and leaves the tokens to a browser.
    pub(crate) async fn session(&self, email: &str, password: &str) -> SignedIn<'world> {
        let signed_in = self.by_password(email, password).await;
        signed_in.expect_status(200);
        let token = |name: &str| {
            let token = &signed_in["AuthenticationResult"][name];
            token.as_str().expect("a token").to_owned()
        };
        SignedIn {
            browser: self.browser(&signed_in),
            access_token: token("AccessToken"),
            id_token: token("IdToken"),
            refresh_token: token("RefreshToken"),
            user: Value::Null,
        }
    }
}

/// The records of the public client's sessions.
pub(crate) async fn public_records(world: &TestWorld) -> Vec<Item> {
    let mut records = items(world, &world.ready().tables["user-sessions"]).await;
    records.retain(|record| record.get("publicClient") == Some(&json!(true)));
    records
}

/// The access token of Cognito's answer.
pub(crate) fn access_token(signed_in: &Answer) -> String {
    let token = &signed_in["AuthenticationResult"]["AccessToken"];
    token.as_str().expect("an access token").to_owned()
}
