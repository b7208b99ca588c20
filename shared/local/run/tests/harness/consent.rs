//! A person who consents at the user pool's own page, in a browser.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::Url;

use crate::harness::TestWorld;

/// A browser with its cookies that follows every redirect, except the one back to the application:
/// tests do that step themselves.
pub(crate) struct Consenting<'world> {
    world: &'world TestWorld,
    http: Client,
}

impl<'world> Consenting<'world> {
    pub(crate) fn new(world: &'world TestWorld) -> Self {
        let http = Client::builder()
            .cookie_store(true)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self { world, http }
    }

    /// Opens an authorization URL and signs in with the code that is mailed to this address.
    /// Returns the address of the final redirect.
    pub(crate) async fn consent(&self, authorization_url: &str, email: &str) -> Url {
        match self.follow(self.get(authorization_url).await).await {
            Ended::SentBack(url) => url,
            Ended::Page(page) => {
                let before = self.world.mails(email).first().map_or(0, |mail| mail.id);
                let answer = page
                    .submit(self, &[("step", "email"), ("username", email)])
                    .await;
                let Ended::Page(page) = self.follow(answer).await else {
                    panic!("the page asks for the code");
                };
                let mail = self
                    .world
                    .latest_mail(email, before, Duration::from_secs(5))
                    .await;
                let code = mail.and_then(|mail| mail.code).expect("a code is mailed");
                let answer = page
                    .submit(self, &[("step", "code"), ("code", &code)])
                    .await;
                match self.follow(answer).await {
                    Ended::SentBack(url) => url,
                    Ended::Page(page) => panic!("the code is not right: {}", page.html),
                }
            }
        }
    }

    /// Opens an authorization URL, and does nothing else. Returns the address of the final
    /// redirect, if no page asked a person.
    pub(crate) async fn silently(&self, authorization_url: &str) -> Option<Url> {
        match self.follow(self.get(authorization_url).await).await {
            Ended::SentBack(url) => Some(url),
            Ended::Page(_) => None,
        }
    }

    /// Opens an authorization URL and returns from the provider with a refusal, as a person who
    /// declines does (RFC 6749 §4.1.2.1).
    pub(crate) async fn refuse(&self, authorization_url: &str) -> Url {
        let sent_on = self.get(authorization_url).await;
        let at_provider = sent_on.headers()["location"].to_str().expect("text");
        let at_provider = Url::parse(at_provider).expect("a URL");
        let parameter = |wanted: &str| {
            let mut pairs = at_provider.query_pairs();
            let found = pairs.find(|(name, _)| name == wanted);
            found.expect("a parameter").1.into_owned()
        };
        let mut back = Url::parse(&parameter("redirect_uri")).expect("a URL");
        back.query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "The person said no.")
            .append_pair("state", &parameter("state"));
        match self.follow(self.get(back.as_str()).await).await {
            Ended::SentBack(url) => url,
            Ended::Page(page) => panic!("nobody is sent back: {}", page.html),
        }
    }

    async fn get(&self, url: &str) -> Response {
        let request = self.http.get(url);
        request.send().await.expect("the page answers")
    }

    async fn follow(&self, mut response: Response) -> Ended {
        let application = Url::parse(&self.world.ready().page).expect("a URL");
        while response.status() == StatusCode::FOUND {
            let location = response.headers()["location"].to_str().expect("text");
            let location = response.url().join(location).expect("a URL");
            if location.origin() == application.origin() {
                return Ended::SentBack(location);
            }
            response = self.get(location.as_str()).await;
        }
        assert_eq!(response.status(), StatusCode::OK, "{}", response.url());
        let url = response.url().clone();
        let html = response.text().await.expect("a page");
        Ended::Page(Page { url, html })
    }
}

/// The end of a browser's redirects.
enum Ended {
    /// At the application's door.
    SentBack(Url),
    /// In front of a form.
    Page(Page),
}

struct Page {
    url: Url,
    html: String,
}

impl Page {
    async fn submit(&self, browser: &Consenting<'_>, fields: &[(&str, &str)]) -> Response {
        let between = |before: &str| {
            let (_, rest) = self.html.split_once(before).expect("a form");
            rest.split('"').next().expect("an attribute's end")
        };
        let action = self.url.join(between("action=\"")).expect("a URL");
        let sign_in = between("name=\"sign_in\" value=\"");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("sign_in", sign_in)
            .extend_pairs(fields)
            .finish();
        let request = browser
            .http
            .post(action)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        request.send().await.expect("the page answers")
    }
}
