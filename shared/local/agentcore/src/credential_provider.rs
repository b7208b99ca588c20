//! OAuth2 credential providers: the page for people's consent, and the client that requests tokens.

use local_kit::{Millis, SpecError, seconds};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::service::Service;
use crate::workload_identity::Page;

/// A credential provider that an embedding program wants to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialProviderSpec {
    /// 1 to 128 of `[a-zA-Z0-9\-_]`.
    pub name: String,
    /// `CustomOauth2`, or a vendor such as `CognitoOauth2`. `discovery` gives the vendor's issuer
    /// or its endpoints.
    pub vendor: String,
    /// Its endpoints.
    pub discovery: Discovery,
    /// The client registered at the provider, with this provider's callback URL.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The client's authentication at the token endpoint. `None` follows discovery, and without it
    /// uses HTTP Basic.
    pub client_authentication: Option<ClientAuthentication>,
}

/// An existing credential provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialProvider {
    /// Its ARN.
    pub arn: String,
    /// The redirect URI to register for the client. It stays, if anything else of the provider
    /// changes.
    pub callback_url: String,
}

/// A provider's endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Discovery {
    /// In the document at this URL, which ends in `/.well-known/openid-configuration` or
    /// `/.well-known/oauth-authorization-server`. It is fetched when it is needed.
    #[serde(rename = "discoveryUrl")]
    Url(String),
    /// Here.
    #[serde(rename = "authorizationServerMetadata")]
    Metadata(AuthorizationServer),
}

/// The endpoints of an OAuth2 authorization server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorizationServer {
    /// Its identifier.
    pub issuer: String,
    /// The endpoint for browsers.
    pub authorization_endpoint: String,
    /// The endpoint that exchanges codes for tokens.
    pub token_endpoint: String,
    /// Accepted without effect: the request always asks for `code`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types: Vec<String>,
    /// `client_secret_basic`, `client_secret_post` or both; empty for unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods: Vec<String>,
}

/// How a client proves itself at the token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAuthentication {
    /// HTTP Basic.
    #[serde(rename = "CLIENT_SECRET_BASIC")]
    Basic,
    /// Members of the body.
    #[serde(rename = "CLIENT_SECRET_POST")]
    Post,
}

/// The record of a provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) settings: Settings,
    /// The id in the callback URL.
    callback: String,
    created: Millis,
    updated: Millis,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    vendor: String,
    pub(crate) discovery: Discovery,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_authentication: Option<ClientAuthentication>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    name: String,
    credential_provider_vendor: String,
    oauth2_provider_config_input: Config,
    /// Taken, and of no effect.
    #[serde(default, rename = "tags")]
    _tags: Option<Value>,
}

