//! The providers' side: the documents of providers and issuers, and providers' token endpoints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_kit::Millis;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use crate::credential_provider::{ClientAuthentication, Discovery, Provider, Settings};
use crate::service::Service;

/// Documents and token answers are some kilobytes.
const LONGEST_ANSWER: usize = 1_024 * 1_024;

/// Tokens as a provider issued them.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// When the access token ends, if the provider's answer contains it.
    pub(crate) expires: Option<Millis>,
}

/// The reason for a missing answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The token endpoint refuses the grant or the client.
    #[error("the token endpoint refused: {0}")]
    Refused(String),
    /// No readable answer arrived.
    #[error("no answer from {0}")]
    Unreachable(String, #[source] reqwest::Error),
    /// The answer does not fit the request.
    #[error("the answer of {0} makes no sense")]
    Senseless(String),
}

/// The endpoints of a provider.
pub(crate) struct Endpoints {
    pub(crate) issuer: Option<String>,
    pub(crate) authorization: Url,
    token: Url,
    methods: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: Option<String>,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// A provider's current endpoints.
pub(crate) async fn endpoints(
    http: &reqwest::Client,
    discovery: &Discovery,
) -> Result<Endpoints, Failure> {
    let metadata = match discovery {
        Discovery::Url(url) => document(http, address(url)?).await?,
        Discovery::Metadata(server) => Metadata {
            issuer: Some(server.issuer.clone()).filter(|issuer| !issuer.is_empty()),
            authorization_endpoint: server.authorization_endpoint.clone(),
            token_endpoint: server.token_endpoint.clone(),
            token_endpoint_auth_methods_supported: server.token_endpoint_auth_methods.clone(),
        },
    };
    Ok(Endpoints {
        issuer: metadata.issuer,
        authorization: address(&metadata.authorization_endpoint)?,
        token: address(&metadata.token_endpoint)?,
        methods: metadata.token_endpoint_auth_methods_supported,
    })
}

fn address(text: &str) -> Result<Url, Failure> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| Failure::Senseless("discovery".to_owned()))
}

/// Fetches a JSON document.
pub(crate) async fn document<T: DeserializeOwned>(
    http: &reqwest::Client,
    url: Url,
) -> Result<T, Failure> {
    let place = place(&url);
    let request = http.get(url).header(ACCEPT, "application/json");
    let (status, body) = exchange(request, &place).await?;
    if status != 200 {
        return Err(Failure::Senseless(place));
    }
    serde_json::from_slice(&body).map_err(|_| Failure::Senseless(place))
}

/// A request to a token endpoint.
pub(crate) enum Grant<'a> {
    /// RFC 6749, section 4.1.3, with RFC 7636.
    Code {
        code: &'a str,
        redirect_uri: &'a str,
        verifier: &'a str,
    },
    /// RFC 6749, section 6.
    Refresh { refresh_token: &'a str },
    /// RFC 6749, section 4.4.
    ClientCredentials { scopes: &'a [String] },
}

impl Grant<'_> {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        match *self {
            Self::Code {
                code,
                redirect_uri,
                verifier,
            } => vec![
                ("grant_type", "authorization_code".to_owned()),
                ("code", code.to_owned()),
                ("redirect_uri", redirect_uri.to_owned()),
                ("code_verifier", verifier.to_owned()),
            ],
            Self::Refresh { refresh_token } => vec![
                ("grant_type", "refresh_token".to_owned()),
                ("refresh_token", refresh_token.to_owned()),
            ],
            Self::ClientCredentials { scopes } => {
                let mut parameters = vec![("grant_type", "client_credentials".to_owned())];
                if !scopes.is_empty() {
                    parameters.push(("scope", scopes.join(" ")));
                }
                parameters
            }
        }
    }
}

/// The targets of a token (RFC 8707, and the `audience` of some providers).
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Targets {
    pub(crate) resources: Vec<String>,
    pub(crate) audiences: Vec<String>,
}

impl Targets {
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let resources = self.resources.iter().map(|one| ("resource", one.as_str()));
        let audiences = self.audiences.iter().map(|one| ("audience", one.as_str()));
        resources.chain(audiences)
    }
}

/// A token answer (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    token_type: String,
    expires_in: Option<u32>,
    refresh_token: Option<String>,
}

/// Asks a provider's token endpoint.
pub(crate) async fn tokens(
    service: &Service,
    provider: &Provider,
    grant: &Grant<'_>,
    targets: &Targets,
) -> Result<Tokens, Failure> {
    let settings = &provider.settings;
    let endpoints = endpoints(&service.http, &settings.discovery).await?;
    let place = place(&endpoints.token);
    let mut form = grant.parameters();
    let mut request = service
        .http
        .post(endpoints.token)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match credentials(settings, &endpoints.methods) {
        Credentials::None => form.push(("client_id", settings.client_id.clone())),
        Credentials::Basic(authorization) => {
            request = request.header(AUTHORIZATION, authorization);
        }
        Credentials::Post(secret) => {
            form.push(("client_id", settings.client_id.clone()));
            form.push(("client_secret", secret.to_owned()));
        }
    }
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .extend_pairs(targets.parameters())
        .finish();
    // Read before the request: a slow answer must not prolong the token's life.
    let asked = service.now();
    let (status, body) = exchange(request.body(form), &place).await?;
    if status >= 500 {
        return Err(Failure::Senseless(place));
    }
    if status != 200 {
        return Err(Failure::Refused(error_code(&body)));
    }
    let issued: Issued =
        serde_json::from_slice(&body).map_err(|_| Failure::Senseless(place.clone()))?;
    if issued.access_token.is_empty() || !issued.token_type.eq_ignore_ascii_case("bearer") {
        return Err(Failure::Senseless(place));
    }
    Ok(Tokens {
        access_token: issued.access_token,
        refresh_token: issued.refresh_token.filter(|token| !token.is_empty()),
        expires: issued
            .expires_in
            .map(|seconds| asked.saturating_add(Millis::from(seconds) * 1_000)),
    })
}

enum Credentials<'a> {
    None,
    Basic(String),
    Post(&'a str),
}

fn credentials<'a>(settings: &'a Settings, methods: &[String]) -> Credentials<'a> {
    let secret = match &settings.client_secret {
        Some(secret) if !secret.reveal().is_empty() => secret.reveal(),
        Some(_) | None => return Credentials::None,
    };
    let offers = |method: &str| methods.iter().any(|offered| offered == method);
    let method = settings.client_authentication.unwrap_or_else(|| {
        if offers("client_secret_post") && !offers("client_secret_basic") {
            ClientAuthentication::Post
        } else {
            ClientAuthentication::Basic
        }
    });
    match method {
        ClientAuthentication::Post => Credentials::Post(secret),
        ClientAuthentication::Basic => {
            let encoded =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(&settings.client_id), encoded(secret));
            Credentials::Basic(format!("Basic {}", STANDARD.encode(pair)))
        }
    }
}

/// The code of RFC 6749, section 5.2, which is safe to log; descriptions are not.
fn error_code(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    serde_json::from_slice(body).map_or_else(
        |_| "no error code".to_owned(),
        |refused: Refused| refused.error.chars().take(64).collect(),
    )
}

async fn exchange(
    request: reqwest::RequestBuilder,
    place: &str,
) -> Result<(u16, Vec<u8>), Failure> {
    // Without its address, which may hold secrets.
    let unreachable =
        |cause: reqwest::Error| Failure::Unreachable(place.to_owned(), cause.without_url());
    let mut response = request.send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Failure::Senseless(place.to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status().as_u16(), body))
}

/// The loggable part of an address.
fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
