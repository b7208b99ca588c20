//! Pools and app clients as an embedding program asks for them.

use std::fmt;
use std::sync::Arc;

use local_kit::SpecError;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::app_client::{AppClient, ClientSettings};
use crate::domain::{assign, domain_of};
use crate::model;
use crate::pool::{Pool, PoolSettings};
use crate::refusal::Refusal;
use crate::service::Service;

/// A pool that an embedding program wants to be there.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the switches are AWS's, each of its own"
)]
pub struct PoolSpec {
    /// A fixed id, `{region}_{letters and digits}`, or `None` for a generated one.
    pub id: Option<String>,
    /// The name. It identifies a pool without a fixed id.
    pub name: String,
    /// The first factors of choice-based sign-in: `PASSWORD`, `EMAIL_OTP` or both.
    pub first_factors: Vec<String>,
    /// People type their email, and the user name is generated.
    pub email_is_username: bool,
    /// The fewest characters of a password.
    pub minimum_password_length: usize,
    /// A password needs upper case, lower case, digits and symbols.
    pub password_composition: bool,
    /// `SignUp` is refused; only administrators make users.
    pub admins_create_users_only: bool,
    /// The ARN of the function that is called before tokens are issued, with version 2 of the
    /// event.
    pub pre_token_generation: Option<String>,
    /// The ARN of the function that is called when a sign-in begins.
    pub pre_authentication: Option<String>,
    /// ARN of a custom message function. The pool then mails by an SES of its own.
    pub custom_message: Option<String>,
    /// Users may have an authenticator (`MfaConfiguration` is `OPTIONAL`).
    pub software_token_mfa: bool,
    /// Users may have codes by email as second factor; mails then count as sent through SES.
    pub email_mfa: bool,
    /// Every sign-in by password needs a second factor (`MfaConfiguration` is `ON`).
    pub mfa_required: bool,
    /// Passkeys, which are then one of the first factors.
    pub passkeys: Option<PasskeySpec>,
    /// The prefix under which the hosted sign-in is: lower-case letters, digits and hyphens,
    /// without `aws`, `amazon` and `cognito`.
    pub domain: Option<String>,
}

/// Passkeys of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeySpec {
    /// The passkeys' domain name; `None` for that of the pool's domain.
    pub relying_party_id: Option<String>,
    /// Whether an authenticator must verify its holder by more than a touch.
    pub user_verification_required: bool,
}

impl PoolSpec {
    /// A pool for passwordless sign-in by email code, with passwords as the other factor, open to
    /// `SignUp`.
    #[must_use]
    pub fn passwordless(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            first_factors: vec!["PASSWORD".to_owned(), "EMAIL_OTP".to_owned()],
            email_is_username: true,
            minimum_password_length: 8,
            password_composition: true,
            admins_create_users_only: false,
            pre_token_generation: None,
            pre_authentication: None,
            custom_message: None,
            software_token_mfa: false,
            email_mfa: false,
            mfa_required: false,
            passkeys: None,
            domain: None,
        }
    }

    fn settings(&self) -> Result<PoolSettings, serde_json::Error> {
        let composition = self.password_composition;
        let mut settings = json!({
            "PoolName": self.name,
            "Policies": {
                "PasswordPolicy": {
                    "MinimumLength": self.minimum_password_length,
                    "RequireUppercase": composition,
                    "RequireLowercase": composition,
                    "RequireNumbers": composition,
                    "RequireSymbols": composition,
                },
                "SignInPolicy": {"AllowedFirstAuthFactors": self.first_factors},
            },
            "AutoVerifiedAttributes": ["email"],
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": self.admins_create_users_only},
            "UsernameConfiguration": {"CaseSensitive": false},
            "MfaConfiguration": match self.software_token_mfa || self.email_mfa {
                true if self.mfa_required => "ON",
                true => "OPTIONAL",
                false => "OFF",
            },
            "SoftwareTokenMfa": self.software_token_mfa,
        });
        if self.email_mfa {
            settings["EmailMfaConfiguration"] = json!({});
            settings["EmailConfiguration"] = json!({"EmailSendingAccount": "DEVELOPER"});
        }
        if let Some(passkeys) = &self.passkeys {
            let mut factors = self.first_factors.clone();
            factors.push("WEB_AUTHN".to_owned());
            settings["Policies"]["SignInPolicy"]["AllowedFirstAuthFactors"] = json!(factors);
            settings["WebAuthnConfiguration"] = json!({
                "RelyingPartyId": passkeys.relying_party_id,
                "UserVerification":
                    if passkeys.user_verification_required { "required" } else { "preferred" },
            });
        }
        if self.email_is_username {
            settings["UsernameAttributes"] = json!(["email"]);
        }
        if let Some(arn) = &self.pre_token_generation {
            settings["LambdaConfig"]["PreTokenGenerationConfig"] =
                json!({"LambdaVersion": "V2_0", "LambdaArn": arn});
        }
        if let Some(arn) = &self.custom_message {
            settings["LambdaConfig"]["CustomMessage"] = json!(arn);
            settings["EmailConfiguration"] = json!({"EmailSendingAccount": "DEVELOPER"});
        }
        if let Some(arn) = &self.pre_authentication {
            settings["LambdaConfig"]["PreAuthentication"] = json!(arn);
        }
        serde_json::from_value(settings)
    }
}

