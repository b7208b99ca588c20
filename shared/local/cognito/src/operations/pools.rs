//! The operations on pools and app clients.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_kit::seconds;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app_client::{AppClient, ClientSettings};
use crate::domain::domain_of;
use crate::pool::{
    EmailMfaConfiguration, MfaConfiguration, Pool, PoolSettings, WebAuthnConfiguration,
};
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PoolInput {
    user_pool_id: String,
}

/// `CreateUserPool`.
pub(super) fn create(service: &Arc<Service>, settings: &PoolSettings) -> Result<Value, Refusal> {
    let pool = service.create_pool(None, settings)?;
    shown(service, &pool)
}

pub(super) fn describe(service: &Service, input: &PoolInput) -> Result<Value, Refusal> {
    let pool = service
        .store
        .read(|connection| Pool::find(connection, &input.user_pool_id))?;
    shown(service, &pool)
}

fn shown(service: &Service, pool: &Pool) -> Result<Value, Refusal> {
    let mut shown = serde_json::to_value(&pool.settings)?;
    if let Some(object) = shown.as_object_mut() {
        object.remove("SoftwareTokenMfa");
        object.remove("EmailMfaConfiguration");
        object.remove("WebAuthnConfiguration");
        object.remove("PoolName");
        object.remove("Schema");
    }
    shown["Id"] = json!(pool.id);
    shown["Name"] = json!(pool.settings.pool_name);
    shown["SchemaAttributes"] = json!(pool.settings.schema);
    shown["Arn"] = json!(pool.arn(&service.options.region, &service.options.account_id));
    shown["CreationDate"] = json!(seconds(pool.created));
    shown["LastModifiedDate"] = json!(seconds(pool.modified));
    let (domain, users) = service.store.read(|connection| {
        let domain = domain_of(connection, &pool.id)?;
        let count: i64 = connection.query_row(
            "SELECT count(*) FROM users WHERE pool = ?1",
            [&pool.id],
            |row| row.get(0),
        )?;
        Ok((domain, count))
    })?;
    shown["EstimatedNumberOfUsers"] = json!(users);
    if let Some(domain) = domain {
        shown["Domain"] = json!(domain);
    }
    Ok(json!({"UserPool": shown}))
}

/// `UpdateUserPool`: omitted members return to their defaults, as in AWS; immutable ones stay.
pub(super) fn update(service: &Service, mut input: Map<String, Value>) -> Result<Value, Refusal> {
    let id = taken(&mut input, "UserPoolId");
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut pool = Pool::find(transaction, &id)?;
        let before = &pool.settings;
        if !input.contains_key("PoolName") {
            input.insert("PoolName".to_owned(), json!(before.pool_name));
        }
        let mut settings: PoolSettings = serde_json::from_value(Value::Object(input))?;
        settings
            .alias_attributes
            .clone_from(&before.alias_attributes);
        settings
            .username_attributes
            .clone_from(&before.username_attributes);
        settings.username_configuration = before.username_configuration.clone();
        settings.schema.clone_from(&before.schema);
        settings.software_token_mfa = before.software_token_mfa;
        settings
            .email_mfa_configuration
            .clone_from(&before.email_mfa_configuration);
        settings
            .web_authn_configuration
            .clone_from(&before.web_authn_configuration);
        settings.check()?;
        pool.settings = settings;
        pool.modified = now;
        pool.save(transaction)
    })?;
    Ok(json!({}))
}

