//! App clients: their settings in the form of the wire, the values read from them, and their
//! storage.

use std::fmt;

use local_kit::{Millis, seconds};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::refusal::{Exception, Refusal};

/// The settings of an app client, in the names of `CreateUserPoolClient`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ClientSettings {
    pub(crate) client_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_token_validity: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id_token_validity: Option<i64>,
    #[serde(default = "thirty")]
    pub(crate) refresh_token_validity: i64,
    #[serde(default)]
    pub(crate) token_validity_units: TokenValidityUnits,
    #[serde(default = "default_flows")]
    pub(crate) explicit_auth_flows: Vec<String>,
    #[serde(default)]
    pub(crate) prevent_user_existence_errors: PreventUserExistenceErrors,
    #[serde(default = "yes")]
    pub(crate) enable_token_revocation: bool,
    #[serde(default = "three")]
    pub(crate) auth_session_validity: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token_rotation: Option<RefreshTokenRotation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enable_propagate_additional_user_context_data: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) write_attributes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) read_attributes: Option<Vec<String>>,
    #[serde(
        default,
        rename = "CallbackURLs",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) callback_urls: Vec<String>,
    #[serde(default, rename = "LogoutURLs", skip_serializing_if = "Vec::is_empty")]
    pub(crate) logout_urls: Vec<String>,
    #[serde(
        default,
        rename = "AllowedOAuthFlows",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) allowed_oauth_flows: Vec<String>,
    #[serde(
        default,
        rename = "AllowedOAuthScopes",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) allowed_oauth_scopes: Vec<String>,
    #[serde(default, rename = "AllowedOAuthFlowsUserPoolClient")]
    pub(crate) allowed_oauth_flows_user_pool_client: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) supported_identity_providers: Vec<String>,
    #[serde(flatten)]
    pub(crate) shown_only: Map<String, Value>,
}

const fn thirty() -> i64 {
    30
}

const fn three() -> i64 {
    3
}

const fn yes() -> bool {
    true
}

