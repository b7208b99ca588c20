//! The way of a browser: the URL that a person opens, the provider, and back to the application.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_kit::base64url;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::behaviour::{CodeExchange, Denial, Permission};
use crate::credential_provider::Provider;
use crate::oauth2;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{Progress, Session, Withheld};

/// The answer to a browser.
pub(crate) enum Step {
    /// The browser's next address.
    Redirect(Url),
    /// This is the end: the sentence is for the person.
    DeadEnd(&'static str),
}

const ENDED: Step = Step::DeadEnd("This sign-in link has been used already, or its time is over.");
const UNREACHABLE: Step = Step::DeadEnd("The sign-in service cannot be reached. Try again.");

/// Opens the authorization URL: redirects to the provider, once.
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
        Ok(Some(Provider::find(connection, &session.asked.provider)?))
    })?;
    let Some(provider) = found else {
        return Ok(ENDED);
    };
    // Before the URL is used up, so an unavailable provider costs no session.
    let endpoints = match oauth2::endpoints(&service.http, &provider.settings.discovery).await {
        Ok(endpoints) => endpoints,
        Err(cause) => {
            tracing::warn!(%cause, provider = provider.name, "a provider's endpoints cannot be found");
            return Ok(UNREACHABLE);
        }
    };
    let state = base64url(service.random(), 32);
    let verifier = base64url(service.random(), 32);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let opened = service.store.change(service.now(), |transaction| {
        let Some(mut session) = Session::find(transaction, uri)?.filter(openable) else {
            return Ok(None);
        };
        session.progress = Progress::Opened { verifier };
        session.keep(transaction, uri, Some(&state))?;
        Ok(Some(session))
    })?;
    let Some(session) = opened else {
        return Ok(ENDED);
    };
    let redirect_uri = provider.callback_url(service);
    let scope = session.asked.purpose.scopes.join(" ");
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
        .asked
        .purpose
        .parameters
        .iter()
        .filter(|(name, _)| !is_standard(name));
    let mut url = endpoints.authorization;
    url.query_pairs_mut()
        .extend_pairs(standard)
        .extend_pairs(session.asked.purpose.targets.parameters())
        .extend_pairs(custom);
    Ok(Step::Redirect(url))
}

/// Parameters of the authorization request that `customParameters` cannot override: RFC 6749, RFC
/// 7636, and those that could smuggle in another request (RFC 9101).
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

/// The query of a provider's redirect.
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
    mut redirect: Redirect,
) -> Result<Step, Refusal> {
    let Some(state) = redirect.state.take() else {
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
        if session.asked.provider != provider.name || !session.is_live(service.now()) {
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
    match consent(service, &provider, &session, verifier, redirect).await {
        Ok(withheld) => {
            Session::move_on(service, &uri, Progress::Returned(withheld))?;
            Ok(to_return_url(service, &session, &[("session_id", &uri)]))
        }
        Err(denied) => {
            Session::move_on(service, &uri, Progress::Failed)?;
            Ok(denied.to_return_url(service, &session, &uri))
        }
    }
}

/// The record of a consent, if there is one.
async fn consent(
    service: &Service,
    provider: &Provider,
    session: &Session,
    verifier: String,
    redirect: Redirect,
) -> Result<Withheld, Denied> {
    if let Some(iss) = redirect.iss {
        let endpoints = oauth2::endpoints(&service.http, &provider.settings.discovery).await;
        let issuer = endpoints
            .map_err(|_| Denied::by_server("the provider cannot be reached"))?
            .issuer;
        if issuer.is_some_and(|issuer| issuer != iss) {
            // RFC 9207, section 2.4.
            return Err(Denied::by_server("the answer is of another issuer"));
        }
    }
    if let Some(error) = redirect.error {
        let description = redirect.error_description.unwrap_or_default();
        return Err(Denied { error, description });
    }
    let code = redirect
        .code
        .ok_or_else(|| Denied::by_server("the provider sent neither code nor error"))?;
    match service.behaviour().code_exchange {
        CodeExchange::AtCompletion => Ok(Withheld::Code { code, verifier }),
        CodeExchange::AtCallback => session
            .exchange(service, provider, &code, &verifier)
            .await
            .map(Withheld::Tokens)
            .map_err(|_| Denied::by_server("the provider did not exchange the code")),
    }
}

/// The reason for a denied consent, in the terms of RFC 6749, section 4.1.2.1.
struct Denied {
    error: String,
    description: String,
}

impl Denied {
    fn by_server(description: &str) -> Self {
        Self {
            error: "server_error".to_owned(),
            description: description.to_owned(),
        }
    }

    fn to_return_url(&self, service: &Service, session: &Session, uri: &str) -> Step {
        let uri = ("session_id", uri);
        let error = ("error", self.error.as_str());
        let description = ("error_description", self.description.as_str());
        match service.behaviour().denial {
            Denial::Error => to_return_url(service, session, &[error, description]),
            Denial::ErrorWithSession => to_return_url(service, session, &[uri, error, description]),
            Denial::Session => to_return_url(service, session, &[uri]),
            Denial::Nothing => to_return_url(service, session, &[]),
        }
    }
}

/// Back to the application, with the application's state, and with those of these parameters that
/// have a value.
fn to_return_url(service: &Service, session: &Session, parameters: &[(&str, &str)]) -> Step {
    let Ok(mut url) = Url::parse(&session.asked.return_url) else {
        return ENDED;
    };
    let behaviour = service.behaviour();
    let state = behaviour
        .state_parameter
        .as_deref()
        .zip(session.asked.custom_state.as_deref());
    let parameters = parameters.iter().copied().chain(state);
    let mut parameters = parameters.filter(|(_, value)| !value.is_empty()).peekable();
    if parameters.peek().is_some() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    Step::Redirect(url)
}
