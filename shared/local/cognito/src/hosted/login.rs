//! `/oauth2/authorize`, `/login` and `/logout`: how a browser gets an authorization code.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use local_kit::{HOUR, Millis};
use rusqlite::Transaction;
use subtle::ConstantTimeEq as _;

use super::authorize::{AuthorizationRequest, Prompt, Rejection};
use super::http::{LONGEST_FORM, Parameters, redirect};
use super::page::{Form, problem};
use super::record::{
    AuthorizationCode, Mailed, PendingSignIn, SignedInBrowser, find, forget, hash_of, keep,
    new_text,
};
use crate::app_client::AppClient;
use crate::custom_message::{self, Occurrence};
use crate::domain::Domain;
use crate::mail::{Mail, masked};
use crate::place::Place;
use crate::pre_authentication::ask_pre_authentication;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{self, Door};
use crate::user::{User, UserStatus};

/// The cookie that identifies a browser between the steps of a sign-in, and at the next sign-in.
const COOKIE: &str = "cognito-local";

/// How long a sign-in may take until a code is asked for.
const PATIENCE: Millis = 900_000;

/// How long a browser stays signed in: the hour of AWS's hosted pages.
const BROWSER_VALIDITY: Millis = HOUR;

/// Five minutes, as the developer guide says of the authorization endpoint.
const CODE_VALIDITY: Millis = 300_000;

/// Maximum of wrong codes, and of mails, in one sign-in; AWS documents neither.
const MOST_WRONG: u32 = 5;
const MOST_MAILS: u32 = 5;

/// Digits of a code as the first factor.
const CODE_DIGITS: usize = 8;

const ENDED: &str = "This sign-in has ended. Go back to where you came from and begin again.";

type Shared = State<Arc<Service>>;

/// `GET /oauth2/authorize`: redirects to the form, or straight back if the browser is signed in.
pub(super) async fn authorize(
    State(service): Shared,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    answer(&service, &domain, |domain| {
        let query = query.unwrap_or_default();
        let parameters = Parameters::parse(query.as_bytes());
        let (request, prompt) = match AuthorizationRequest::read(&service, domain, &parameters)? {
            Ok(read) => read,
            Err(rejection) => return Ok(rejected(&rejection)),
        };
        let now = service.now();
        let browser = match cookie(&headers) {
            Some(text) if prompt != Prompt::Login => service.store.read(|connection| {
                let found = find::<SignedInBrowser>(connection, &domain.pool, text, now)?;
                let Some((browser, _)) = found else {
                    return Ok(None);
                };
                let user = User::look_for(connection, &domain.pool, &browser.username)?;
                Ok(user
                    .filter(|user| signs_in_by_code(user, domain))
                    .map(|_| browser))
            })?,
            Some(_) | None => None,
        };
        if let Some(browser) = browser {
            let code = service.store.change(now, |transaction| {
                issue_code(&service, transaction, domain, request.clone(), browser)
            })?;
            return Ok(redirect(&request.answered_with("code", &code)));
        }
        if prompt == Prompt::None {
            return Ok(redirect(&request.answered_with("error", "login_required")));
        }
        Ok(redirect(&format!(
            "{}/login?{query}",
            service.domain_url(&domain.name)
        )))
    })
}

/// `GET /login`: the form that asks for the address.
pub(super) async fn show(
    State(service): Shared,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    answer(&service, &domain, |domain| {
        let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
        let request = match AuthorizationRequest::read(&service, domain, &parameters)? {
            Ok((request, _)) => request,
            Err(rejection) => return Ok(rejected(&rejection)),
        };
        if !domain.pool.settings.allows_factor("EMAIL_OTP") {
            return Ok(problem(
                StatusCode::BAD_REQUEST,
                "This user pool has no sign-in by email code, and cognito-local shows no other form.",
            ));
        }
        let now = service.now();
        let browser = cookie(&headers).map_or_else(|| new_text(&service), str::to_owned);
        let sign_in = new_text(&service);
        let pending = PendingSignIn {
            request,
            browser: hash_of(&browser),
            mailed: None,
            mails: 0,
        };
        service.store.change(now, |transaction| {
            keep(
                transaction,
                &domain.pool,
                &sign_in,
                now + PATIENCE,
                &pending,
            )
        })?;
        let path = domain.path(&service);
        let form = Form {
            path: &path,
            asked: Some(&pending.request),
            sign_in: &sign_in,
            alert: None,
        };
        let hint = parameters.one("login_hint").ok().flatten();
        let mut response = form.email(hint.unwrap_or_default());
        set_cookie(&service, &path, &browser, BROWSER_VALIDITY, &mut response);
        Ok(response)
    })
}