pub(super) fn delete(service: &Service, input: &PoolInput) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        if pool.settings.shown_only.get("DeletionProtection") == Some(&json!("ACTIVE")) {
            return Err(Refusal::invalid(
                "The user pool cannot be deleted because deletion protection is activated.",
            ));
        }
        if domain_of(transaction, &pool.id)?.is_some() {
            return Err(Refusal::invalid(
                "User pool cannot be deleted. It has a domain configured that should be deleted first.",
            ));
        }
        for table in ["pool_keys", "clients", "users", "aliases", "sessions", "sign_ins", "codes", "attempts", "hosted", "import_jobs"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE pool = ?1"), [&pool.id])?;
        }
        transaction.execute("DELETE FROM pools WHERE id = ?1", [&pool.id])?;
        Ok(())
    })?;
    service.forget_keys(&input.user_pool_id);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    user_pool_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl ListInput {
    fn after(&self) -> Result<String, Refusal> {
        self.next_token.as_ref().map_or(Ok(String::new()), |token| {
            URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|id| String::from_utf8(id).ok())
                .ok_or_else(|| Refusal::invalid("Invalid pagination token."))
        })
    }

    fn limit(&self) -> i64 {
        self.max_results.unwrap_or(60)
    }

    /// The token of the next page, if this one is full.
    fn next(&self, count: usize, last: Option<&str>) -> Option<Value> {
        let full = i64::try_from(count).is_ok_and(|count| count == self.limit());
        last.filter(|_| full)
            .map(|last| json!(URL_SAFE_NO_PAD.encode(last)))
    }
}

pub(super) fn list(service: &Service, input: &ListInput) -> Result<Value, Refusal> {
    let after = input.after()?;
    let pools = service
        .store
        .read(|connection| Pool::after(connection, &after, input.limit()))?;
    let shown: Vec<Value> = pools
        .iter()
        .map(|pool| {
            json!({
                "Id": pool.id,
                "Name": pool.settings.pool_name,
                "LambdaConfig": pool.settings.lambda_config,
                "CreationDate": seconds(pool.created),
                "LastModifiedDate": seconds(pool.modified),
            })
        })
        .collect();
    let mut answer = json!({"UserPools": shown});
    if let Some(next) = input.next(pools.len(), pools.last().map(|pool| pool.id.as_str())) {
        answer["NextToken"] = next;
    }
    Ok(answer)
}

/// `CreateUserPoolClient`.
pub(super) fn create_client(
    service: &Service,
    mut input: Map<String, Value>,
) -> Result<Value, Refusal> {
    let pool = taken(&mut input, "UserPoolId");
    let secret = input.remove("GenerateSecret") == Some(Value::Bool(true));
    let settings: ClientSettings = serde_json::from_value(Value::Object(input))?;
    settings.check()?;
    let now = service.now();
    let mut client = AppClient {
        id: service.new_client_id(),
        pool,
        secrets: Vec::new(),
        settings,
        created: now,
        modified: now,
    };
    if secret {
        client.secrets = vec![client.new_secret(service.new_client_secret(), now)];
    }
    service.store.change(now, |transaction| {
        Pool::find(transaction, &client.pool)?;
        client.save(transaction)
    })?;
    Ok(json!({"UserPoolClient": client.shown()?}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ClientInput {
    user_pool_id: String,
    client_id: String,
}

pub(super) fn describe_client(service: &Service, input: &ClientInput) -> Result<Value, Refusal> {
    service.store.read(|connection| {
        Pool::find(connection, &input.user_pool_id)?;
        let client = AppClient::of_pool(connection, &input.user_pool_id, &input.client_id)?;
        Ok(json!({"UserPoolClient": client.shown()?}))
    })
}

/// `UpdateUserPoolClient`: omitted members return to their defaults, as in AWS.
pub(super) fn update_client(
    service: &Service,
    mut input: Map<String, Value>,
) -> Result<Value, Refusal> {
    let pool = taken(&mut input, "UserPoolId");
    let id = taken(&mut input, "ClientId");
    let now = service.now();
    service.store.change(now, |transaction| {
        Pool::find(transaction, &pool)?;
        let mut client = AppClient::of_pool(transaction, &pool, &id)?;
        if !input.contains_key("ClientName") {
            input.insert("ClientName".to_owned(), json!(client.settings.client_name));
        }
        client.settings = serde_json::from_value(Value::Object(input))?;
        client.settings.check()?;
        client.modified = now;
        client.save(transaction)?;
        Ok(json!({"UserPoolClient": client.shown()?}))
    })
}

pub(super) fn delete_client(service: &Service, input: &ClientInput) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        Pool::find(transaction, &input.user_pool_id)?;
        let client = AppClient::of_pool(transaction, &input.user_pool_id, &input.client_id)?;
        client.delete(transaction)
    })?;
    Ok(json!({}))
}

