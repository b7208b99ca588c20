//! The directory that the operations work with: the user pool, its app clients, and the secret that
//! only the operations know.

use auth_api::{AppClient, Contract, FunctionKind, TriggerKind, UserPool, UserPoolError};
use auth_domain::{InvalidRelyingParty, NewPassword, RelyingParty};
use aws_local::AwsLocal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognito_local::{Client, Cognito};
use serde_json::{Map, Value, json};

use super::WorldError;
use super::account::{
    ACCOUNT_ID, CONFIGURATION_SET, MAIL_REPLY_TO, MAIL_SENDER, REGION, SECRETS_ID, SIGN_IN_DOMAIN,
    function_arn,
};
use super::random;
use super::settings::{PublicClient, Settings};

/// An open user pool with its app clients.
pub(crate) struct Directory {
    pub(crate) cognito: Cognito,
    pub(crate) user_pool_id: String,
    pub(crate) operations_client_id: String,
    pub(crate) operations_client_secret: String,
    pub(crate) public_client_id: Option<String>,
    /// The app clients whose tokens the JWT routes accept.
    pub(crate) api_client_ids: Vec<String>,
    described: UserPool,
}

impl Directory {
    /// The address of the pool's own pages.
    pub(crate) fn hosted_url(&self) -> Result<String, WorldError> {
        let failed = WorldError::of::<cognito_local::SpecError>;
        let url = self.cognito.domain_url(&self.user_pool_id);
        Ok(url
            .map_err(failed("the user pool's domain"))?
            .unwrap_or_default())
    }

    /// Opens Cognito with the pool and the app clients of a deployment, which are made at the first
    /// start and kept.
    pub(crate) fn open(
        options: cognito_local::Options,
        settings: &Settings,
        front_end: &str,
    ) -> Result<Self, WorldError> {
        let failed = WorldError::of::<cognito_local::SpecError>;
        let file = match &options.state {
            cognito_local::State::Memory => None,
            cognito_local::State::File(file) => Some(file.clone()),
        };
        let cognito = Cognito::open(options).map_err(WorldError::of_kept("Cognito", file))?;
        let described = UserPool::described(|name| match name {
            "SHORTEST_PASSWORD" => u64::try_from(NewPassword::SHORTEST).ok(),
            setting => settings.value(setting)?.parse().ok(),
        })
        .map_err(WorldError::of::<UserPoolError>("the user pool"))?;
        let mut pool = described.pool();
        pool.insert("PoolName".to_owned(), "latchkey-local".into());
        pool.insert("LambdaConfig".to_owned(), triggers());
        settings
            .check_together()
            .map_err(WorldError::of("the settings"))?;
        pool.insert("EmailConfiguration".to_owned(), mail_sender());
        let passkeys = passkeys(settings, front_end).map_err(WorldError::of("PASSKEY_RP_ID"))?;
        pool.insert("WebAuthnConfiguration".to_owned(), passkeys);
        let user_pool_id = cognito
            .ensure_described_pool(pool.into(), Some(SIGN_IN_DOMAIN))
            .map_err(failed("the user pool"))?;
        let mut directory = Self {
            cognito,
            user_pool_id,
            operations_client_id: String::new(),
            operations_client_secret: String::new(),
            public_client_id: None,
            api_client_ids: Vec::new(),
            described,
        };
        let operations = directory.ensure_client(AppClient::Operations, Map::new())?;
        directory.api_client_ids.push(operations.client_id.clone());
        directory.operations_client_id = operations.client_id;
        directory.operations_client_secret = operations.client_secret.unwrap_or_default();
        let position = settings.public_client();
        if position != PublicClient::Off {
            let public = directory.ensure_client(AppClient::Public, Map::new())?;
            if position == PublicClient::Api {
                directory.api_client_ids.push(public.client_id.clone());
            }
            directory.public_client_id = Some(public.client_id);
        }
        Ok(directory)
    }

    /// Makes an app client from its description, completed by values that only this run knows.
    pub(crate) fn ensure_client(
        &self,
        client: AppClient,
        known_here: Map<String, Value>,
    ) -> Result<Client, WorldError> {
        let (name, part) = match client {
            AppClient::Operations => ("latchkey-local-operations", "the operations' app client"),
            AppClient::Public => ("latchkey-local-browser", "the public app client"),
            AppClient::AgentCore => ("latchkey-local-agentcore", "AgentCore's app client"),
        };
        let mut request = self.described.client(client);
        request.insert("ClientName".to_owned(), name.into());
        request.extend(known_here);
        self.cognito
            .ensure_described_client(&self.user_pool_id, request.into())
            .map_err(WorldError::of(part))
    }
}

/// The passkeys' domain name and verification. The operations use the same settings.
fn passkeys(settings: &Settings, front_end: &str) -> Result<Value, InvalidRelyingParty> {
    let front_end = settings.get("FRONTEND_URL").unwrap_or(front_end);
    let relying_party = RelyingParty::of(settings.get("PASSKEY_RP_ID"), front_end)?;
    Ok(json!({
        "RelyingPartyId": relying_party.as_str(),
        "UserVerification": settings.value("PASSKEY_USER_VERIFICATION"),
    }))
}

/// The pool's sender. Only a pool that mails by SES has its mails worded by a function.
fn mail_sender() -> Value {
    json!({
        "EmailSendingAccount": "DEVELOPER",
        "From": MAIL_SENDER,
        "ReplyToEmailAddress": MAIL_REPLY_TO,
        "ConfigurationSet": CONFIGURATION_SET,
        "SourceArn": format!("arn:aws:ses:{REGION}:{ACCOUNT_ID}:identity/latchkey.example"),
    })
}

/// The functions that Cognito calls.
fn triggers() -> Value {
    let mut triggers = json!({});
    for function in Contract::embedded().functions() {
        let FunctionKind::Trigger(kind) = function.kind else {
            continue;
        };
        let arn = function_arn(&function.name);
        match kind {
            TriggerKind::PreAuthentication => triggers["PreAuthentication"] = arn.into(),
            TriggerKind::CustomMessage => triggers["CustomMessage"] = arn.into(),
            TriggerKind::PreTokenGeneration => {
                triggers["PreTokenGenerationConfig"] =
                    json!({ "LambdaVersion": "V2_0", "LambdaArn": arn });
            }
        }
    }
    triggers
}

/// Keeps the operations' secret in Secrets Manager: made at the first start, with the app client's
/// secret as Cognito has it.
pub(crate) fn keep_secrets(aws: &AwsLocal, client_secret: &str) -> Result<(), WorldError> {
    let failed = WorldError::of::<aws_local::StateError>;
    let first = || {
        let key = STANDARD.encode(random::bytes::<32>());
        json!({ "clientSecret": client_secret, "keys": { "current": key } }).to_string()
    };
    aws.ensure_secret(SECRETS_ID, first)
        .map_err(failed("Secrets Manager"))?;
    let kept = aws.secret(SECRETS_ID).unwrap_or_default();
    let mut kept: Value = serde_json::from_str(&kept).map_err(WorldError::of("the kept secret"))?;
    if kept["clientSecret"] != client_secret {
        kept["clientSecret"] = client_secret.into();
        aws.set_secret(SECRETS_ID, kept.to_string())
            .map_err(failed("Secrets Manager"))?;
    }
    Ok(())
}