/// The secret of an app client.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Secret {
    /// A public client, without a secret.
    #[default]
    None,
    /// A confidential client. Its secret is made once.
    Generated,
    /// A confidential client with this secret.
    Fixed(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Rotation of refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshRotation {
    /// How long an exchanged token still works, for concurrent refreshes: 0 to 60.
    pub grace_seconds: u8,
}

/// An app client that an embedding program wants to be there.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    /// A fixed id, or `None` for a generated one.
    pub id: Option<String>,
    /// The name. It identifies a client without a fixed id.
    pub name: String,
    /// The secret.
    pub secret: Secret,
    /// The flows in AWS's names, such as `ALLOW_USER_AUTH`.
    pub explicit_auth_flows: Vec<String>,
    /// How long a challenge session, and with it a sign-in code, is good: 3 to 15.
    pub auth_session_minutes: u8,
    /// Whether unknown names get the answers of known ones (`PreventUserExistenceErrors`).
    pub hide_unknown_users: bool,
    /// Rotation of refresh tokens; `ALLOW_REFRESH_TOKEN_AUTH` cannot go with it.
    pub refresh_rotation: Option<RefreshRotation>,
    /// Validity of access tokens: 300 to 86,400.
    pub access_token_seconds: u32,
    /// Validity of id tokens: 300 to 86,400.
    pub id_token_seconds: u32,
    /// Validity of refresh tokens: 3,600 to 315,360,000.
    pub refresh_token_seconds: u32,
    /// The hosted sign-in, for a client that sends browsers there.
    pub hosted_sign_in: Option<HostedSignIn>,
}

/// An app client's permissions at the hosted sign-in, by authorization codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedSignIn {
    /// Allowed return addresses for browsers, compared letter by letter: `https`, `http` on this
    /// machine, or an app's own scheme.
    pub callback_urls: Vec<String>,
    /// Allowed addresses after `/logout`.
    pub logout_urls: Vec<String>,
    /// Of `openid`, `email`, `phone`, `profile` and `aws.cognito.signin.user.admin`.
    pub scopes: Vec<String>,
}

impl HostedSignIn {
    /// One address, and the scopes `openid`, `email` and `profile`.
    #[must_use]
    pub fn new(callback_url: impl Into<String>) -> Self {
        Self {
            callback_urls: vec![callback_url.into()],
            logout_urls: Vec::new(),
            scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        }
    }
}

impl ClientSpec {
    /// A public client for choice-based sign-in, with AWS's validities and unknown users hidden.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            secret: Secret::None,
            explicit_auth_flows: vec![
                "ALLOW_USER_AUTH".to_owned(),
                "ALLOW_REFRESH_TOKEN_AUTH".to_owned(),
            ],
            auth_session_minutes: 3,
            hide_unknown_users: true,
            refresh_rotation: None,
            access_token_seconds: 3_600,
            id_token_seconds: 3_600,
            refresh_token_seconds: 2_592_000,
            hosted_sign_in: None,
        }
    }

    fn request(&self, pool_id: &str) -> Value {
        let mut request = json!({
            "UserPoolId": pool_id,
            "ClientName": self.name,
            "ExplicitAuthFlows": self.explicit_auth_flows,
            "AuthSessionValidity": self.auth_session_minutes,
            "PreventUserExistenceErrors": if self.hide_unknown_users { "ENABLED" } else { "LEGACY" },
            "EnableTokenRevocation": true,
            "AccessTokenValidity": self.access_token_seconds,
            "IdTokenValidity": self.id_token_seconds,
            "RefreshTokenValidity": self.refresh_token_seconds,
            "TokenValidityUnits": {
                "AccessToken": "seconds",
                "IdToken": "seconds",
                "RefreshToken": "seconds",
            },
        });
        if let Some(rotation) = self.refresh_rotation {
            request["RefreshTokenRotation"] = json!({
                "Feature": "ENABLED",
                "RetryGracePeriodSeconds": rotation.grace_seconds,
            });
        }
        if let Some(hosted) = &self.hosted_sign_in {
            request["AllowedOAuthFlowsUserPoolClient"] = json!(true);
            request["AllowedOAuthFlows"] = json!(["code"]);
            request["AllowedOAuthScopes"] = json!(hosted.scopes);
            request["CallbackURLs"] = json!(hosted.callback_urls);
            request["LogoutURLs"] = json!(hosted.logout_urls);
            request["SupportedIdentityProviders"] = json!(["COGNITO"]);
        }
        request
    }
}

/// An existing app client.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The id.
    pub client_id: String,
    /// The secret of a confidential client.
    pub client_secret: Option<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

pub(crate) fn ensure_pool(service: &Arc<Service>, spec: PoolSpec) -> Result<String, SpecError> {
    let settings = spec.settings().map_err(Refusal::from)?;
    ensure_settings(service, spec.id, settings, spec.domain.as_deref())
}

