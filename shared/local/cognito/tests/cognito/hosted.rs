//! The hosted sign-in, seen by a browser, an app client and an attacker.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cognito_local::{HostedSignIn, PromptLogin, Secret};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use url::Url;

use crate::email_codes::join_all;
use crate::tokens::verified;
use crate::triggers::{Outcome, functions};
use crate::world::{PASSWORD, World, refusal};

const NINA: &str = "nina@example.com";
const CALLBACK: &str = "https://app.example.com/callback";
const STATE: &str = "a state & more";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more-";

async fn hosted_world() -> World {
    hosted_world_with(|_| {}).await
}

async fn hosted_world_with(change: impl FnOnce(&mut crate::world::Plan)) -> World {
    let world = World::with(|plan| {
        plan.pool.domain = Some("tests".to_owned());
        plan.client.secret = Secret::Generated;
        let mut hosted = HostedSignIn::new(CALLBACK);
        hosted.logout_urls = vec!["https://app.example.com/bye".to_owned()];
        plan.client.hosted_sign_in = Some(hosted);
        change(plan);
    })
    .await;
    world.passwordless_user(NINA).await;
    world
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()))
}

/// A browser: it keeps cookies, and follows no redirection by itself.
struct Browser {
    http: Client,
}

impl Browser {
    fn new() -> Self {
        let http = Client::builder()
            .cookie_store(true)
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self { http }
    }

    async fn get(&self, url: &str) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(url).body(form(fields));
        let form = "application/x-www-form-urlencoded";
        request.header("content-type", form).send().await.unwrap()
    }

    /// Opens the form of an authorization request.
    async fn open(&self, world: &World, changes: &[(&str, Option<&str>)]) -> Page {
        let begun = self.get(&authorize_url(world, changes)).await;
        assert_eq!(begun.status(), StatusCode::FOUND);
        let login = location(&begun);
        assert!(
            login.starts_with(&format!("{}/login?", base(world))),
            "{login}"
        );
        Page::read(self.get(&login).await).await
    }

    /// Signs in by a mailed code; returns the address of the final redirect.
    async fn sign_in(&self, world: &World, changes: &[(&str, Option<&str>)]) -> String {
        let page = self.open(world, changes).await;
        let page = self.submit(world, &page, &[("username", NINA)]).await;
        let code = world.last_code(NINA);
        let fields = [
            ("sign_in", page.sign_in.as_str()),
            ("step", "code"),
            ("code", &code),
        ];
        let done = self.post(&format!("{}/login", base(world)), &fields).await;
        assert_eq!(done.status(), StatusCode::FOUND);
        location(&done)
    }

    async fn submit(&self, world: &World, page: &Page, fields: &[(&str, &str)]) -> Page {
        let fields = [&[("sign_in", page.sign_in.as_str())], fields].concat();
        Page::read(self.post(&format!("{}/login", base(world)), &fields).await).await
    }
}

/// A page that the browser shows.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
    sign_in: String,
}