/// The flows of a client without a setting: AWS's documented default.
fn default_flows() -> Vec<String> {
    [
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_CUSTOM_AUTH",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum PreventUserExistenceErrors {
    #[default]
    Legacy,
    Enabled,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TokenValidityUnits {
    #[serde(rename = "AccessToken")]
    access: Unit,
    #[serde(rename = "IdToken")]
    id: Unit,
    #[serde(rename = "RefreshToken")]
    refresh: Unit,
}

impl Default for TokenValidityUnits {
    fn default() -> Self {
        Self {
            access: Unit::Hours,
            id: Unit::Hours,
            refresh: Unit::Days,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    const fn seconds(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RefreshTokenRotation {
    pub(crate) feature: Feature,
    #[serde(default)]
    pub(crate) retry_grace_period_seconds: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Feature {
    Enabled,
    Disabled,
}

impl ClientSettings {
    /// The rules that AWS applies to a client beyond the model.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let between = |name: &str, seconds: i64, least: i64, most: i64| {
            if (least..=most).contains(&seconds) {
                return Ok(());
            }
            Err(Refusal::invalid(format!(
                "Invalid range for token validity: {name} must be between {least} and {most} seconds."
            )))
        };
        // CreateUserPoolClient: 5 minutes to a day; 60 minutes to 10 years.
        between("AccessTokenValidity", self.access_seconds(), 300, 86_400)?;
        between("IdTokenValidity", self.id_seconds(), 300, 86_400)?;
        between(
            "RefreshTokenValidity",
            self.refresh_seconds(),
            3_600,
            315_360_000,
        )?;
        let prefixed = self
            .explicit_auth_flows
            .iter()
            .filter(|flow| flow.starts_with("ALLOW_"))
            .count();
        if prefixed != 0 && prefixed != self.explicit_auth_flows.len() {
            return Err(Refusal::invalid(
                "ExplicitAuthFlows with and without the prefix ALLOW_ can not be mixed.",
            ));
        }
        if self.rotation_grace().is_some() && self.allows_flow("ALLOW_REFRESH_TOKEN_AUTH") {
            return Err(Refusal::invalid(
                "ALLOW_REFRESH_TOKEN_AUTH can not be enabled together with refresh token rotation.",
            ));
        }
        self.check_oauth()
    }

    /// Checks the settings of the hosted sign-in. Grants, scopes and identity providers that this
    /// stand-in lacks are refused.
    fn check_oauth(&self) -> Result<(), Refusal> {
        for url in self.callback_urls.iter().chain(&self.logout_urls) {
            check_redirect_url(url)?;
        }
        if let Some(flow) = self.allowed_oauth_flows.iter().find(|flow| *flow != "code") {
            return Err(Refusal::new(
                Exception::InvalidOAuthFlow,
                format!("cognito-local does not do the {flow} grant."),
            ));
        }
        if self.allowed_oauth_flows_user_pool_client
            && (self.allowed_oauth_flows.is_empty() || self.allowed_oauth_scopes.is_empty())
        {
            return Err(Refusal::new(
                Exception::InvalidOAuthFlow,
                "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
            ));
        }
        if let Some(scope) = self
            .allowed_oauth_scopes
            .iter()
            .find(|scope| !SCOPES.contains(&scope.as_str()))
        {
            return Err(Refusal::new(
                Exception::ScopeDoesNotExist,
                format!("Invalid scope requested: {scope}"),
            ));
        }
        if let Some(provider) = self
            .supported_identity_providers
            .iter()
            .find(|provider| *provider != "COGNITO")
        {
            return Err(Refusal::invalid(format!(
                "The provider {provider} does not exist for the user pool."
            )));
        }
        Ok(())
    }

    /// The client may ask for authorization codes.
    pub(crate) fn allows_code_grant(&self) -> bool {
        self.allowed_oauth_flows_user_pool_client
            && self.allowed_oauth_flows.iter().any(|flow| flow == "code")
    }

    /// The hosted pages have a way in for this client's users.
    pub(crate) fn signs_in_here(&self) -> bool {
        self.supported_identity_providers
            .iter()
            .any(|provider| provider == "COGNITO")
    }

    pub(crate) fn allows_flow(&self, flow: &str) -> bool {
        self.explicit_auth_flows
            .iter()
            .any(|allowed| allowed == flow)
    }

    pub(crate) fn hides_unknown_users(&self) -> bool {
        self.prevent_user_existence_errors == PreventUserExistenceErrors::Enabled
    }

    pub(crate) fn access_seconds(&self) -> i64 {
        self.access_token_validity
            .filter(|validity| *validity != 0)
            .map_or(3_600, |validity| {
                validity.saturating_mul(self.token_validity_units.access.seconds())
            })
    }

    pub(crate) fn id_seconds(&self) -> i64 {
        self.id_token_validity
            .filter(|validity| *validity != 0)
            .map_or(3_600, |validity| {
                validity.saturating_mul(self.token_validity_units.id.seconds())
            })
    }

    pub(crate) fn refresh_seconds(&self) -> i64 {
        let validity = if self.refresh_token_validity == 0 {
            return thirty() * Unit::Days.seconds();
        } else {
            self.refresh_token_validity
        };
        validity.saturating_mul(self.token_validity_units.refresh.seconds())
    }

    /// The grace period in seconds, if the client's refresh tokens rotate.
    pub(crate) fn rotation_grace(&self) -> Option<i64> {
        self.refresh_token_rotation
            .filter(|rotation| rotation.feature == Feature::Enabled)
            .map(|rotation| rotation.retry_grace_period_seconds)
    }
}

/// The scopes that every pool has; more would take resource servers.
const SCOPES: [&str; 5] = [
    "aws.cognito.signin.user.admin",
    "email",
    "openid",
    "phone",
    "profile",
];

/// Schemes that run or show the content of the address itself.
const UNSAFE_SCHEMES: [&str; 4] = ["data", "file", "javascript", "vbscript"];

/// `CallbackURLs` of the service model's documentation: absolute, without a fragment, and plain
/// HTTP for this machine only.
fn check_redirect_url(text: &str) -> Result<(), Refusal> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| text.is_ascii() && url.fragment().is_none())
        .filter(|url| !UNSAFE_SCHEMES.contains(&url.scheme()))
        .ok_or_else(|| Refusal::invalid(format!("{text} is not a valid redirect URI.")))?;
    let loopback = ["localhost", "127.0.0.1", "[::1]"];
    if url.scheme() == "http" && !url.host_str().is_some_and(|host| loopback.contains(&host)) {
        return Err(Refusal::invalid(format!(
            "{text} cannot use the HTTP protocol."
        )));
    }
    Ok(())
}

/// A stored app client.
#[derive(Clone)]
pub(crate) struct AppClient {
    pub(crate) id: String,
    pub(crate) pool: String,
    /// The client's secrets, the oldest first: two at most, and none for a public client.
    pub(crate) secrets: Vec<ClientSecret>,
    pub(crate) settings: ClientSettings,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
}

/// A client's secret.
#[derive(Clone)]
pub(crate) struct ClientSecret {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) created: Millis,
}

impl fmt::Debug for AppClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AppClient")
    }
}

impl AppClient {
    /// Whether Cognito trusts the client's statement of a person's address.
    pub(crate) fn takes_context(&self) -> bool {
        let says_so = self.settings.enable_propagate_additional_user_context_data;
        says_so == Some(true) && !self.secrets.is_empty()
    }

    pub(crate) fn find(connection: &Connection, id: &str) -> Result<Self, Refusal> {
        Self::look_for(connection, id)?.ok_or_else(|| Refusal::no_such_client(id))
    }

