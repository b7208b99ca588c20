//! What can become of a three-legged authorization, each as a stage: everything before the request
//! is done, and the request is ready to be sent.

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::harness::backstage::{make_user_with_password, plant_guest};
use crate::harness::consent::Consenting;
use crate::harness::consent_page::{ConsentPage, allow};
use crate::harness::people::ADA;
use crate::harness::{Answer, Browser, TestWorld};

pub(crate) const BOB: &str = "bob@example.com";

pub(crate) const CONVERSATION: &str = "5c0d8c62-4a3f-4f0e-9f3b-6f0d2a1b7e94";

/// Longer than an authorization lives.
pub(crate) const UNTIL_OVER_SECONDS: u64 = 601;

/// A case of an operation, as `calls.yaml` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    StartForGuest,
    StartForAddress,
    Link,
    LinkOfAnEnded,
    Allow,
    AllowElsewhere,
    Cancel,
    CallbackForGuest,
    CallbackForAddress,
    CallbackForAnybody,
    CallbackOfAnotherPerson,
    CallbackOfAnotherBrowser,
    Denial,
    StatusWaiting,
    StatusAbandoned,
    TokenForItself,
    TokenForUser,
    TokenForHolder,
    GuestByToken,
    GuestBySession,
    GuestByConversation,
    GuestForTheFirstTime,
    GuestWithoutUser,
    NothingBegun,
    Waiting,
    Abandoned,
}

impl Case {
    pub(crate) const ALL: [Self; 26] = [
        Self::StartForGuest,
        Self::StartForAddress,
        Self::Link,
        Self::LinkOfAnEnded,
        Self::Allow,
        Self::AllowElsewhere,
        Self::Cancel,
        Self::CallbackForGuest,
        Self::CallbackForAddress,
        Self::CallbackForAnybody,
        Self::CallbackOfAnotherPerson,
        Self::CallbackOfAnotherBrowser,
        Self::Denial,
        Self::StatusWaiting,
        Self::StatusAbandoned,
        Self::TokenForItself,
        Self::TokenForUser,
        Self::TokenForHolder,
        Self::GuestByToken,
        Self::GuestBySession,
        Self::GuestByConversation,
        Self::GuestForTheFirstTime,
        Self::GuestWithoutUser,
        Self::NothingBegun,
        Self::Waiting,
        Self::Abandoned,
    ];