impl Page {
    async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let html = response.text().await.unwrap();
        let sign_in = html
            .split_once("name=\"sign_in\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(text, _)| text.to_owned())
            .unwrap_or_default();
        Self {
            status,
            headers,
            html,
            sign_in,
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

fn location(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn base(world: &World) -> String {
    world.cognito.domain_url(&world.pool).unwrap().unwrap()
}

fn authorize_url(world: &World, changes: &[(&str, Option<&str>)]) -> String {
    let challenge = challenge();
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", world.client.client_id.as_str()),
        ("redirect_uri", CALLBACK),
        ("state", STATE),
        ("nonce", "a-nonce"),
        ("scope", "openid email"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        if let Some(value) = value {
            parameters.push((name, value));
        }
    }
    format!("{}/oauth2/authorize?{}", base(world), form(&parameters))
}

/// `POST /oauth2/token`, with HTTP Basic if there is a secret.
async fn token(world: &World, fields: &[(&str, &str)]) -> (StatusCode, Value) {
    let secret = world.client.client_secret.clone();
    let mut request = Client::new()
        .post(format!("{}/oauth2/token", base(world)))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(fields));
    if secret.is_some() {
        request = request.basic_auth(&world.client.client_id, secret);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status(), response.json().await.unwrap())
}

async fn exchange(world: &World, code: &str) -> (StatusCode, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    token(world, &fields).await
}

fn failed(error: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({"error": error}))
}

#[tokio::test]
async fn a_browser_gets_a_code_by_email_and_the_client_its_tokens() {
    let world = hosted_world().await;
    let back = Browser::new().sign_in(&world, &[]).await;
    assert!(back.starts_with(&format!("{CALLBACK}?code=")));
    assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
    let (status, tokens) = exchange(&world, &parameter(&back, "code").unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3_600);
    let id = verified(&world, tokens["id_token"].as_str().unwrap()).await;
    let access = verified(&world, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(id["nonce"], "a-nonce");
    assert_eq!(id["email"], NINA);
    assert_eq!(id["auth_time"], world.clock.now());
    let half = digest(&SHA256, tokens["access_token"].as_str().unwrap().as_bytes());
    assert_eq!(id["at_hash"], URL_SAFE_NO_PAD.encode(&half.as_ref()[..16]));
    assert_eq!(access["scope"], "openid email");
    assert_eq!(access["version"], 2);
    assert_eq!(access["sub"], id["sub"]);

    let access = tokens["access_token"].as_str().unwrap();
    let ask = || async {
        let call = Client::new().get(format!("{}/oauth2/userInfo", base(&world)));
        let answer = call.bearer_auth(access).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, info) = ask().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(info["email"], NINA);
    assert_eq!(info["email_verified"], "true");
    assert_eq!(info["sub"], id["sub"]);
    let own = world.sdk.get_user().access_token(access).send().await;
    assert_eq!(
        refusal(own),
        "NotAuthorizedException: Access Token does not have required scopes"
    );

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    world.clock.advance(60);
    let (status, refreshed) = token(&world, &fields).await;
    assert_eq!(status, StatusCode::OK);
    assert!(refreshed["refresh_token"].is_null());
    let again = verified(&world, refreshed["id_token"].as_str().unwrap()).await;
    assert_eq!(again["auth_time"], id["auth_time"]);
    assert!(again["nonce"].is_null());
    let again = verified(&world, refreshed["access_token"].as_str().unwrap()).await;
    assert_eq!(again["scope"], "openid email");

    let revoke = Client::new()
        .post(format!("{}/oauth2/revoke", base(&world)))
        .basic_auth(&world.client.client_id, world.client.client_secret.clone())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&[("token", refresh)]));
    let revoked = revoke.send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::OK);
    assert_eq!(revoked.text().await.unwrap(), "");
    assert_eq!(token(&world, &fields).await, failed("invalid_grant"));
    let (status, info) = ask().await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(info["error"], "invalid_token");
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_its_address_and_its_verifier() {
    let world = hosted_world().await;
    let browser = Browser::new();
    let code = async || {
        let back = browser.sign_in(&world, &[("prompt", Some("login"))]).await;
        parameter(&back, "code").unwrap()
    };
    for change in [
        ("redirect_uri", "https://app.example.com/callback/"),
        (
            "code_verifier",
            "another-verifier-of-forty-three-characters-xx",
        ),
        ("code_verifier", ""),
    ] {
        let code = code().await;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        fields.retain(|(name, _)| *name != change.0);
        fields.push(change);
        assert_eq!(token(&world, &fields).await, failed("invalid_grant"));
        assert_eq!(
            exchange(&world, &code).await,
            failed("invalid_grant"),
            "it is spent"
        );
    }

    let late = code().await;
    world.clock.advance(300);
    assert_eq!(exchange(&world, &late).await, failed("invalid_grant"));

    let once = code().await;
    let (_, tokens) = exchange(&world, &once).await;
    assert_eq!(exchange(&world, &once).await, failed("invalid_grant"));
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(
        token(&world, &fields).await,
        failed("invalid_grant"),
        "what the first exchange got is revoked at the second"
    );

    let raced = code().await;
    let answers = join_all((0..20).map(|_| exchange(&world, &raced))).await;
    let won = answers.iter().filter(|(status, _)| status.is_success());
    assert_eq!(won.count(), 1);

    let mut other = hosted_client("other");
    other.secret = Secret::None;
    let other = world.cognito.ensure_client(&world.pool, other).unwrap();
    let stolen = code().await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", stolen.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", &other.client_id),
    ];
    let response = Browser::new()
        .post(&format!("{}/oauth2/token", base(&world)), &fields)
        .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(exchange(&world, &stolen).await.0, StatusCode::OK);
}