/// The members with effect of each kind of configuration. Others are refused by name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Config {
    CustomOauth2ProviderConfig(CustomConfig),
    IncludedOauth2ProviderConfig(IncludedConfig),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomConfig {
    oauth_discovery: Discovery,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    client_authentication_method: Option<ClientAuthentication>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IncludedConfig {
    client_id: String,
    client_secret: Option<Secret>,
    issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

const CUSTOM: &str = "CustomOauth2";

const DISCOVERY: &str = "/.well-known/openid-configuration";

impl CredentialProviderSpec {
    /// As a call of the control plane has it.
    fn described(&self) -> Value {
        let mut config = json!({
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
        });
        let kind = if self.vendor == CUSTOM {
            config["oauthDiscovery"] = json!(self.discovery);
            "customOauth2ProviderConfig"
        } else {
            match &self.discovery {
                Discovery::Url(url) => {
                    config["issuer"] = json!(url.strip_suffix(DISCOVERY).unwrap_or(url));
                }
                Discovery::Metadata(server) => {
                    config["issuer"] = json!(server.issuer);
                    config["authorizationEndpoint"] = json!(server.authorization_endpoint);
                    config["tokenEndpoint"] = json!(server.token_endpoint);
                }
            }
            "includedOauth2ProviderConfig"
        };
        json!({
            "name": self.name,
            "credentialProviderVendor": self.vendor,
            "oauth2ProviderConfigInput": {kind: config},
        })
    }
}

impl Provider {
    pub(crate) fn find(connection: &Connection, name: &str) -> Result<Self, Refusal> {
        Self::look_up(connection, name)?.ok_or_else(|| {
            Refusal::not_found(format!(
                "OAuth2 credential provider '{name}' does not exist"
            ))
        })
    }

    fn look_up(connection: &Connection, name: &str) -> Result<Option<Self>, Refusal> {
        Self::one(
            connection,
            "SELECT document FROM credential_providers WHERE name = ?1",
            name,
        )
    }

    pub(crate) fn called_back(
        connection: &Connection,
        callback: &str,
    ) -> Result<Option<Self>, Refusal> {
        Self::one(
            connection,
            "SELECT document FROM credential_providers WHERE callback = ?1",
            callback,
        )
    }

    fn one(connection: &Connection, query: &str, key: &str) -> Result<Option<Self>, Refusal> {
        let document: Option<String> = connection
            .prepare_cached(query)?
            .query_row([key], |row| row.get(0))
            .optional()?;
        Ok(document
            .map(|document| serde_json::from_str(&document))
            .transpose()?)
    }

    fn keep(&self, transaction: &Transaction<'_>) -> Result<(), Refusal> {
        transaction.execute(
            "INSERT INTO credential_providers (name, callback, document) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET document = excluded.document",
            params![self.name, self.callback, serde_json::to_string(self)?],
        )?;
        Ok(())
    }

    /// The redirect URI of this provider's client.
    pub(crate) fn callback_url(&self, service: &Service) -> String {
        service.url(&format!("/identities/oauth2/callback/{}", self.callback))
    }

    fn arn(&self, service: &Service) -> String {
        let resource = format!("token-vault/default/oauth2credentialprovider/{}", self.name);
        service.arn("bedrock-agentcore", &resource)
    }

    fn created(&self, service: &Service) -> Value {
        let output = json!({
            "oauthDiscovery": self.settings.discovery,
            "clientId": self.settings.client_id,
        });
        let kind = if self.settings.vendor == CUSTOM {
            "customOauth2ProviderConfig"
        } else {
            "includedOauth2ProviderConfig"
        };
        let secret = format!(
            "secret:bedrock-agentcore-identity!default/oauth2/{}",
            self.name
        );
        json!({
            "name": self.name,
            "credentialProviderArn": self.arn(service),
            "clientSecretArn": {"secretArn": service.arn("secretsmanager", &secret)},
            "callbackUrl": self.callback_url(service),
            "oauth2ProviderConfigOutput": {kind: output},
            "status": "READY",
        })
    }

    fn described(&self, service: &Service) -> Value {
        let mut described = self.created(service);
        described["credentialProviderVendor"] = json!(self.settings.vendor);
        described["createdTime"] = json!(seconds(self.created));
        described["lastUpdatedTime"] = json!(seconds(self.updated));
        described
    }
}

impl Described {
    fn settings(self) -> Result<Settings, Refusal> {
        let vendor = self.credential_provider_vendor;
        match self.oauth2_provider_config_input {
            Config::CustomOauth2ProviderConfig(config) if vendor == CUSTOM => Ok(Settings {
                vendor,
                discovery: config.oauth_discovery,
                client_id: config
                    .client_id
                    .filter(|id| !id.is_empty())
                    .ok_or_else(|| Refusal::invalid("a custom provider needs a clientId here"))?,
                client_secret: config.client_secret,
                client_authentication: config.client_authentication_method,
            }),
            Config::IncludedOauth2ProviderConfig(config) if vendor != CUSTOM => Ok(Settings {
                discovery: included_discovery(&vendor, &config)?,
                vendor,
                client_id: config.client_id,
                client_secret: config.client_secret,
                client_authentication: None,
            }),
            Config::CustomOauth2ProviderConfig(_) | Config::IncludedOauth2ProviderConfig(_) => {
                Err(Refusal::invalid(format!(
                    "oauth2ProviderConfigInput does not fit the vendor {vendor}"
                )))
            }
        }
    }
}

/// AWS knows the vendors' endpoints; this stand-in knows only its configuration.
fn included_discovery(vendor: &str, config: &IncludedConfig) -> Result<Discovery, Refusal> {
    match (
        &config.issuer,
        &config.authorization_endpoint,
        &config.token_endpoint,
    ) {
        (issuer, Some(authorization_endpoint), Some(token_endpoint)) => {
            Ok(Discovery::Metadata(AuthorizationServer {
                issuer: issuer.clone().unwrap_or_default(),
                authorization_endpoint: authorization_endpoint.clone(),
                token_endpoint: token_endpoint.clone(),
                response_types: Vec::new(),
                token_endpoint_auth_methods: Vec::new(),
            }))
        }
        (Some(issuer), None, None) => Ok(Discovery::Url(format!(
            "{}{DISCOVERY}",
            issuer.trim_end_matches('/')
        ))),
        (_, _, _) => Err(Refusal::invalid(format!(
            "this stand-in needs the issuer or both endpoints of {vendor}"
        ))),
    }
}

/// Keeps the callback URL, which is registered elsewhere, and the vault: an update of the provider
/// does not end its tokens.
fn put(
    service: &Service,
    transaction: &Transaction<'_>,
    name: String,
    settings: Settings,
    there: Option<Provider>,
) -> Result<Provider, Refusal> {
    let now = service.now();
    let provider = Provider {
        callback: there
            .as_ref()
            .map_or_else(|| service.uuid(), |provider| provider.callback.clone()),
        created: there.map_or(now, |provider| provider.created),
        updated: now,
        name,
        settings,
    };
    provider.keep(transaction)?;
    Ok(provider)
}

pub(crate) fn ensure(
    service: &Service,
    spec: CredentialProviderSpec,
) -> Result<CredentialProvider, SpecError> {
    let body = spec.described();
    model::check("CreateOauth2CredentialProvider", &body)?;
    let described: Described = serde_json::from_value(body).map_err(Refusal::from)?;
    let mut settings = described.settings()?;
    settings.client_authentication = spec.client_authentication;
    let provider = service.store.change(service.now(), |transaction| {
        let there = Provider::look_up(transaction, &spec.name)?;
        put(service, transaction, spec.name, settings, there)
    })?;
    Ok(CredentialProvider {
        arn: provider.arn(service),
        callback_url: provider.callback_url(service),
    })
}

pub(crate) fn create(service: &Service, input: Described) -> Result<Value, Refusal> {
    let name = input.name.clone();
    let settings = input.settings()?;
    let provider = service.store.change(service.now(), |transaction| {
        if Provider::look_up(transaction, &name)?.is_some() {
            return Err(Refusal::new(
                service.behaviour().taken_name,
                format!("OAuth2 credential provider '{name}' already exists"),
            ));
        }
        put(service, transaction, name, settings, None)
    })?;
    Ok(provider.created(service))
}

pub(crate) fn get(service: &Service, input: &Named) -> Result<Value, Refusal> {
    let provider = service
        .store
        .read(|connection| Provider::find(connection, &input.name))?;
    Ok(provider.described(service))
}

pub(crate) fn update(service: &Service, input: Described) -> Result<Value, Refusal> {
    let name = input.name.clone();
    let settings = input.settings()?;
    let provider = service.store.change(service.now(), |transaction| {
        let there = Provider::find(transaction, &name)?;
        put(service, transaction, name, settings, Some(there))
    })?;
    Ok(provider.described(service))
}

pub(crate) fn delete(service: &Service, input: &Named) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        Provider::find(transaction, &input.name)?;
        transaction.execute(
            "DELETE FROM credential_providers WHERE name = ?1",
            [&input.name],
        )?;
        transaction.execute("DELETE FROM vault WHERE provider = ?1", [&input.name])?;
        Ok(Value::Null)
    })
}

pub(crate) fn list(service: &Service, input: &Page) -> Result<Value, Refusal> {
    let mut providers = service.store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT document FROM credential_providers WHERE name > ?1 ORDER BY name LIMIT ?2",
        )?;
        let documents = statement.query_map(params![input.after(), input.size() + 1], |row| {
            row.get::<_, String>(0)
        })?;
        let mut providers = Vec::new();
        for document in documents {
            providers.push(serde_json::from_str::<Provider>(&document?)?);
        }
        Ok(providers)
    })?;
    let more = providers.len() > input.size();
    providers.truncate(input.size());
    let items: Vec<Value> = providers
        .iter()
        .map(|provider| {
            json!({
                "name": provider.name,
                "credentialProviderVendor": provider.settings.vendor,
                "credentialProviderArn": provider.arn(service),
                "createdTime": seconds(provider.created),
                "lastUpdatedTime": seconds(provider.updated),
            })
        })
        .collect();
    let mut answer = json!({"credentialProviders": items});
    if more {
        answer["nextToken"] = json!(providers.last().map(|provider| &provider.name));
    }
    Ok(answer)
}