    /// Operation and case, as the table names them.
    pub(crate) fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::StartForGuest => ("start-authorization", "for a guest"),
            Self::StartForAddress => ("start-authorization", "for an address"),
            Self::Link => ("open-start-link", "opened"),
            Self::LinkOfAnEnded => ("open-start-link", "after the end"),
            Self::Allow => ("confirm-start-link", "allowed"),
            Self::AllowElsewhere => ("confirm-start-link", "allowed in another browser before"),
            Self::Cancel => ("confirm-start-link", "cancelled"),
            Self::CallbackForGuest => ("authorization-callback", "for a guest"),
            Self::CallbackForAddress => ("authorization-callback", "for an address"),
            Self::CallbackForAnybody => ("authorization-callback", "for anybody"),
            Self::CallbackOfAnotherPerson => ("authorization-callback", "another person"),
            Self::CallbackOfAnotherBrowser => {
                ("authorization-callback", "another browser, after consent")
            }
            Self::Denial => ("authorization-callback", "denied"),
            Self::StatusWaiting => ("get-session-status", "waiting"),
            Self::StatusAbandoned => ("get-session-status", "abandoned"),
            Self::TokenForItself => ("get-workload-token", "for itself"),
            Self::TokenForUser => ("get-workload-token", "for a user"),
            Self::TokenForHolder => ("get-workload-token", "for a token's holder"),
            Self::GuestByToken => ("get-authenticated-guest", "by access token"),
            Self::GuestBySession => ("get-authenticated-guest", "by session"),
            Self::GuestByConversation => ("get-authenticated-guest", "by conversation"),
            Self::GuestForTheFirstTime => ("get-authenticated-guest", "first sign-in"),
            Self::GuestWithoutUser => ("get-authenticated-guest", "guest without a user"),
            Self::NothingBegun => ("get-authenticated-guest", "nothing begun"),
            Self::Waiting => ("get-authenticated-guest", "waiting"),
            Self::Abandoned => ("get-authenticated-guest", "abandoned"),
        }
    }

    /// Whether an answer is the one that this case has where nothing fails.
    pub(crate) fn is_healthy(self, answer: &Answer) -> bool {
        let sent_to = |what: &str| {
            [302, 303].contains(&answer.status)
                && answer
                    .header("location")
                    .is_some_and(|location| location.contains(what))
        };
        match self {
            Self::StartForGuest
            | Self::StartForAddress
            | Self::StatusWaiting
            | Self::StatusAbandoned
            | Self::Link => answer.status == 200,
            Self::LinkOfAnEnded => sent_to("?auth=error&code=SESSION_EXPIRED"),
            Self::Allow => sent_to("/identities/oauth2/authorize"),
            Self::Cancel => sent_to("?auth=error&code=AUTH_CANCELLED"),
            Self::AllowElsewhere | Self::CallbackOfAnotherBrowser => {
                sent_to("?auth=error&code=USER_MISMATCH") && !sent_to("reason")
            }
            Self::CallbackForGuest | Self::CallbackForAddress | Self::CallbackForAnybody => {
                sent_to("?auth=success&session_id=")
            }
            Self::CallbackOfAnotherPerson => sent_to("code=USER_MISMATCH&reason=other-user"),
            Self::Denial => sent_to("code=AUTH_CANCELLED&reason=provider-denied"),
            Self::TokenForItself | Self::TokenForUser | Self::TokenForHolder => {
                answer["accessToken"].is_string()
            }
            Self::GuestByToken
            | Self::GuestBySession
            | Self::GuestByConversation
            | Self::GuestForTheFirstTime
            | Self::GuestWithoutUser => answer["user"]["email"] == ADA,
            Self::NothingBegun | Self::Waiting | Self::Abandoned => {
                answer["error"]["authorizationUrl"].is_string()
            }
        }
    }

    /// Does everything before the request.
    pub(crate) async fn prepare(self, world: &TestWorld) -> Stage<'_> {
        match self {
            Self::StartForGuest => {
                let guest = world.sign_in(ADA).await;
                let mut browser = guest.browser;
                browser.bearer(&guest.access_token);
                Stage::start(browser, json!({ "conversationId": CONVERSATION }))
            }
            Self::StartForAddress => {
                let body = json!({ "conversationId": CONVERSATION, "email": ADA });
                Stage::start(world.browser(), body)
            }
            Self::Link | Self::LinkOfAnEnded => {
                let asked = ask(world, json!({})).await;
                if self == Self::LinkOfAnEnded {
                    world.advance(UNTIL_OVER_SECONDS);
                }
                Stage::get(world.browser(), link_path(world, &asked))
            }
            Self::Allow | Self::AllowElsewhere | Self::Cancel => Stage::form(world, self).await,
            Self::CallbackForGuest | Self::CallbackOfAnotherBrowser | Self::Denial => {
                let (browser, back) = consented(world, ADA).await;
                let browser = if self == Self::CallbackOfAnotherBrowser {
                    world.browser()
                } else {
                    browser
                };
                let denied = if self == Self::Denial {
                    "&error=access_denied&error_description=No"
                } else {
                    ""
                };
                Stage::get(browser, format!("{}{denied}", path_of(&back)))
            }
            Self::CallbackOfAnotherPerson => {
                world.sign_in(BOB).await;
                let (browser, back) = consented(world, BOB).await;
                Stage::get(browser, path_of(&back))
            }
            Self::CallbackForAddress => Stage::callback_for_address(world).await,
            Self::CallbackForAnybody => {
                world.sign_in(ADA).await;
                let (browser, back, _) = linked(world, json!({}), ADA).await;
                Stage::get(browser, path_of(&back))
            }
            Self::StatusWaiting | Self::StatusAbandoned => {
                let session = ask(world, json!({})).await["error"]["sessionId"].clone();
                if self == Self::StatusAbandoned {
                    world.advance(UNTIL_OVER_SECONDS);
                }
                let path = status_path(session.as_str().expect("an id"));
                Stage::get(world.browser(), path)
            }
            Self::TokenForItself => Stage::invoke(world, "get-workload-token", json!({})),
            Self::TokenForUser => {
                let user = json!({ "userId": "tenant#nina" });
                Stage::invoke(world, "get-workload-token", user)
            }
            Self::TokenForHolder => {
                let token = world.sign_in(ADA).await.access_token;
                Stage::invoke(world, "get-workload-token", json!({ "userToken": token }))
            }
            Self::GuestByToken => {
                let token = world.sign_in(ADA).await.access_token;
                Stage::invoke(
                    world,
                    "get-authenticated-guest",
                    json!({ "authToken": token }),
                )
            }
            Self::GuestBySession => {
                world.sign_in(ADA).await;
                Stage::guest_of_session(world, json!({})).await
            }
            Self::GuestByConversation => {
                world.sign_in(ADA).await;
                let asked = json!({ "conversationId": CONVERSATION });
                Stage::guest_of_session(world, asked.clone()).await;
                Stage::invoke(world, "get-authenticated-guest", asked)
            }
            Self::GuestForTheFirstTime | Self::GuestWithoutUser => {
                if self == Self::GuestWithoutUser {
                    plant_guest(world, ADA, "GST-2026-7K3QXB").await;
                }
                make_user_with_password(world, ADA, "nine lives of a cat").await;
                Stage::guest_of_session(world, json!({})).await
            }
            Self::NothingBegun => Stage::invoke(world, "get-authenticated-guest", json!({})),
            Self::Waiting | Self::Abandoned => {
                let asked = ask(world, json!({})).await;
                if self == Self::Abandoned {
                    world.advance(UNTIL_OVER_SECONDS);
                }
                let session = json!({ "sessionId": asked["error"]["sessionId"] });
                Stage::invoke(world, "get-authenticated-guest", session)
            }
        }
    }
}

