//! The functions' environment: all addresses and settings.

use std::collections::BTreeMap;

use auth_api::Contract;
use url::Url;

use super::Ready;
use super::account::{
    ACCESS_KEY_ID, CONFIGURATION_SET, CREDENTIAL_PROVIDER, MAIL_REPLY_TO, MAIL_SENDER, SEALING_KEY,
    SECRET_ACCESS_KEY, SECRETS_ID, WORKLOAD_IDENTITY,
};
use super::directory::Directory;
use super::settings::Settings;
use crate::gateway::Origins;

/// Every value that a function may be given, by the name that the contract gives it.
pub(crate) fn values(
    ready: &Ready,
    directory: &Directory,
    issuer: &str,
    oauth2_callback_url: &str,
    hosted_url: &str,
    front_ends: &[String],
    settings: &Settings,
) -> BTreeMap<String, String> {
    let made = [
        ("ENVIRONMENT", "local"),
        ("COGNITO_USER_POOL_ID", ready.user_pool_id.as_str()),
        ("COGNITO_ISSUER", issuer),
        ("COGNITO_CLIENT_ID", &directory.operations_client_id),
        ("API_CLIENT_IDS", &directory.api_client_ids.join(",")),
        ("SECRETS_ID", SECRETS_ID),
        ("MAIL_SENDER", MAIL_SENDER),
        ("MAIL_REPLY_TO", MAIL_REPLY_TO),
        ("MAIL_CONFIGURATION_SET", CONFIGURATION_SET),
        ("KMS_KEY_ID", SEALING_KEY),
        ("FRONTEND_URL", ready.page.trim_end_matches('/')),
        ("OAUTH2_CALLBACK_URL", oauth2_callback_url),
        ("COGNITO_HOSTED_URL", hosted_url),
        ("AGENTCORE_WORKLOAD_NAME", WORKLOAD_IDENTITY),
        ("AGENTCORE_IDENTITY_PROVIDER_NAME", CREDENTIAL_PROVIDER),
    ];
    let tables = Contract::embedded().tables();
    let tables = tables.map(|(resource, table)| {
        let name = &ready.tables[resource.name.as_str()];
        (table.setting.as_str(), name)
    });
    let made = made.into_iter().chain(tables);
    let made = made.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let defaults = Contract::embedded()
        .settings()
        .iter()
        .filter_map(|setting| Some((setting.name.clone(), setting.default.clone()?)));
    let configured = Contract::embedded()
        .settings()
        .iter()
        .filter_map(|setting| {
            Some((
                setting.name.clone(),
                settings.get(&setting.name)?.to_owned(),
            ))
        });
    let front_end = front_ends
        .first()
        .map(|first| ("FRONTEND_URL".to_owned(), first.clone()));
    defaults
        .chain(made)
        .chain(configured)
        .chain(front_end)
        .collect()
}

/// The variables that Lambda sets, and those with which a developer points the SDK at stand-ins.
pub(crate) fn aws(ready: &Ready) -> BTreeMap<String, String> {
    [
        ("AWS_REGION", ready.region.as_str()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
        ("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", &ready.agentcore),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &ready.cognito),
        ("AWS_ENDPOINT_URL_DYNAMODB", &ready.dynamodb),
        ("AWS_ENDPOINT_URL_KMS", &ready.kms),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &ready.secretsmanager),
        ("AWS_ENDPOINT_URL_SESV2", &ready.ses),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The origins that may call the API from a browser: the front ends', and the page's own under both
/// names of this machine. If no front end is named, every page of this machine may.
pub(crate) fn origins(
    ready: &Ready,
    front_ends: &[String],
    values: &BTreeMap<String, String>,
) -> Origins {
    let configured = values
        .get("FRONTEND_URL")
        .and_then(|front_end| Url::parse(front_end).ok())
        .map(|front_end| front_end.origin().ascii_serialization());
    let page = ready.page.trim_end_matches('/').to_owned();
    let listed = configured
        .into_iter()
        .chain(front_ends.iter().cloned())
        .chain([ready.gateway.clone(), page]);
    Origins {
        listed: listed.collect(),
        any_loopback: front_ends.is_empty(),
    }
}
