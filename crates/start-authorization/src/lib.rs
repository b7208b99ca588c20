//! `startAuthorization`, POST /auth/oauth2/authorize: begins a three-legged authorization and
//! returns the URL for the person.
//!
//! It is for a guest with an access token, or for a person who claims an address. Only the token is
//! trusted. In both cases AgentCore keeps the consent under an identifier for this authorization
//! alone, and the returning person is compared with the sub or the address before the consent
//! counts.
//!
//! API Gateway has one authorizer a route, and on this route a token is optional. So the route has
//! none, and the token is checked here.
//!
//! The browser gets a cookie of its own. Only with it can the authorization complete. A caller
//! without a browser, who invokes the function, gets a start link in place of AgentCore's URL: its
//! page asks a person, and gives the cookie to that browser.
//!
//! Another site cannot make a browser begin one here: the body is JSON, which another origin may
//! not send (CORS), and only the caller can read the answer with the URL.
//!
//! If a call fails: no usable authorization remains. The next try begins another.

mod start_authorization;

use auth_aws::{AccessTokens, Callers, ConfigurationError, Consents, Platform, Secrets};
use auth_domain::{
    AuthorizationId, CallbackUrl, Clock, ConversationId, Email, Problem, Randomness, Scope,
    Timestamp,
};
use auth_flows::{AuthorizationStart, NetworkStarts};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The maximum of scopes in one request.
const MOST_SCOPES: usize = 20;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let per_ip = environment.limit(
        "authorization-start-ip",
        "AUTHORIZATION_STARTS_PER_IP",
        "AUTHORIZATION_START_WINDOW_SECONDS",
    )?;
    let operation = StartAuthorization {
        start: AuthorizationStart::new(platform, &Consents::new(platform)?)?,
        starts: NetworkStarts::new(platform, per_ip)?,
        access_tokens: AccessTokens::new(platform)?,
        callers: Callers::new(platform)?,
        secrets: Secrets::new(platform)?,
        callback_url: environment.required("OAUTH2_CALLBACK_URL")?,
        clock: platform.clock(),
        randomness: platform.randomness(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct StartAuthorization {
    start: AuthorizationStart,
    access_tokens: AccessTokens,
    callers: Callers,
    starts: NetworkStarts,
    secrets: Secrets,
    callback_url: CallbackUrl,
    clock: Clock,
    randomness: Randomness,
}

/// The purpose of the authorization.
struct Input {
    conversation_id: ConversationId,
    email: Option<Email>,
    scopes: Vec<Scope>,
}

/// The URL for the person, and the handle for asking about the outcome.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    session_id: AuthorizationId,
    authorization_url: String,
    expires_at: Timestamp,
}

impl Operation for StartAuthorization {
    const NAME: &'static str = "start-authorization";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = Started;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (conversation_id, email) =
            (fields.required("conversationId"), fields.optional("email"));
        let scopes = fields.list("scopes", MOST_SCOPES);
        let scopes = scopes.filter(|scopes| !scopes.is_empty());
        let input = conversation_id.map(|conversation_id| Input {
            conversation_id,
            email,
            scopes: scopes.unwrap_or_else(Scope::of_identity),
        });
        fields.finish_with(input)
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Started, Problem> {
        self.begin(input, exchange).await
    }
}
