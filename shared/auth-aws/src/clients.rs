//! The SDK's clients, each with a retry budget of its own. The SDK's default budget belongs to the process: right in a Lambda, where
//! that is one function, but in the local run one function's bad luck would take away the others' second tries.

use crate::{ConfigurationError, Platform};

/// The name of a budget says nothing: a partition that is made, rather than looked up by name, is shared with nobody.
const PARTITION: &str = "client";

macro_rules! client {
    ($feature:literal, $name:ident, $sdk:ident, $endpoint:literal) => {
        #[cfg(feature = $feature)]
        pub(crate) fn $name(platform: &Platform) -> Result<$sdk::Client, ConfigurationError> {
            let partition = $sdk::config::retry::RetryPartition::custom(PARTITION).build();
            let config = $sdk::config::Builder::from(&platform.aws($endpoint)?);
            Ok($sdk::Client::from_conf(
                config.retry_partition(partition).build(),
            ))
        }
    };
}

client!(
    "agentcore",
    agentcore,
    aws_sdk_bedrockagentcore,
    "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"
);
client!(
    "cognito",
    cognito,
    aws_sdk_cognitoidentityprovider,
    "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
);
client!(
    "dynamodb",
    dynamodb,
    aws_sdk_dynamodb,
    "AWS_ENDPOINT_URL_DYNAMODB"
);
client!("kms", kms, aws_sdk_kms, "AWS_ENDPOINT_URL_KMS");
client!("mail", ses, aws_sdk_sesv2, "AWS_ENDPOINT_URL_SESV2");
client!(
    "secrets",
    secrets_manager,
    aws_sdk_secretsmanager,
    "AWS_ENDPOINT_URL_SECRETS_MANAGER"
);