fn hosted_client(name: &str) -> cognito_local::ClientSpec {
    let mut client = cognito_local::ClientSpec::new(name);
    client.hosted_sign_in = Some(HostedSignIn::new(CALLBACK));
    client
}

#[tokio::test]
async fn a_client_proves_itself_by_basic_or_by_the_form_and_never_by_both() {
    let world = hosted_world().await;
    let url = format!("{}/oauth2/token", base(&world));
    let id = world.client.client_id.as_str();
    let secret = world.client.client_secret.clone().unwrap();
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let call = async |basic: Option<String>, fields: &[(&str, &str)]| {
        let fields = [
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            fields,
        ]
        .concat();
        let mut request = Client::new()
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&fields));
        if let Some(basic) = basic {
            request = request.header("authorization", basic);
        }
        let response = request.send().await.unwrap();
        let challenged = response.headers().contains_key("www-authenticate");
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (
            status,
            challenged,
            body["error"].as_str().unwrap().to_owned(),
        )
    };
    let grant = (400, false, "invalid_grant".to_owned());
    assert_eq!(call(Some(basic(&secret)), &[]).await, grant);
    let in_form = [("client_id", id), ("client_secret", secret.as_str())];
    assert_eq!(call(None, &in_form).await, grant);
    assert_eq!(
        call(Some(basic("wrong")), &[]).await,
        (401, true, "invalid_client".to_owned())
    );
    assert_eq!(
        call(None, &[("client_id", id), ("client_secret", "wrong")]).await,
        (400, false, "invalid_client".to_owned())
    );
    assert_eq!(
        call(None, &[("client_id", id)]).await,
        (400, false, "invalid_client".to_owned())
    );
    for (basic, fields) in [
        (Some(basic(&secret)), in_form.as_slice()),
        (None, &[]),
        (None, &[("client_id", id), ("client_id", id)]),
    ] {
        assert_eq!(
            call(basic, fields).await,
            (400, false, "invalid_request".to_owned())
        );
    }
    let unsupported = [("grant_type", "client_credentials")];
    assert_eq!(
        token(&world, &unsupported).await,
        failed("unsupported_grant_type")
    );
    let media = Client::new()
        .post(&url)
        .header("content-type", "application/json");
    let response = media.body("{}").send().await.unwrap();
    assert_eq!(
        response.json::<Value>().await.unwrap(),
        json!({"error": "invalid_request"})
    );
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_the_client_has_not_registered() {
    let world = hosted_world().await;
    let browser = Browser::new();
    for (changes, text) in [
        (
            ("redirect_uri", Some("https://app.example.com/callback/")),
            "redirect_mismatch",
        ),
        (
            ("redirect_uri", Some("https://app.example.com/callback?x=1")),
            "redirect_mismatch",
        ),
        (
            ("redirect_uri", Some("https://evil.example/callback")),
            "redirect_mismatch",
        ),
        (("redirect_uri", None), "redirect_mismatch"),
        (("client_id", Some("nobody")), "Client does not exist."),
        (("client_id", None), "&#39;client_id&#39;"),
    ] {
        let response = browser.get(&authorize_url(&world, &[changes])).await;
        assert!(!response.headers().contains_key(LOCATION));
        let page = Page::read(response).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(
            page.html.contains(&text.replace("&#39;", "'")),
            "{changes:?}: {}",
            page.html
        );
    }
    let twice = format!(
        "{}&redirect_uri=https://evil.example",
        authorize_url(&world, &[])
    );
    assert_eq!(browser.get(&twice).await.status(), StatusCode::BAD_REQUEST);
    for (changes, error) in [
        (vec![("response_type", None)], "invalid_request"),
        (
            vec![("response_type", Some("token"))],
            "unauthorized_client",
        ),
        (
            vec![("response_type", Some("none"))],
            "unsupported_response_type",
        ),
        (vec![("code_challenge_method", None)], "invalid_request"),
        (
            vec![("code_challenge_method", Some("plain"))],
            "invalid_request",
        ),
        (vec![("code_challenge", None)], "invalid_request"),
        (vec![("code_challenge", Some("short"))], "invalid_request"),
        (vec![("scope", Some("openid admin"))], "invalid_scope"),
        (vec![("scope", Some("email"))], "invalid_scope"),
        (
            vec![("scope", Some("aws.cognito.signin.user.admin"))],
            "invalid_scope",
        ),
        (
            vec![("identity_provider", Some("Google"))],
            "invalid_request",
        ),
        (vec![("prompt", Some("none"))], "login_required"),
    ] {
        let response = browser.get(&authorize_url(&world, &changes)).await;
        assert_eq!(response.status(), StatusCode::FOUND, "{changes:?}");
        let back = location(&response);
        assert!(back.starts_with(&format!("{CALLBACK}?")), "{back}");
        assert_eq!(
            parameter(&back, "error").as_deref(),
            Some(error),
            "{changes:?}"
        );
        assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
        assert_eq!(parameter(&back, "code"), None);
    }
}