/// `POST /login`: the next step of a sign-in.
pub(super) async fn submit(
    State(service): Shared,
    Path(domain): Path<String>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !from_here(&parts.headers) {
        return problem(StatusCode::FORBIDDEN, ENDED);
    }
    let Ok(body) = to_bytes(body, LONGEST_FORM).await else {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, ENDED);
    };
    // A task of its own: if the browser hangs up, the step still completes.
    let step = tokio::spawn(async move {
        let domain = Domain::find(&service, &domain)?;
        let Some(domain) = domain else {
            return Ok(nowhere());
        };
        let form = Parameters::parse(&body);
        let browser = cookie(&parts.headers).unwrap_or_default();
        Submission::find(&service, &domain, &form, browser)?
            .answer(&form)
            .await
    });
    match step.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => failed(),
        Err(cause) => {
            Refusal::internal(&cause);
            failed()
        }
    }
}

/// A submitted form, and the sign-in that it belongs to.
struct Submission<'a> {
    service: &'a Service,
    domain: &'a Domain,
    text: &'a str,
    browser: &'a str,
    /// `None`: it is unknown, over, or another browser's.
    pending: Option<PendingSignIn>,
}

impl<'a> Submission<'a> {
    fn find(
        service: &'a Service,
        domain: &'a Domain,
        form: &'a Parameters,
        browser: &'a str,
    ) -> Result<Self, Refusal> {
        let text = form.one("sign_in").ok().flatten().unwrap_or_default();
        let submission = Self {
            service,
            domain,
            text,
            browser,
            pending: None,
        };
        let now = service.now();
        let pending = service
            .store
            .read(|connection| submission.look_up(connection, now))?;
        Ok(Self {
            pending,
            ..submission
        })
    }

    fn look_up(
        &self,
        connection: &rusqlite::Connection,
        now: Millis,
    ) -> Result<Option<PendingSignIn>, Refusal> {
        let found = find::<PendingSignIn>(connection, &self.domain.pool, self.text, now)?;
        Ok(found
            .map(|(pending, _)| pending)
            .filter(|pending| hash_of(self.browser).ct_eq(&pending.browser).into()))
    }

    async fn answer(&self, form: &Parameters) -> Result<Response<Body>, Refusal> {
        let Some(pending) = &self.pending else {
            return Ok(problem(StatusCode::BAD_REQUEST, ENDED));
        };
        let field = |name: &str| form.one(name).ok().flatten().map(str::trim);
        match (field("step"), &pending.mailed) {
            (Some("code"), Some(_)) => self.take_code(field("code").unwrap_or_default()),
            (Some("again"), Some(mailed)) => self.send_code(&mailed.typed).await,
            (Some("restart"), _) => self.restart(),
            (Some("cancel"), _) => self.cancel(pending),
            _ => match field("username") {
                Some(typed) => self.send_code(typed).await,
                None => Ok(self.form(Some("Enter your email address."), |form| form.email(""))),
            },
        }
    }