/// A request that is ready to be sent.
pub(crate) struct Stage<'world> {
    pub(crate) browser: Browser<'world>,
    request: Request<'world>,
}

enum Request<'world> {
    Http(Method, String, Option<Value>),
    Form(ConsentPage, &'static str),
    Invocation(&'world TestWorld, &'static str, Value),
}

impl<'world> Stage<'world> {
    async fn callback_for_address(world: &'world TestWorld) -> Self {
        world.sign_in(ADA).await;
        let mut browser = world.browser();
        let begun = json!({ "conversationId": CONVERSATION, "email": ADA });
        let started = browser.post("/auth/oauth2/authorize", begun).await;
        started.expect_status(200);
        let url = started.text("authorizationUrl");
        let back = Consenting::new(world).consent(&url, ADA).await;
        Self::get(browser, path_of(&back))
    }

    fn start(browser: Browser<'world>, body: Value) -> Self {
        let request = Request::Http(
            Method::POST,
            "/auth/oauth2/authorize".to_owned(),
            Some(body),
        );
        Self { browser, request }
    }

    fn get(browser: Browser<'world>, path: String) -> Self {
        let request = Request::Http(Method::GET, path, None);
        Self { browser, request }
    }

    /// A button on a link's page, which another browser may have pressed before.
    async fn form(world: &'world TestWorld, case: Case) -> Self {
        let asked = ask(world, json!({})).await;
        let path = link_path(world, &asked);
        if case == Case::AllowElsewhere {
            allow(&mut world.browser(), &path).await;
        }
        let mut browser = world.browser();
        let page = ConsentPage::open(&mut browser, &path).await;
        let decision = if case == Case::Cancel {
            "cancel"
        } else {
            "allow"
        };
        Self {
            browser,
            request: Request::Form(page, decision),
        }
    }

    fn invoke(world: &'world TestWorld, function: &'static str, event: Value) -> Self {
        Self {
            browser: world.browser(),
            request: Request::Invocation(world, function, event),
        }
    }

    /// The agent has asked, and the person behind ADA has consented.
    async fn guest_of_session(world: &'world TestWorld, asked: Value) -> Self {
        let (mut browser, back, session) = linked(world, asked, ADA).await;
        let ended = browser.get(&path_of(&back)).await;
        assert!(Case::CallbackForAnybody.is_healthy(&ended), "{ended:?}");
        Self::invoke(
            world,
            "get-authenticated-guest",
            json!({ "sessionId": session }),
        )
    }

    /// Sends the request; the same one each time.
    pub(crate) async fn act(&mut self) -> Answer {
        match &self.request {
            Request::Http(_, path, Some(body)) => self.browser.post(path, body.clone()).await,
            Request::Http(method, path, None) => {
                self.browser
                    .send(method.clone(), path, &[], Vec::new())
                    .await
            }
            Request::Form(page, decision) => page.press(&mut self.browser, decision).await,
            Request::Invocation(world, function, event) => world.invoke(function, event).await,
        }
    }
}

/// An agent asks for its guest, and is told to have them consent first.
pub(crate) async fn ask(world: &TestWorld, event: Value) -> Answer {
    let asked = world.invoke("get-authenticated-guest", &event).await;
    assert_eq!(asked["error"]["code"], "AUTH_REQUIRED", "{}", asked.body);
    asked
}

/// An authorization for ADA, begun in a browser with a token, after somebody has consented: the
/// browser, and where it is sent back to.
pub(crate) async fn consented<'world>(
    world: &'world TestWorld,
    person: &str,
) -> (Browser<'world>, Url) {
    let guest = world.sign_in(ADA).await;
    let mut browser = guest.browser;
    browser.bearer(&guest.access_token);
    let started = browser
        .post(
            "/auth/oauth2/authorize",
            json!({ "conversationId": CONVERSATION }),
        )
        .await;
    started.expect_status(200);
    let url = started.text("authorizationUrl");
    let back = Consenting::new(world).consent(&url, person).await;
    (browser, back)
}

/// An authorization that an agent has begun, after the person has allowed it on the link's page and
/// consented: their browser, where it is sent back to, and the session.
pub(crate) async fn linked<'world>(
    world: &'world TestWorld,
    asked: Value,
    person: &str,
) -> (Browser<'world>, Url, String) {
    let asked = ask(world, asked).await;
    let mut browser = world.browser();
    let url = allow(&mut browser, &link_path(world, &asked)).await;
    let back = Consenting::new(world).consent(&url, person).await;
    let session = asked["error"]["sessionId"].as_str().expect("an id");
    (browser, back, session.to_owned())
}

/// The path of the link that an agent was given.
pub(crate) fn link_path(world: &TestWorld, asked: &Answer) -> String {
    let link = asked["error"]["authorizationUrl"].as_str().expect("a link");
    let path = link.strip_prefix(&world.ready().gateway);
    path.expect("a link on our own domain").to_owned()
}

pub(crate) fn path_of(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

pub(crate) fn status_path(session: &str) -> String {
    format!("/auth/session/{}", session.replace(':', "%3A"))
}