pub(crate) fn ensure_described_pool(
    service: &Arc<Service>,
    request: Value,
    domain: Option<&str>,
) -> Result<String, SpecError> {
    model::check("CreateUserPool", &request)?;
    let settings = serde_json::from_value(request).map_err(Refusal::from)?;
    ensure_settings(service, None, settings, domain)
}

fn ensure_settings(
    service: &Arc<Service>,
    id: Option<String>,
    settings: PoolSettings,
    domain: Option<&str>,
) -> Result<String, SpecError> {
    settings.check()?;
    let wire = serde_json::to_value(&settings).map_err(Refusal::from)?;
    model::check("CreateUserPool", &wire)?;
    if let Some(id) = &id {
        model::check("DescribeUserPool", &json!({"UserPoolId": id}))?;
    }
    if let Some(domain) = domain {
        let named = json!({"UserPoolId": "eu-west-1_x", "Domain": domain});
        model::check("CreateUserPoolDomain", &named)?;
    }
    let existing = service.store.read(|connection| match &id {
        Some(id) => Pool::look_for(connection, id),
        None => Pool::named(connection, &settings.pool_name),
    })?;
    let Some(existing) = existing else {
        let made = service.create_pool(id, &settings)?;
        service.store.change(service.now(), |transaction| {
            ensure_domain(transaction, &made, domain)
        })?;
        return Ok(made.id);
    };
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut pool = Pool::find(transaction, &existing.id)?;
        pool.settings = settings;
        pool.modified = now;
        pool.save(transaction)?;
        ensure_domain(transaction, &pool, domain)
    })?;
    Ok(existing.id)
}

fn ensure_domain(
    connection: &Connection,
    pool: &Pool,
    domain: Option<&str>,
) -> Result<(), Refusal> {
    if domain_of(connection, &pool.id)?.as_deref() == domain {
        return Ok(());
    }
    connection.execute("DELETE FROM domains WHERE pool = ?1", [&pool.id])?;
    match domain {
        Some(domain) => assign(connection, pool, domain),
        None => Ok(()),
    }
}

pub(crate) fn ensure_client(
    service: &Service,
    pool_id: &str,
    spec: ClientSpec,
) -> Result<Client, SpecError> {
    let request = spec.request(pool_id);
    if let Some(id) = &spec.id {
        let named = json!({"UserPoolId": pool_id, "ClientId": id});
        model::check("DescribeUserPoolClient", &named)?;
    }
    if let Secret::Fixed(secret) = &spec.secret {
        // The operation that accepts the secret itself defines its form.
        let use_of_it = json!({"RefreshToken": "x", "ClientId": "x", "ClientSecret": secret});
        model::check("GetTokensFromRefreshToken", &use_of_it)?;
    }
    ensure_client_of(service, pool_id, request, spec.id, spec.secret)
}

pub(crate) fn ensure_described_client(
    service: &Service,
    pool_id: &str,
    mut request: Value,
) -> Result<Client, SpecError> {
    request["UserPoolId"] = pool_id.into();
    let secret = match request["GenerateSecret"].as_bool() {
        Some(true) => Secret::Generated,
        Some(false) | None => Secret::None,
    };
    ensure_client_of(service, pool_id, request, None, secret)
}

fn ensure_client_of(
    service: &Service,
    pool_id: &str,
    mut request: Value,
    id: Option<String>,
    secret: Secret,
) -> Result<Client, SpecError> {
    model::check("CreateUserPoolClient", &request)?;
    if let Some(object) = request.as_object_mut() {
        object.remove("UserPoolId");
        object.remove("GenerateSecret");
    }
    let settings: ClientSettings = serde_json::from_value(request).map_err(Refusal::from)?;
    settings.check()?;
    let now = service.now();
    let client = service.store.change(now, |transaction| {
        Pool::find(transaction, pool_id)?;
        let existing = match &id {
            Some(id) => match AppClient::look_for(transaction, id)? {
                Some(_) => Some(AppClient::of_pool(transaction, pool_id, id)?),
                None => None,
            },
            None => AppClient::named(transaction, pool_id, &settings.client_name)?,
        };
        let kept = existing
            .as_ref()
            .map(|client| client.secrets.clone())
            .unwrap_or_default();
        let mut client = AppClient {
            id: existing
                .as_ref()
                .map(|client| client.id.clone())
                .or(id)
                .unwrap_or_else(|| service.new_client_id()),
            pool: pool_id.to_owned(),
            secrets: Vec::new(),
            settings,
            created: existing.as_ref().map_or(now, |client| client.created),
            modified: now,
        };
        client.secrets = match secret {
            Secret::None => Vec::new(),
            Secret::Generated if kept.is_empty() => {
                vec![client.new_secret(service.new_client_secret(), now)]
            }
            Secret::Generated => kept,
            Secret::Fixed(secret) => vec![client.new_secret(secret, now)],
        };
        client.save(transaction)?;
        Ok(client)
    })?;
    Ok(Client {
        client_id: client.id,
        client_secret: client.secrets.into_iter().last().map(|newest| newest.value),
    })
}