#[tokio::test]
async fn the_form_needs_no_script_lets_nothing_in_and_is_nobody_elses() {
    let world = hosted_world().await;
    let browser = Browser::new();
    let hint = ("login_hint", Some("\"><script>alert(1)</script>"));
    let page = browser.open(&world, &[hint]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.html.contains("<script"), "{}", page.html);
    assert!(page.html.contains("<html lang=\"en\">"));
    assert!(page.html.contains("<label for=\"username\">"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.ends_with("form-action 'self' https:; base-uri 'none'; frame-ancestors 'none'"));
    let style = page.html.split_once("<style>").unwrap().1;
    let style = style.split_once("</style>").unwrap().0;
    assert!(policy.contains(&STANDARD.encode(digest(&SHA256, style.as_bytes()))));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert!(!page.headers.contains_key("access-control-allow-origin"));
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(cookie.contains("Path=/tests;"), "{cookie}");

    let page = browser.submit(&world, &page, &[("username", NINA)]).await;
    assert!(page.html.contains("n***@e***"), "{}", page.html);
    assert!(page.html.contains("autocomplete=\"one-time-code\""));
    let code = world.last_code(NINA);
    assert_eq!(code.len(), 8);
    let url = format!("{}/login", base(&world));
    let fields = [
        ("sign_in", page.sign_in.as_str()),
        ("step", "code"),
        ("code", &code),
    ];
    let stranger = Browser::new().post(&url, &fields).await;
    assert_eq!(
        stranger.status(),
        StatusCode::BAD_REQUEST,
        "another browser's cookie"
    );
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
    ] {
        let request = browser.http.post(&url).header(header, value);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form(&fields)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let request = browser.http.post(&url).header("origin", &world.url);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let done = request.body(form(&fields)).send().await.unwrap();
    assert_eq!(done.status(), StatusCode::FOUND);
    assert_eq!(done.headers()["cache-control"], "no-store");
    let again = browser.post(&url, &fields).await;
    assert_eq!(
        again.status(),
        StatusCode::BAD_REQUEST,
        "a sign-in ends once"
    );
}

#[tokio::test]
async fn the_page_names_the_app_and_what_it_gets_and_can_be_cancelled() {
    let world = hosted_world().await;
    let browser = Browser::new();
    let page = browser.open(&world, &[]).await;
    for words in ["asks you to sign in", "who you are", "your email address"] {
        assert!(page.html.contains(words), "{words}: {}", page.html);
    }
    let url = format!("{}/login", base(&world));
    let fields = [("sign_in", page.sign_in.as_str()), ("step", "cancel")];
    let cancelled = browser.post(&url, &fields).await;
    assert_eq!(cancelled.status(), StatusCode::FOUND);
    let location = Url::parse(&location(&cancelled)).unwrap();
    let query: Vec<(String, String)> = location.query_pairs().into_owned().collect();
    assert!(query.contains(&("error".to_owned(), "access_denied".to_owned())));
    assert!(query.contains(&("state".to_owned(), STATE.to_owned())));
    let again = browser.post(&url, &fields).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn five_wrong_codes_end_a_code_and_another_one_can_be_asked_for() {
    let world = hosted_world().await;
    let browser = Browser::new();
    let page = browser.open(&world, &[]).await;
    let page = browser.submit(&world, &page, &[("username", NINA)]).await;
    for _ in 0..5 {
        let wrong = [("step", "code"), ("code", "none")];
        let page = browser.submit(&world, &page, &wrong).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.html.contains("role=\"alert\""));
    }
    let code = world.last_code(NINA);
    let right = [("step", "code"), ("code", code.as_str())];
    let refused = browser.submit(&world, &page, &right).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let page = browser.submit(&world, &page, &[("step", "again")]).await;
    world.clock.advance(180);
    let code = world.last_code(NINA);
    let right = [("step", "code"), ("code", code.as_str())];
    let late = browser.submit(&world, &page, &right).await;
    assert_eq!(
        late.status,
        StatusCode::BAD_REQUEST,
        "a code ends with the session's validity"
    );
    browser.submit(&world, &page, &[("step", "again")]).await;
    let code = world.last_code(NINA);
    let right = [("step", "code"), ("code", code.as_str())];
    let done = browser.submit(&world, &page, &right).await;
    assert_eq!(done.status, StatusCode::FOUND);
}

#[tokio::test]
async fn the_form_says_the_same_to_everybody_and_mails_only_who_can_sign_in_by_code() {
    let world = hosted_world_with(|plan| plan.pool.software_token_mfa = true).await;
    let guarded = "guarded@example.com";
    world.user_with_password(guarded).await;
    world.set_password(guarded, PASSWORD, false).await.unwrap();
    let disabled = "disabled@example.com";
    world.passwordless_user(disabled).await;
    let call = world.sdk.admin_disable_user().user_pool_id(&world.pool);
    call.username(disabled).send().await.unwrap();
    for name in ["nobody@example.com", guarded, disabled] {
        let browser = Browser::new();
        let page = browser.open(&world, &[]).await;
        let page = browser.submit(&world, &page, &[("username", name)]).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.html.contains("If this address can sign in by code"));
        let wrong = [("step", "code"), ("code", "00000000")];
        let page = browser.submit(&world, &page, &wrong).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(world.mails_to(name).is_empty());
    }
}

