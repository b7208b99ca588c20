//! The user pool and its app clients, as `user-pool.yaml` describes them.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The requests that make a user pool and its app clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserPool {
    pool: Map<String, Value>,
    every_client: Map<String, Value>,
    clients: Clients,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clients {
    operations: Map<String, Value>,
    public: Map<String, Value>,
    agentcore: Map<String, Value>,
}

/// An app client of the user pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppClient {
    /// The confidential one of the operations.
    Operations,
    /// The one without a secret, for Amplify and the like.
    Public,
    /// AgentCore's client. Its tokens stay in the vault.
    AgentCore,
}

/// The reason why the description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UserPoolError {
    /// The description is not JSON of this shape.
    #[error("the user pool's description is not of the shape that it should have")]
    Shape(#[from] serde_json::Error),
    /// A referenced number is missing.
    #[error("the user pool's description asks for {0}, which has no value")]
    Number(String),
}

impl UserPool {
    /// Reads a description in JSON, and fills in the named numbers.
    pub fn read(json: &str, number: impl Fn(&str) -> Option<u64>) -> Result<Self, UserPoolError> {
        let mut description: Value = serde_json::from_str(json)?;
        fill(&mut description, &number)?;
        Ok(serde_json::from_value(description)?)
    }

    /// The input of `CreateUserPool`, without the name and the triggers.
    #[must_use]
    pub fn pool(&self) -> Map<String, Value> {
        self.pool.clone()
    }

    /// The input of `CreateUserPoolClient`, without the pool and the name.
    #[must_use]
    pub fn client(&self, client: AppClient) -> Map<String, Value> {
        let own = match client {
            AppClient::Operations => &self.clients.operations,
            AppClient::Public => &self.clients.public,
            AppClient::AgentCore => &self.clients.agentcore,
        };
        let mut described = self.every_client.clone();
        described.extend(own.clone());
        described
    }
}

/// Replaces every text `${NAME}` by the number `NAME`.
fn fill(value: &mut Value, number: &impl Fn(&str) -> Option<u64>) -> Result<(), UserPoolError> {
    match value {
        Value::String(text) => {
            let asked = text
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'));
            if let Some(name) = asked {
                let found = number(name).ok_or_else(|| UserPoolError::Number(name.to_owned()))?;
                *value = found.into();
            }
            Ok(())
        }
        Value::Array(several) => several.iter_mut().try_for_each(|one| fill(one, number)),
        Value::Object(members) => members.values_mut().try_for_each(|one| fill(one, number)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
