//! The authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3), as Cognito takes it.

use serde::{Deserialize, Serialize};

use super::http::{Parameters, Twice, with_parameters};
use crate::app_client::AppClient;
use crate::domain::Domain;
use crate::options::PromptLogin;
use crate::refusal::Refusal;
use crate::service::Service;

/// A valid authorization request.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client: String,
    /// The app's name, for the person.
    #[serde(default)]
    pub(super) client_name: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
}

/// How the person shall be asked (`OpenID` Connect Core section 3.1.2.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Shows the form only if the browser is not signed in.
    AsNeeded,
    /// In any case.
    Login,
    /// Never shows the form.
    None,
}

/// The reason why a request is rejected.
pub(super) enum Rejection {
    /// No redirect can be trusted, so the person gets the answer.
    Page(&'static str),
    /// The client gets it, at its registered address.
    Redirect(String),
}

impl AuthorizationRequest {
    /// Reads a request. Until client and address are known to belong together, no browser is
    /// redirected.
    pub(super) fn read(
        service: &Service,
        domain: &Domain,
        parameters: &Parameters,
    ) -> Result<Result<(Self, Prompt), Rejection>, Refusal> {
        let page = |text| Ok(Err(Rejection::Page(text)));
        let (Ok(client_id), Ok(redirect_uri)) =
            (parameters.one("client_id"), parameters.one("redirect_uri"))
        else {
            return page("invalid_request");
        };
        let Some(client_id) = client_id else {
            return page("Required String parameter 'client_id' is not present");
        };
        let client = service
            .store
            .read(|connection| AppClient::look_for(connection, client_id))?
            .filter(|client| client.pool == domain.pool.id);
        let Some(client) = client else {
            return page("Client does not exist.");
        };
        let settings = &client.settings;
        let registered =
            redirect_uri.filter(|uri| settings.callback_urls.iter().any(|known| known == uri));
        let Some(redirect_uri) = registered else {
            return page("redirect_mismatch");
        };
        if !settings.signs_in_here() {
            return page("Login pages unavailable");
        }
        let state = parameters.one("state");
        let to_client = |error: &str| {
            let mut answer = vec![("error", error)];
            if let Ok(Some(state)) = state {
                answer.push(("state", state));
            }
            Rejection::Redirect(with_parameters(redirect_uri, &answer))
        };
        let ignores_login = service.prompt_login() == PromptLogin::Ignored;
        let heeded = |(request, prompt)| match prompt {
            Prompt::Login if ignores_login => (request, Prompt::AsNeeded),
            Prompt::Login | Prompt::AsNeeded | Prompt::None => (request, prompt),
        };
        Ok(Self::read_rest(&client, redirect_uri, parameters)
            .map(heeded)
            .map_err(to_client))
    }

    /// Reads the rest. From here on the client can be told of mistakes, so an error is a
    /// redirection's.
    fn read_rest(
        client: &AppClient,
        redirect_uri: &str,
        parameters: &Parameters,
    ) -> Result<(Self, Prompt), &'static str> {
        let one = |name: &str| parameters.one(name).map_err(|Twice| "invalid_request");
        match one("response_type")? {
            None => return Err("invalid_request"),
            Some("code") if client.settings.allows_code_grant() => {}
            Some("code" | "token") => return Err("unauthorized_client"),
            Some(_) => return Err("unsupported_response_type"),
        }
        if one("identity_provider")?.is_some_and(|provider| provider != "COGNITO") {
            return Err("invalid_request");
        }
        let code_challenge = match (one("code_challenge")?, one("code_challenge_method")?) {
            (None, None) => None,
            (Some(challenge), Some("S256")) if is_challenge(challenge) => {
                Some(challenge.to_owned())
            }
            (Some(_) | None, Some(_) | None) => return Err("invalid_request"),
        };
        let prompt = match one("prompt")? {
            None | Some("select_account" | "consent") => Prompt::AsNeeded,
            Some("login") => Prompt::Login,
            Some("none") => Prompt::None,
            Some(_) => return Err("invalid_request"),
        };
        let request = Self {
            client: client.id.clone(),
            client_name: client.settings.client_name.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: one("state")?.map(str::to_owned),
            scopes: scopes(client, one("scope")?)?,
            nonce: one("nonce")?.map(str::to_owned),
            code_challenge,
        };
        Ok((request, prompt))
    }

    /// The client's address with an answer.
    pub(super) fn answered_with(&self, name: &str, value: &str) -> String {
        let mut answer = vec![(name, value)];
        if let Some(state) = &self.state {
            answer.push(("state", state));
        }
        with_parameters(&self.redirect_uri, &answer)
    }
}

/// A SHA-256 in base64url without padding (RFC 7636 section 4.2).
fn is_challenge(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The requested scopes; all of the client's if none are requested. The scopes of the profile
/// require `openid`.
fn scopes(client: &AppClient, asked: Option<&str>) -> Result<Vec<String>, &'static str> {
    let allowed = &client.settings.allowed_oauth_scopes;
    let mut scopes: Vec<String> = Vec::new();
    match asked {
        None => scopes.clone_from(allowed),
        Some(asked) => {
            for scope in asked.split(' ').filter(|scope| !scope.is_empty()) {
                if !allowed.iter().any(|allowed| allowed == scope) {
                    return Err("invalid_scope");
                }
                if !scopes.iter().any(|known| known == scope) {
                    scopes.push(scope.to_owned());
                }
            }
        }
    }
    let has = |name: &str| scopes.iter().any(|scope| scope == name);
    let without_openid = ["email", "phone", "profile"].into_iter().any(has) && !has("openid");
    if scopes.is_empty() || without_openid {
        return Err("invalid_scope");
    }
    Ok(scopes)
}
