//! The directory that the operations work with: the user pool, its app clients, and the secret that only the operations know.

use auth_api::{Contract, TriggerKind};
use auth_domain::NewPassword;
use aws_local::AwsLocal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognito_local::{ClientSpec, Cognito, PoolSpec, RefreshRotation, Secret};
use serde_json::{Value, json};

use super::WorldError;
use super::account::{SECRETS_ID, SIGN_IN_DOMAIN, function_arn};
use super::random;

/// How long a rotated refresh token still works: two tabs that refresh at once are seconds apart at most.
const ROTATION_GRACE_SECONDS: u8 = 10;

/// Minutes for a code, as in the domain.
pub(crate) const SIGN_IN_MINUTES: u8 = 5;

/// An open user pool with its app clients.
pub(crate) struct Directory {
    pub(crate) cognito: Cognito,
    pub(crate) user_pool_id: String,
    pub(crate) operations_client_id: String,
    pub(crate) operations_client_secret: String,
    pub(crate) public_client_id: Option<String>,
}

impl Directory {
    /// Where the pool's own pages are.
    pub(crate) fn hosted_url(&self) -> Result<String, WorldError> {
        let failed = WorldError::of::<cognito_local::SpecError>;
        let url = self.cognito.domain_url(&self.user_pool_id);
        Ok(url
            .map_err(failed("the user pool's domain"))?
            .unwrap_or_default())
    }

    /// Opens Cognito with the pool and the app clients of a deployment, which are made at the first start and kept.
    pub(crate) fn open(
        options: cognito_local::Options,
        public_client: bool,
    ) -> Result<Self, WorldError> {
        let failed = WorldError::of::<cognito_local::SpecError>;
        let cognito = Cognito::open(options).map_err(WorldError::of("Cognito"))?;
        let mut pool = PoolSpec {
            minimum_password_length: NewPassword::SHORTEST,
            password_composition: false,
            admins_create_users_only: true,
            domain: Some(SIGN_IN_DOMAIN.to_owned()),
            ..PoolSpec::passwordless("latchkey-local")
        };
        for trigger in Contract::embedded().triggers() {
            let arn = function_arn(&trigger.name);
            match trigger.kind {
                TriggerKind::PreAuthentication => pool.pre_authentication = Some(arn),
                TriggerKind::PreTokenGenerationV2 => pool.pre_token_generation = Some(arn),
            }
        }
        let user_pool_id = cognito.ensure_pool(pool).map_err(failed("the user pool"))?;
        let operations = ClientSpec {
            secret: Secret::Generated,
            explicit_auth_flows: vec!["ALLOW_USER_AUTH".to_owned()],
            auth_session_minutes: SIGN_IN_MINUTES,
            refresh_rotation: Some(RefreshRotation {
                grace_seconds: ROTATION_GRACE_SECONDS,
            }),
            ..ClientSpec::new("latchkey-local-operations")
        };
        let operations = cognito
            .ensure_client(&user_pool_id, operations)
            .map_err(failed("the operations' app client"))?;
        let public_client_id = if public_client {
            let browser = ClientSpec {
                explicit_auth_flows: [
                    "ALLOW_USER_AUTH",
                    "ALLOW_USER_PASSWORD_AUTH",
                    "ALLOW_REFRESH_TOKEN_AUTH",
                ]
                .map(str::to_owned)
                .to_vec(),
                auth_session_minutes: SIGN_IN_MINUTES,
                ..ClientSpec::new("latchkey-local-browser")
            };
            let client = cognito
                .ensure_client(&user_pool_id, browser)
                .map_err(failed("the browser's app client"))?;
            Some(client.client_id)
        } else {
            None
        };
        Ok(Self {
            cognito,
            user_pool_id,
            operations_client_id: operations.client_id,
            operations_client_secret: operations.client_secret.unwrap_or_default(),
            public_client_id,
        })
    }
}

/// Keeps the operations' secret in Secrets Manager: made at the first start, with the app client's secret as Cognito has it.
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
