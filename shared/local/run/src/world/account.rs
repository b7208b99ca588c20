//! The AWS account that every world pretends to be.

/// The Region of everything.
pub(crate) const REGION: &str = "eu-west-1";

/// The account in every ARN.
pub(crate) const ACCOUNT_ID: &str = "000000000000";

/// The access key of every signer: functions, agents, operators.
pub(crate) const ACCESS_KEY_ID: &str = "LOCAL";

/// Their secret. It protects only this machine's own loopback.
pub(crate) const SECRET_ACCESS_KEY: &str = "local";

/// The signer's id, in the form of an IAM user's.
pub(crate) const CALLER_ID: &str = "AIDALATCHKEYLOCAL000";

/// The person's name.
pub(crate) const USER_ARN: &str = "arn:aws:iam::000000000000:user/latchkey-local";

/// The gateway of agents' tools, and its targets, as their invocations name them.
pub(crate) const GATEWAY_ID: &str = "latchkey-local-tools";
pub(crate) const GATEWAY_TARGET_ID: &str = "LATCHKEY00";

/// The HTTP API's id, which begins its domain name.
pub(crate) const API_ID: &str = "latchkey00";

/// The secret that the operations read.
pub(crate) const SECRETS_ID: &str = "latchkey-local/secrets";

/// The key that the operations seal with.
pub(crate) const SEALING_KEY: &str = "alias/latchkey-local-sealing";

/// The agent, as AgentCore knows it.
pub(crate) const WORKLOAD_IDENTITY: &str = "latchkey-local-agent";

/// The user pool, as AgentCore knows it.
pub(crate) const CREDENTIAL_PROVIDER: &str = "latchkey-local-cognito";

/// The name under which people sign in at the user pool's own page.
pub(crate) const SIGN_IN_DOMAIN: &str = "latchkey-local";

/// The sender of notices.
pub(crate) const MAIL_SENDER: &str = "Latchkey <no-reply@latchkey.example>";

/// The address for answers to mails.
pub(crate) const MAIL_REPLY_TO: &str = "help@latchkey.example";

/// The configuration set of all mails, Cognito's and notices.
pub(crate) const CONFIGURATION_SET: &str = "latchkey-local";

/// The name under which a function is deployed.
pub(crate) fn function_name(name: &str) -> String {
    format!("latchkey-local-{name}")
}

/// A function's ARN, by the name of its crate.
pub(crate) fn function_arn(name: &str) -> String {
    format!(
        "arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{}",
        function_name(name)
    )
}
