//! `startAuthorization`, POST /auth/oauth2/authorize: begins a three-legged authorization and says
//! where the person has to go.
//!
//! For a guest with an access token, or for a person who claims an address. Only the first is
//! believed; either way AgentCore keeps the consent under an identifier that is made for this
//! authorization alone, and who comes back is held against the sub or the address before anything
//! counts.
//!
//! API Gateway has one authorizer a route, and this route takes a token or none. So it has none,
//! and the token is checked here.
//!
//! The browser gets a cookie of its own. Only with it can the authorization complete. A caller
//! without a browser, who invokes the function, gets a start link in place of AgentCore's URL: its
//! page asks a person, and gives the cookie to that browser.
//!
//! No other site can have a browser begin one here: the body is JSON, which another origin may not
//! send (CORS), and the answer, URL and all, is read by its caller alone.
//!
//! If a call fails: nothing is left that anybody could end. The next try begins another
//! authorization.

mod start_authorization;

use auth_aws::{AccessTokens, Callers, ConfigurationError, Consents, Platform, Secrets};
use auth_domain::{
    AuthorizationId, CallbackUrl, Clock, ConversationId, Email, Problem, Randomness, Scope,
    Timestamp,
};
use auth_flows::{AuthorizationStart, NetworkStarts};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// Scopes that may be asked for at once.
const MOST_SCOPES: usize = 20;

/// The function, wired to what it uses.
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

/// The operation with its capabilities.
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

/// Where the person goes, and how to ask what has come of it.
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