    fn form(
        &self,
        alert: Option<&str>,
        show: impl FnOnce(&Form<'_>) -> Response<Body>,
    ) -> Response<Body> {
        let path = self.domain.path(self.service);
        show(&Form {
            path: &path,
            asked: self.pending.as_ref().map(|pending| &pending.request),
            sign_in: self.text,
            alert,
        })
    }

    /// Changes the sign-in's present state; `None` if it has ended meanwhile.
    fn change<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>, &mut PendingSignIn, Millis) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        let now = self.service.now();
        self.service.store.change(now, |transaction| {
            let Some(mut pending) = self.look_up(transaction, now)? else {
                return Ok(None);
            };
            let outcome = change(transaction, &mut pending, now)?;
            keep(
                transaction,
                &self.domain.pool,
                self.text,
                now + PATIENCE,
                &pending,
            )?;
            Ok(Some(outcome))
        })
    }

    fn restart(&self) -> Result<Response<Body>, Refusal> {
        let changed = self.change(|_, pending, _| {
            pending.mailed = None;
            Ok(())
        })?;
        Ok(match changed {
            Some(()) => self.form(None, |form| form.email("")),
            None => problem(StatusCode::BAD_REQUEST, ENDED),
        })
    }

    /// The person cancels, and the client learns it (RFC 6749 section 4.1.2.1).
    fn cancel(&self, pending: &PendingSignIn) -> Result<Response<Body>, Refusal> {
        let now = self.service.now();
        self.service
            .store
            .change(now, |transaction| forget(transaction, self.text))?;
        let location = pending.request.answered_with("error", "access_denied");
        Ok(redirect(&location))
    }

    /// Mails a code to a user who can sign in by one. The page is always the same.
    async fn send_code(&self, typed: &str) -> Result<Response<Body>, Refusal> {
        let Some(pending) = &self.pending else {
            return Ok(problem(StatusCode::BAD_REQUEST, ENDED));
        };
        let place = Place::find(self.service, Door::Public, None, &pending.request.client)?;
        let user = self
            .service
            .store
            .read(|connection| User::look_for(connection, &self.domain.pool, typed))?;
        if ask_pre_authentication(self.service, &place, typed, user.as_ref(), None)
            .await
            .is_err()
        {
            return Ok(self.form(Some("Sign-in was refused."), |form| form.email(typed)));
        }
        let user = user.filter(|user| signs_in_by_code(user, self.domain));
        let code = local_kit::digits(self.service.random(), CODE_DIGITS);
        let destination = masked(user.as_ref().and_then(User::email).unwrap_or(typed));
        let minutes = place.client.settings.auth_session_validity;
        let sent = self.change(|_, pending, now| {
            if pending.mails >= MOST_MAILS {
                return Ok(false);
            }
            pending.mails += 1;
            pending.mailed = Some(Mailed {
                typed: typed.to_owned(),
                destination: destination.clone(),
                username: user.as_ref().map(|user| user.username.clone()),
                code: session::hashed(&code),
                until: now + minutes * 60_000,
                wrong: 0,
            });
            Ok(true)
        })?;
        match sent {
            None => return Ok(problem(StatusCode::BAD_REQUEST, ENDED)),
            Some(false) => {
                return Ok(
                    self.form(Some("No further code is sent for this sign-in."), |form| {
                        form.code(&destination)
                    }),
                );
            }
            Some(true) => {}
        }
        if let Some(user) = &user
            && let Some(email) = user.email()
        {
            let template = place.pool.settings.email_mfa_configuration.as_ref();
            let mail = Mail::sign_in_code(email, &code, template);
            let why = (Occurrence::Authentication, None);
            let client = Some(place.client.id.as_str());
            custom_message::send(self.service, &place.pool, client, user, why, mail).await?;
        }
        Ok(self.form(None, |form| form.code(&destination)))
    }

    /// Compares a code with the mailed one, and counts it first. A right one ends the sign-in,
    /// signs the browser in under a new cookie, and becomes an authorization code.
    fn take_code(&self, code: &str) -> Result<Response<Body>, Refusal> {
        let outcome = self.change(|transaction, pending, now| {
            let Some(mailed) = &mut pending.mailed else {
                return Ok(Err(String::new()));
            };
            mailed.wrong += 1;
            let in_time = now < mailed.until && mailed.wrong <= MOST_WRONG;
            let right = session::is_code(code, &mailed.code) && in_time;
            let wrong = mailed.destination.clone();
            let Some(username) = mailed.username.as_deref().filter(|_| right) else {
                return Ok(Err(wrong));
            };
            let user = User::look_for(transaction, &self.domain.pool, username)?
                .filter(|user| signs_in_by_code(user, self.domain));
            let Some(mut user) = user else {
                return Ok(Err(wrong));
            };
            if !user.email_verified() || user.status == UserStatus::Unconfirmed {
                user.email_was_proved();
                user.save(transaction, &self.domain.pool, now, false)?;
            }
            pending.mailed = None;
            pending.browser.clear();
            forget(transaction, self.browser)?;
            let browser = new_text(self.service);
            let signed_in = || SignedInBrowser {
                username: user.username.clone(),
                auth_time: now,
            };
            keep(
                transaction,
                &self.domain.pool,
                &browser,
                now + BROWSER_VALIDITY,
                &signed_in(),
            )?;
            let code = issue_code(
                self.service,
                transaction,
                self.domain,
                pending.request.clone(),
                signed_in(),
            )?;
            Ok(Ok((browser, pending.request.answered_with("code", &code))))
        })?;
        match outcome {
            None => Ok(problem(StatusCode::BAD_REQUEST, ENDED)),
            Some(Err(destination)) => Ok(self.form(
                Some("That code is not right, or it has expired. After five wrong ones, ask for another."),
                |form| form.code(&destination),
            )),
            Some(Ok((browser, location))) => {
                let mut response = redirect(&location);
                let path = self.domain.path(self.service);
                set_cookie(self.service, &path, &browser, BROWSER_VALIDITY, &mut response);
                Ok(response)
            }
        }
    }
}