    /// The client, if it belongs to that pool.
    pub(crate) fn of_pool(connection: &Connection, pool: &str, id: &str) -> Result<Self, Refusal> {
        let client = Self::find(connection, id)?;
        if client.pool == pool {
            Ok(client)
        } else {
            Err(Refusal::no_such_client(id))
        }
    }

    pub(crate) fn look_for(connection: &Connection, id: &str) -> Result<Option<Self>, Refusal> {
        connection
            .prepare_cached(
                "SELECT id, pool, settings, created, modified FROM clients WHERE id = ?1",
            )?
            .query_row([id], Self::from_row)
            .optional()?
            .transpose()?
            .map(|client| client.with_its_secrets(connection))
            .transpose()
    }

    pub(crate) fn named(
        connection: &Connection,
        pool: &str,
        name: &str,
    ) -> Result<Option<Self>, Refusal> {
        connection
            .prepare_cached(
                "SELECT id, pool, settings, created, modified FROM clients
                 WHERE pool = ?1 AND name = ?2 ORDER BY created LIMIT 1",
            )?
            .query_row([pool, name], Self::from_row)
            .optional()?
            .transpose()?
            .map(|client| client.with_its_secrets(connection))
            .transpose()
    }

    pub(crate) fn after(
        connection: &Connection,
        pool: &str,
        id: &str,
        limit: i64,
    ) -> Result<Vec<Self>, Refusal> {
        connection
            .prepare_cached(
                "SELECT id, pool, settings, created, modified FROM clients
                 WHERE pool = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?
            .query_map(params![pool, id, limit], Self::from_row)?
            .map(|row| row??.with_its_secrets(connection))
            .collect()
    }

    fn with_its_secrets(self, connection: &Connection) -> Result<Self, Refusal> {
        let secrets = connection
            .prepare_cached(
                "SELECT id, value, created FROM client_secrets WHERE client = ?1 ORDER BY created, id",
            )?
            .query_map([&self.id], |row| {
                Ok(ClientSecret {
                    id: row.get(0)?,
                    value: row.get(1)?,
                    created: row.get(2)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { secrets, ..self })
    }

    /// A secret for this client, of this moment.
    pub(crate) fn new_secret(&self, value: String, now: Millis) -> ClientSecret {
        let taken = |id: &str| self.secrets.iter().any(|secret| secret.id == id);
        let id = |at: Millis| format!("{}--{at}", self.id);
        let mut at = now;
        while taken(&id(at)) {
            at += 1;
        }
        ClientSecret {
            id: id(at),
            value,
            created: now,
        }
    }

    /// The client shows that it is itself by one of its secrets.
    pub(crate) fn is_confidential(&self) -> bool {
        !self.secrets.is_empty()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Self, Refusal>> {
        let settings = row.get_ref(2)?.as_str()?;
        Ok(serde_json::from_str(settings)
            .map_err(Refusal::from)
            .and_then(|settings| {
                Ok(Self {
                    id: row.get(0)?,
                    pool: row.get(1)?,
                    secrets: Vec::new(),
                    settings,
                    created: row.get(3)?,
                    modified: row.get(4)?,
                })
            }))
    }

    pub(crate) fn save(&self, connection: &Connection) -> Result<(), Refusal> {
        connection
            .prepare_cached(
                "INSERT INTO clients (id, pool, name, settings, created, modified)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET name = excluded.name, settings = excluded.settings,
                 modified = excluded.modified",
            )?
            .execute(params![
                self.id,
                self.pool,
                self.settings.client_name,
                serde_json::to_string(&self.settings)?,
                self.created,
                self.modified
            ])?;
        connection
            .prepare_cached("DELETE FROM client_secrets WHERE client = ?1")?
            .execute([&self.id])?;
        for secret in &self.secrets {
            connection
                .prepare_cached(
                    "INSERT INTO client_secrets (id, client, value, created) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![secret.id, self.id, secret.value, secret.created])?;
        }
        Ok(())
    }

    pub(crate) fn delete(&self, connection: &Connection) -> Result<(), Refusal> {
        connection.execute("DELETE FROM client_secrets WHERE client = ?1", [&self.id])?;
        connection.execute("DELETE FROM clients WHERE id = ?1", [&self.id])?;
        Ok(())
    }

    /// The member `UserPoolClient` of the answers.
    pub(crate) fn shown(&self) -> Result<Value, Refusal> {
        let mut shown = serde_json::to_value(&self.settings)?;
        shown["UserPoolId"] = json!(self.pool);
        shown["ClientId"] = json!(self.id);
        if let Some(secret) = self.secrets.first() {
            shown["ClientSecret"] = json!(secret.value);
        }
        shown["CreationDate"] = json!(seconds(self.created));
        shown["LastModifiedDate"] = json!(seconds(self.modified));
        Ok(shown)
    }
}