pub(super) fn list_clients(service: &Service, input: &ListInput) -> Result<Value, Refusal> {
    let after = input.after()?;
    let pool = input.user_pool_id.as_deref().unwrap_or_default();
    let clients = service.store.read(|connection| {
        Pool::find(connection, pool)?;
        AppClient::after(connection, pool, &after, input.limit())
    })?;
    let shown: Vec<Value> = clients
        .iter()
        .map(|client| {
            json!({
                "ClientId": client.id,
                "ClientName": client.settings.client_name,
                "UserPoolId": client.pool,
            })
        })
        .collect();
    let mut answer = json!({"UserPoolClients": shown});
    if let Some(next) = input.next(
        clients.len(),
        clients.last().map(|client| client.id.as_str()),
    ) {
        answer["NextToken"] = next;
    }
    Ok(answer)
}

pub(super) fn mfa_config(service: &Service, input: &PoolInput) -> Result<Value, Refusal> {
    let pool = service
        .store
        .read(|connection| Pool::find(connection, &input.user_pool_id))?;
    Ok(shown_mfa_config(&pool))
}

fn shown_mfa_config(pool: &Pool) -> Value {
    let mut shown = json!({
        "MfaConfiguration": pool.settings.mfa_configuration,
        "SoftwareTokenMfaConfiguration": {"Enabled": pool.settings.software_token_mfa},
    });
    if let Some(email) = &pool.settings.email_mfa_configuration {
        shown["EmailMfaConfiguration"] = json!(email);
    }
    if let Some(passkeys) = &pool.settings.web_authn_configuration {
        shown["WebAuthnConfiguration"] = json!(passkeys);
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MfaConfigInput {
    user_pool_id: String,
    #[serde(default)]
    mfa_configuration: MfaConfiguration,
    software_token_mfa_configuration: Option<Enabled>,
    email_mfa_configuration: Option<EmailMfaConfiguration>,
    web_authn_configuration: Option<WebAuthnConfiguration>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enabled {
    #[serde(default)]
    enabled: bool,
}

/// `SetUserPoolMfaConfig`, which replaces everything. Its second factors are the authenticator and
/// codes by email.
pub(super) fn set_mfa_config(service: &Service, input: &MfaConfigInput) -> Result<Value, Refusal> {
    if let Some(name) = input.others.keys().next() {
        return Err(Refusal::invalid(format!(
            "cognito-local does not act on {name}."
        )));
    }
    let software_token = input
        .software_token_mfa_configuration
        .as_ref()
        .is_some_and(|token| token.enabled);
    let off = input.mfa_configuration == MfaConfiguration::Off;
    if off && input.software_token_mfa_configuration.is_some() {
        return Err(Refusal::invalid(
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
        ));
    }
    if !off && !software_token && input.email_mfa_configuration.is_none() {
        return Err(Refusal::invalid(
            "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.",
        ));
    }
    let now = service.now();
    service.store.change(now, |transaction| {
        let mut pool = Pool::find(transaction, &input.user_pool_id)?;
        pool.settings.mfa_configuration = input.mfa_configuration;
        pool.settings.software_token_mfa = software_token;
        pool.settings
            .email_mfa_configuration
            .clone_from(&input.email_mfa_configuration);
        pool.settings
            .web_authn_configuration
            .clone_from(&input.web_authn_configuration);
        pool.settings.check()?;
        pool.modified = now;
        pool.save(transaction)?;
        Ok(shown_mfa_config(&pool))
    })
}

/// A required text member of a request that the model has accepted.
fn taken(input: &mut Map<String, Value>, name: &str) -> String {
    match input.remove(name) {
        Some(Value::String(text)) => text,
        Some(_) | None => String::new(),
    }
}