#[tokio::test]
async fn a_browser_stays_signed_in_for_an_hour_or_until_it_signs_out() {
    let world = hosted_world().await;
    let browser = Browser::new();
    browser.sign_in(&world, &[]).await;
    let silent = async |changes: &[(&str, Option<&str>)]| {
        let response = browser.get(&authorize_url(&world, changes)).await;
        let back = location(&response);
        (back.starts_with(CALLBACK), parameter(&back, "code"))
    };
    world.clock.advance(60);
    let (_, code) = silent(&[("prompt", Some("none"))]).await;
    let (_, tokens) = exchange(&world, &code.unwrap()).await;
    let id = verified(&world, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(
        id["auth_time"],
        world.clock.now() - 60,
        "when the code was typed"
    );
    assert_eq!(silent(&[("prompt", Some("login"))]).await, (false, None));
    world.cognito.set_prompt_login(PromptLogin::Ignored);
    let (_, code) = silent(&[("prompt", Some("login"))]).await;
    let (_, tokens) = exchange(&world, &code.unwrap()).await;
    let id = verified(&world, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(id["auth_time"], world.clock.now() - 60, "the old sign-in");
    world.cognito.set_prompt_login(PromptLogin::Heeded);
    assert_eq!(world.mails_to(NINA).len(), 1);

    let logout = async |parameters: &[(&str, &str)]| {
        let url = format!("{}/logout?{}", base(&world), form(parameters));
        browser.get(&url).await
    };
    let id = world.client.client_id.as_str();
    let evil = [("client_id", id), ("logout_uri", "https://evil.example")];
    assert_eq!(logout(&evil).await.status(), StatusCode::BAD_REQUEST);
    assert!(silent(&[]).await.1.is_some());
    let bye = "https://app.example.com/bye";
    let left = logout(&[("client_id", id), ("logout_uri", bye)]).await;
    assert_eq!(location(&left), bye);
    assert_eq!(silent(&[]).await, (false, None));

    browser.sign_in(&world, &[]).await;
    world.clock.advance(3_600);
    assert_eq!(silent(&[]).await, (false, None));
}

#[tokio::test]
async fn the_triggers_are_asked_here_too_and_a_refusal_lets_nobody_on() {
    let functions = functions(|event| {
        let source = event["triggerSource"].as_str().unwrap();
        let refused = source == "PreAuthentication_Authentication"
            && event["request"]["userNotFound"] == json!(true);
        if refused {
            return Outcome::FunctionError(json!({"errorMessage": "no entry"}));
        }
        let mut answer = event.clone();
        if source.starts_with("TokenGeneration") {
            answer["response"]["claimsAndScopeOverrideDetails"] = json!({
                "accessTokenGeneration": {"scopesToAdd": ["latchkey/session"]},
                "idTokenGeneration": {"claimsToAddOrOverride": {"nonce": "forged", "at_hash": "forged"}},
            });
        }
        Outcome::Answer(answer)
    })
    .await;
    let events = std::sync::Arc::clone(&functions.events);
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:f".to_owned();
    let world = hosted_world_with(|plan| {
        plan.options.lambda_url = Some(functions.url);
        plan.pool.pre_authentication = Some(arn.clone());
        plan.pool.pre_token_generation = Some(arn);
    })
    .await;
    let back = Browser::new().sign_in(&world, &[]).await;
    let (_, tokens) = exchange(&world, &parameter(&back, "code").unwrap()).await;
    let access = verified(&world, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(access["scope"], "openid email latchkey/session");
    let id = verified(&world, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(id["nonce"], "a-nonce");
    let seen: Vec<Value> = events
        .lock()
        .unwrap()
        .iter()
        .map(|(_, event)| event.clone())
        .collect();
    assert_eq!(seen[0]["triggerSource"], "PreAuthentication_Authentication");
    assert_eq!(seen[1]["triggerSource"], "TokenGeneration_HostedAuth");
    assert_eq!(seen[1]["request"]["scopes"], json!(["openid", "email"]));

    let browser = Browser::new();
    let page = browser.open(&world, &[]).await;
    let unknown = [("username", "nobody@example.com")];
    let page = browser.submit(&world, &page, &unknown).await;
    assert!(page.html.contains("Sign-in was refused."));
}

#[tokio::test]
async fn scopes_decide_which_tokens_there_are_and_what_stands_in_them() {
    let world = hosted_world_with(|plan| {
        plan.client.hosted_sign_in.as_mut().unwrap().scopes =
            ["openid", "phone", "aws.cognito.signin.user.admin"]
                .map(str::to_owned)
                .to_vec();
    })
    .await;
    let browser = Browser::new();
    let tokens = async |scope: Option<&str>| {
        let back = browser
            .sign_in(&world, &[("scope", scope), ("prompt", Some("login"))])
            .await;
        exchange(&world, &parameter(&back, "code").unwrap()).await.1
    };
    let own = tokens(Some("aws.cognito.signin.user.admin")).await;
    assert!(own["id_token"].is_null());
    let access = own["access_token"].as_str().unwrap();
    world
        .sdk
        .get_user()
        .access_token(access)
        .send()
        .await
        .unwrap();
    let info = Client::new().get(format!("{}/oauth2/userInfo", base(&world)));
    let info = info.bearer_auth(access).send().await.unwrap();
    assert_eq!(info.status(), StatusCode::UNAUTHORIZED);
    let phone = tokens(Some("openid phone")).await;
    let id = verified(&world, phone["id_token"].as_str().unwrap()).await;
    assert!(id["email"].is_null());
    let all = tokens(None).await;
    let access = verified(&world, all["access_token"].as_str().unwrap()).await;
    assert_eq!(
        access["scope"],
        "openid phone aws.cognito.signin.user.admin"
    );
    let openid = tokens(Some("openid")).await;
    let id = verified(&world, openid["id_token"].as_str().unwrap()).await;
    assert_eq!(id["email"], NINA);
}

#[tokio::test]
async fn without_a_domain_there_is_no_hosted_sign_in_and_discovery_names_it_only_then() {
    let world = hosted_world().await;
    let discovery = async || -> Value {
        let url = format!(
            "{}/{}/.well-known/openid-configuration",
            world.url, world.pool
        );
        reqwest::get(url).await.unwrap().json().await.unwrap()
    };
    let described = discovery().await;
    let base = base(&world);
    for (name, path) in [
        ("authorization_endpoint", "oauth2/authorize"),
        ("token_endpoint", "oauth2/token"),
        ("userinfo_endpoint", "oauth2/userInfo"),
        ("revocation_endpoint", "oauth2/revoke"),
        ("end_session_endpoint", "logout"),
    ] {
        assert_eq!(described[name], format!("{base}/{path}"));
    }
    let describe = || {
        let call = world.sdk.describe_user_pool().user_pool_id(&world.pool);
        call.send()
    };
    let pool = describe().await.unwrap().user_pool.unwrap();
    assert_eq!(pool.domain.as_deref(), Some("tests"));
    let delete_pool = world.sdk.delete_user_pool().user_pool_id(&world.pool);
    assert_eq!(
        refusal(delete_pool.send().await),
        "InvalidParameterException: User pool cannot be deleted. It has a domain configured that should be deleted first."
    );
    let create = |domain: &str| {
        let call = world.sdk.create_user_pool_domain();
        call.user_pool_id(&world.pool).domain(domain).send()
    };
    assert_eq!(
        refusal(create("more").await),
        "InvalidParameterException: User pool already has a domain configured."
    );
    let delete = world.sdk.delete_user_pool_domain();
    let delete = delete.user_pool_id(&world.pool).domain("tests");
    delete.send().await.unwrap();
    assert!(discovery().await["token_endpoint"].is_null());
    assert_eq!(world.cognito.domain_url(&world.pool).unwrap(), None);
    let gone = reqwest::get(format!("{base}/oauth2/authorize"))
        .await
        .unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        refusal(create("my-cognito").await),
        "InvalidParameterException: Domain cannot contain reserved word: cognito"
    );
    create("more").await.unwrap();
    assert_eq!(
        describe()
            .await
            .unwrap()
            .user_pool
            .unwrap()
            .domain
            .as_deref(),
        Some("more")
    );
}

#[tokio::test]
async fn a_client_registers_only_what_the_hosted_sign_in_can_keep_to() {
    let world = hosted_world().await;
    let create = async |change: Value| {
        let mut body = json!({
            "UserPoolId": world.pool,
            "ClientName": "c",
            "AllowedOAuthFlowsUserPoolClient": true,
            "AllowedOAuthFlows": ["code"],
            "AllowedOAuthScopes": ["openid"],
            "CallbackURLs": [CALLBACK],
            "SupportedIdentityProviders": ["COGNITO"],
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, answer) = world.raw("CreateUserPoolClient", &body).await;
        if status == 200 {
            assert_eq!(
                answer["UserPoolClient"]["CallbackURLs"],
                body["CallbackURLs"]
            );
            return String::new();
        }
        answer["__type"].as_str().unwrap().to_owned()
    };
    for url in [
        "https://a.example",
        "http://localhost:3000/x",
        "http://127.0.0.1/",
        "myapp://done",
    ] {
        assert_eq!(create(json!({"CallbackURLs": [url]})).await, "");
    }
    for url in [
        "http://a.example/",
        "https://a.example/#x",
        "/relative",
        "javascript:alert(1)",
        "http://localhost.evil.example/",
    ] {
        assert_eq!(
            create(json!({"CallbackURLs": [url]})).await,
            "InvalidParameterException",
            "{url}"
        );
    }
    for (change, exception) in [
        (
            json!({"AllowedOAuthFlows": ["implicit"]}),
            "InvalidOAuthFlowException",
        ),
        (
            json!({"AllowedOAuthFlows": []}),
            "InvalidOAuthFlowException",
        ),
        (
            json!({"AllowedOAuthScopes": ["photos/read"]}),
            "ScopeDoesNotExistException",
        ),
        (
            json!({"SupportedIdentityProviders": ["Google"]}),
            "InvalidParameterException",
        ),
    ] {
        assert_eq!(create(change).await, exception);
    }
}
