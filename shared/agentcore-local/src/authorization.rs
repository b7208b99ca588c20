//! Authorization sessions: the URL that a person opens, the way to the provider and back, and the completion that alone puts
//! tokens into the vault.
//!
//! A session goes one way: begun, opened, exchanging, returned, completed; or it fails. Each step is one transaction that looks
//! at the step before, so two requests that arrive at once take it once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::behaviour::{CodeExchange, Denial, DeniedSession, Permission};
use crate::credential_provider::Provider;
use crate::oauth2::{self, Grant, Tokens};
use crate::random;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::{Fingerprint, Millis, fingerprint};
use crate::user_token;
use crate::vault::{self, Purpose};
use crate::workload_token::{Bearer, Principal};

/// AWS: "the authorization URL and its session are valid for 10 minutes" ("OAuth2 authorization URL session binding").
const LIFETIME: Duration = Duration::from_mins(10);

/// What the id in a session URI stands behind (RFC 9126, section 2.2).
const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

#[derive(Serialize, Deserialize)]
struct Session {
    bearer: Bearer,
    provider: String,
    /// Where in the vault the tokens will lie.
    key: Fingerprint,
    purpose: Purpose,
    return_url: String,
    custom_state: Option<String>,
    ends: Millis,
    progress: Progress,
}

#[derive(Serialize, Deserialize)]
enum Progress {
    /// Nobody has opened the URL.
    Begun,
    /// The browser is at the provider's.
    Opened { verifier: String },
    /// The provider has sent the browser back, and is being asked for tokens.
    Exchanging,
    /// Consent was given; nothing is usable yet.
    Returned(Withheld),
    /// The tokens lie in the vault.
    Completed,
    /// There will be none.
    Failed,
}

/// What a consent gave.
#[derive(Serialize, Deserialize)]
enum Withheld {
    Tokens(Tokens),
    Code { code: String, verifier: String },
}

/// What a caller who polls is told.
pub(crate) enum Standing {
    InProgress,
    Completed,
    Failed,
}

/// What a browser is answered.
pub(crate) enum Step {
    /// Go on there.
    Redirect(Url),
    /// This is the end: the sentence is for the person.
    DeadEnd(&'static str),
}

const ENDED: Step = Step::DeadEnd("This sign-in link has been used already, or its time is over.");
const UNREACHABLE: Step = Step::DeadEnd("The sign-in service cannot be reached. Try again.");

impl Session {
    fn find(connection: &Connection, uri: &str) -> Result<Option<Self>, Refusal> {
        let document: Option<String> = connection
            .prepare_cached("SELECT document FROM sessions WHERE uri = ?1")?
            .query_row([uri], |row| row.get(0))
            .optional()?;
        Ok(document
            .map(|document| serde_json::from_str(&document))
            .transpose()?)
    }