/// `GET /logout`: signs the browser out, and sends it to a registered address, or back to the form.
pub(super) async fn logout(
    State(service): Shared,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    answer(&service, &domain, |domain| {
        let query = query.unwrap_or_default();
        let parameters = Parameters::parse(query.as_bytes());
        let one = |name: &str| parameters.one(name).ok().flatten();
        let client = match one("client_id") {
            Some(id) => service
                .store
                .read(|connection| AppClient::look_for(connection, id))?
                .filter(|client| client.pool == domain.pool.id),
            None => None,
        };
        let Some(client) = client else {
            return Ok(problem(StatusCode::BAD_REQUEST, "Client does not exist."));
        };
        let location = if let Some(uri) = one("logout_uri") {
            if !client.settings.logout_urls.iter().any(|known| known == uri) {
                return Ok(problem(StatusCode::BAD_REQUEST, "redirect_mismatch"));
            }
            uri.to_owned()
        } else {
            match AuthorizationRequest::read(&service, domain, &parameters)? {
                Ok(_) => format!("{}/login?{query}", service.domain_url(&domain.name)),
                Err(rejection) => return Ok(rejected(&rejection)),
            }
        };
        if let Some(text) = cookie(&headers) {
            service
                .store
                .change(service.now(), |transaction| forget(transaction, text))?;
        }
        let mut response = redirect(&location);
        set_cookie(&service, &domain.path(&service), "", 0, &mut response);
        Ok(response)
    })
}

fn answer(
    service: &Service,
    domain: &str,
    act: impl FnOnce(&Domain) -> Result<Response<Body>, Refusal>,
) -> Response<Body> {
    let outcome = Domain::find(service, domain).and_then(|domain| match domain {
        Some(domain) => act(&domain),
        None => Ok(nowhere()),
    });
    outcome.unwrap_or_else(|_| failed())
}

fn nowhere() -> Response<Body> {
    problem(StatusCode::NOT_FOUND, "No user pool has this domain.")
}

fn failed() -> Response<Body> {
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong while processing your request.",
    )
}

fn rejected(rejection: &Rejection) -> Response<Body> {
    match rejection {
        Rejection::Page(text) => problem(StatusCode::BAD_REQUEST, text),
        Rejection::Redirect(location) => redirect(location),
    }
}

/// Whether Cognito would mail this user a first factor.
fn signs_in_by_code(user: &User, domain: &Domain) -> bool {
    user.enabled
        && user
            .available_challenges(&domain.pool.settings)
            .contains(&"EMAIL_OTP")
}

fn issue_code(
    service: &Service,
    transaction: &Transaction<'_>,
    domain: &Domain,
    request: AuthorizationRequest,
    browser: SignedInBrowser,
) -> Result<String, Refusal> {
    let code = local_kit::uuid(service.random());
    let record = AuthorizationCode {
        request,
        username: browser.username,
        auth_time: browser.auth_time,
        origin_jti: None,
    };
    let expires = service.now() + CODE_VALIDITY;
    keep(transaction, &domain.pool, &code, expires, &record)?;
    Ok(code)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && !value.is_empty())
        .map(|(_, value)| value)
}

/// `Lax`, because the browser arrives from the client's site and must still send the cookie.
fn set_cookie(
    service: &Service,
    path: &str,
    value: &str,
    validity: Millis,
    response: &mut Response<Body>,
) {
    let secure = if service.options.public_url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{COOKIE}={value}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        validity / 1_000
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// Refuses a form from another site. Programs send neither header, but still need the cookie.
fn from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default();
    let same_origin = text("origin").is_none_or(|origin| {
        origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority == host)
    });
    same_origin && text("sec-fetch-site").is_none_or(|site| site == "same-origin")
}