    /// The session whose browser the provider sent back with this state.
    fn sent_back(connection: &Connection, state: &str) -> Result<Option<(String, Self)>, Refusal> {
        let row: Option<(String, String)> = connection
            .prepare_cached("SELECT uri, document FROM sessions WHERE state = ?1")?
            .query_row([fingerprint(state)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(uri, document)| Ok((uri, serde_json::from_str(&document)?)))
            .transpose()
    }

    /// Keeps the session; `state` is what its browser must bring back from the provider.
    fn keep(
        &self,
        transaction: &Transaction<'_>,
        uri: &str,
        state: Option<Fingerprint>,
    ) -> Result<(), Refusal> {
        transaction.execute(
            "INSERT OR REPLACE INTO sessions (uri, state, expires, document) VALUES (?1, ?2, ?3, ?4)",
            params![uri, state, self.ends, serde_json::to_string(self)?],
        )?;
        Ok(())
    }

    fn is_live(&self, now: Millis) -> bool {
        now < self.ends
    }

    /// Where the browser goes when the provider has given consent.
    fn good_return(&self, service: &Service, uri: &str) -> Step {
        self.to_return_url(service, &[("session_id", uri)])
    }

    fn bad_return(&self, service: &Service, uri: &str, error: &str, description: &str) -> Step {
        let error = [("error", error), ("error_description", description)];
        let session = [("session_id", uri)];
        match service.behaviour().denial {
            Denial::Error => self.to_return_url(service, &error),
            Denial::ErrorWithSession => {
                self.to_return_url(service, &[session[0], error[0], error[1]])
            }
            Denial::Session => self.to_return_url(service, &session),
            Denial::Nothing => self.to_return_url(service, &[]),
        }
    }

    fn to_return_url(&self, service: &Service, parameters: &[(&str, &str)]) -> Step {
        let Ok(mut url) = Url::parse(&self.return_url) else {
            return ENDED;
        };
        let behaviour = service.behaviour();
        let state = behaviour
            .state_parameter
            .as_deref()
            .zip(self.custom_state.as_deref());
        let parameters = parameters.iter().copied().chain(state);
        let mut parameters = parameters.filter(|(_, value)| !value.is_empty()).peekable();
        if parameters.peek().is_some() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Step::Redirect(url)
    }
}

/// Begins a session and returns its URI.
pub(crate) fn begin(
    service: &Service,
    bearer: Bearer,
    provider: String,
    key: Fingerprint,
    purpose: Purpose,
    return_url: String,
    custom_state: Option<String>,
) -> Result<String, Refusal> {
    // Real ids read so: the text of a UUID, once more in base64url.
    let uri = format!("{URI_PREFIX}{}", URL_SAFE_NO_PAD.encode(service.uuid()));
    let session = Session {
        bearer,
        provider,
        key,
        purpose,
        return_url,
        custom_state,
        ends: service.later(LIFETIME),
        progress: Progress::Begun,
    };
    service.store.change(service.now(), |transaction| {
        session.keep(transaction, &uri, None)
    })?;
    Ok(uri)
}

/// The URL that a person opens to give consent.
pub(crate) fn url(service: &Service, session_uri: &str) -> String {
    let id = session_uri.replace(':', "%3A");
    service.url(&format!("/identities/oauth2/authorize?request_uri={id}"))
}

/// How a session of this user stands.
pub(crate) fn standing(service: &Service, uri: &str, bearer: &Bearer) -> Result<Standing, Refusal> {
    let session = service
        .store
        .read(|connection| Session::find(connection, uri))?
        .ok_or_else(|| ended(service))?;
    let same_workload = session.bearer.workload == bearer.workload;
    if !same_workload || session.bearer.principal.user_key() != bearer.principal.user_key() {
        return Err(wrong_user(service));
    }
    let live = session.is_live(service.now());
    Ok(match session.progress {
        Progress::Completed => Standing::Completed,
        Progress::Failed => match service.behaviour().denied_session {
            DeniedSession::InProgress if live => Standing::InProgress,
            DeniedSession::InProgress | DeniedSession::Failed => Standing::Failed,
        },
        Progress::Begun
        | Progress::Opened { .. }
        | Progress::Exchanging
        | Progress::Returned(_) => {
            if live {
                Standing::InProgress
            } else {
                Standing::Failed
            }
        }
    })
}

/// Somebody opens the authorization URL: on to the provider, once.
pub(crate) async fn visit(service: &Service, uri: &str) -> Result<Step, Refusal> {
    let openable = |session: &Session| {
        let again = service.behaviour().second_visit == Permission::Accepted;
        session.is_live(service.now())
            && match session.progress {
                Progress::Begun => true,
                Progress::Opened { .. } => again,
                Progress::Exchanging
                | Progress::Returned(_)
                | Progress::Completed
                | Progress::Failed => false,
            }
    };
    let found = service.store.read(|connection| {
        let Some(session) = Session::find(connection, uri)?.filter(openable) else {
            return Ok(None);
        };
        Ok(Some(Provider::find(connection, &session.provider)?))
    })?;
    let Some(provider) = found else {
        return Ok(ENDED);
    };
    // Before the URL is spent, so that a provider that is not there yet costs nobody a session.
    let endpoints = match oauth2::endpoints(&service.http, &provider.settings.discovery).await {
        Ok(endpoints) => endpoints,
        Err(cause) => {
            tracing::warn!(%cause, provider = provider.name, "a provider's endpoints cannot be found");
            return Ok(UNREACHABLE);
        }
    };
    let state = random::base64url(service.random(), 32);
    let verifier = random::base64url(service.random(), 32);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let opened = service.store.change(service.now(), |transaction| {
        let Some(mut session) = Session::find(transaction, uri)?.filter(openable) else {
            return Ok(None);
        };
        session.progress = Progress::Opened { verifier };
        session.keep(transaction, uri, Some(fingerprint(&state)))?;
        Ok(Some(session))
    })?;
    let Some(session) = opened else {
        return Ok(ENDED);
    };
    let redirect_uri = provider.callback_url(service);
    let scope = session.purpose.scopes.join(" ");
    let mut standard = vec![
        ("response_type", "code"),
        ("client_id", &provider.settings.client_id),
        ("redirect_uri", &redirect_uri),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    if !scope.is_empty() {
        standard.push(("scope", &scope));
    }
    let custom = session
        .purpose
        .parameters
        .iter()
        .filter(|(name, _)| !is_standard(name));
    let mut url = endpoints.authorization;
    url.query_pairs_mut()
        .extend_pairs(standard)
        .extend_pairs(session.purpose.targets.parameters())
        .extend_pairs(custom);
    Ok(Step::Redirect(url))
}

/// Parameters of the authorization request that `customParameters` do not override: RFC 6749, RFC 7636, and those by which a whole
/// other request could be smuggled in (RFC 9101).
fn is_standard(name: &str) -> bool {
    [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "response_mode",
        "request",
        "request_uri",
    ]
    .contains(&name)
}

/// What a provider's redirect brings.
#[derive(Default)]
pub(crate) struct Redirect {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) error_description: Option<String>,
    pub(crate) iss: Option<String>,
}

/// The provider sends the browser back: take the consent, and on to the application.
pub(crate) async fn called_back(
    service: &Service,
    callback: &str,
    redirect: Redirect,
) -> Result<Step, Refusal> {
    let Some(state) = redirect.state else {
        return Ok(ENDED);
    };
    let provider = service
        .store
        .read(|connection| Provider::called_back(connection, callback))?;
    let Some(provider) = provider else {
        return Ok(ENDED);
    };
    let claimed = service.store.change(service.now(), |transaction| {
        let Some((uri, mut session)) = Session::sent_back(transaction, &state)? else {
            return Ok(None);
        };
        if session.provider != provider.name || !session.is_live(service.now()) {
            return Ok(None);
        }
        let Progress::Opened { verifier } =
            std::mem::replace(&mut session.progress, Progress::Exchanging)
        else {
            return Ok(None);
        };
        session.keep(transaction, &uri, None)?;
        Ok(Some((uri, session, verifier)))
    })?;
    let Some((uri, session, verifier)) = claimed else {
        return Ok(ENDED);
    };
    let consent = match (redirect.code, redirect.error) {
        (Some(code), None) => {
            consent(service, &provider, &session, code, verifier, redirect.iss).await
        }
        (_, Some(error)) => {
            let description = redirect.error_description.unwrap_or_default();
            Err((error, description))
        }
        (None, None) => Err((
            "server_error".to_owned(),
            "the provider sent neither code nor error".to_owned(),
        )),
    };
    match consent {
        Ok(withheld) => {
            move_on(service, &uri, Progress::Returned(withheld))?;
            Ok(session.good_return(service, &uri))
        }
        Err((error, description)) => {
            move_on(service, &uri, Progress::Failed)?;
            Ok(session.bad_return(service, &uri, &error, &description))
        }
    }
}

/// What is kept of a consent, or the error and its description for the return URL.
async fn consent(
    service: &Service,
    provider: &Provider,
    session: &Session,
    code: String,
    verifier: String,
    iss: Option<String>,
) -> Result<Withheld, (String, String)> {
    let failed = |cause: &oauth2::Failure| {
        tracing::warn!(%cause, provider = provider.name, "a code could not be exchanged");
        (
            "server_error".to_owned(),
            "the provider did not exchange the code".to_owned(),
        )
    };
    if let Some(iss) = iss {
        let endpoints = oauth2::endpoints(&service.http, &provider.settings.discovery).await;
        let issuer = endpoints.map_err(|cause| failed(&cause))?.issuer;
        if issuer.is_some_and(|issuer| issuer != iss) {
            // RFC 9207, section 2.4: an answer of another server.
            return Err((
                "server_error".to_owned(),
                "the answer is of another issuer".to_owned(),
            ));
        }
    }
    match service.behaviour().code_exchange {
        CodeExchange::AtCompletion => Ok(Withheld::Code { code, verifier }),
        CodeExchange::AtCallback => exchange(service, provider, session, &code, &verifier)
            .await
            .map(Withheld::Tokens)
            .map_err(|cause| failed(&cause)),
    }
}

async fn exchange(
    service: &Service,
    provider: &Provider,
    session: &Session,
    code: &str,
    verifier: &str,
) -> Result<Tokens, oauth2::Failure> {
    let grant = Grant::Code {
        code,
        redirect_uri: &provider.callback_url(service),
        verifier,
    };
    oauth2::tokens(service, provider, &grant, &session.purpose.targets).await
}

/// The step after `Exchanging`, which only the request that took it may decide.
fn move_on(service: &Service, uri: &str, progress: Progress) -> Result<(), Refusal> {
    service.store.change(service.now(), |transaction| {
        let Some(mut session) = Session::find(transaction, uri)? else {
            return Ok(());
        };
        session.progress = progress;
        session.keep(transaction, uri, None)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Completion {
    user_identifier: UserIdentifier,
    session_uri: String,
}

/// The model's union.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentifier {
    user_id: Option<String>,
    user_token: Option<String>,
}

/// `CompleteResourceTokenAuth`: the application says who sits at the browser that came back. Only the identifier that began the
/// session ends it well.
pub(crate) async fn complete(service: &Service, input: Completion) -> Result<Value, Refusal> {
    let who = match (
        input.user_identifier.user_id,
        input.user_identifier.user_token,
    ) {
        (Some(id), None) => Principal::UserId(id),
        (None, Some(token)) => user_token::verify(service, &token).await?,
        (None, None) | (Some(_), Some(_)) => {
            return Err(Refusal::invalid("userIdentifier has exactly one member"));
        }
    };
    let uri = input.session_uri;
    let code = service.store.change(service.now(), |transaction| {
        let mut session = Session::find(transaction, &uri)?.ok_or_else(|| ended(service))?;
        if !began(service, &session.bearer.principal, &who) {
            return Err(wrong_user(service));
        }
        if let Progress::Completed = session.progress
            && service.behaviour().second_completion == Permission::Accepted
        {
            return Ok(None);
        }
        if !session.is_live(service.now()) {
            return Err(ended(service));
        }
        match std::mem::replace(&mut session.progress, Progress::Completed) {
            Progress::Returned(Withheld::Tokens(tokens)) => {
                vault::put(transaction, &session.key, &session.provider, &tokens)?;
                session.keep(transaction, &uri, None)?;
                Ok(None)
            }
            Progress::Returned(Withheld::Code { code, verifier }) => {
                session.progress = Progress::Exchanging;
                session.keep(transaction, &uri, None)?;
                let provider = Provider::find(transaction, &session.provider)?;
                Ok(Some((session, provider, code, verifier)))
            }
            Progress::Begun
            | Progress::Opened { .. }
            | Progress::Exchanging
            | Progress::Completed
            | Progress::Failed => Err(ended(service)),
        }
    })?;
    if let Some((session, provider, code, verifier)) = code {
        match exchange(service, &provider, &session, &code, &verifier).await {
            Ok(tokens) => service.store.change(service.now(), |transaction| {
                vault::put(transaction, &session.key, &session.provider, &tokens)?;
                let completed = Session {
                    progress: Progress::Completed,
                    ..session
                };
                completed.keep(transaction, &uri, None)
            })?,
            Err(cause) => {
                tracing::warn!(%cause, provider = provider.name, "a code could not be exchanged");
                move_on(service, &uri, Progress::Failed)?;
                return Err(ended(service));
            }
        }
    }
    Ok(json!({}))
}

/// Whether this identifier is the one that began: the same form, and the same value.
fn began(service: &Service, beginner: &Principal, who: &Principal) -> bool {
    match service.behaviour().fresh_user_token {
        Permission::Refused => beginner == who,
        Permission::Accepted => beginner.user_key() == who.user_key(),
    }
}

fn ended(service: &Service) -> Refusal {
    Refusal::new(
        service.behaviour().ended_session,
        "Invalid or expired session",
    )
}

fn wrong_user(service: &Service) -> Refusal {
    Refusal::new(
        service.behaviour().wrong_user,
        "The user identifier is not the one that began this session",
    )
}
