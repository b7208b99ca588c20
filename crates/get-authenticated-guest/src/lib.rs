//! `getAuthenticatedGuest`, POST /agent/authenticated-guest: returns the guest of a completed
//! authorization, or the link for the guest.
//!
//! An agent asks by session or by conversation. A session together with a conversation other than
//! its own is ignored. If a consent exists, AgentCore returns the person's token, and the token
//! identifies the person: the guest is found by it, or bound, or made, as by a sign-in. Without a
//! valid consent, another authorization begins for the person of the last one, and the answer is
//! `AUTH_REQUIRED` with a start link. A pending authorization is reused for every further request,
//! unless another browser than the allowed one opened its link and was refused. A token of a
//! sign-in from before the authorization is ignored.
//!
//! An agent's code that received a guest's access token may send it instead, over HTTP and by
//! direct invocation. The token is checked as API Gateway and the JWT operations do. The tool has
//! no such argument, because no model may see a token.
//!
//! A person other than the intended one is `USER_MISMATCH`. So is a person who registered the
//! address with a password and has not confirmed it: a stranger may have set the password. A
//! sign-out everywhere ends a consent too.
//!
//! If a call fails: an authorization that began without a record cannot end; the next try finds a
//! guest that was made.

mod get_authenticated_guest;

use auth_aws::{
    AccessTokens, Authorizations, Callers, ConfigurationError, Consents, Guests, Platform, Secrets,
    Users,
};
use auth_domain::{
    AuthorizationId, CallbackUrl, Clock, ConversationId, Guest, GuestName, Problem, Randomness,
    UserToken,
};
use auth_flows::{AgentStarts, Arrivals, AuthorizationEnd, AuthorizationStart, ConsentCheck};
use auth_lambda::{Access, AgentTool, Exchange, Fields, Function, Operation};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let consents = Consents::new(platform)?;
    let access_tokens = AccessTokens::new(platform)?;
    let operation = GetAuthenticatedGuest {
        starts: AgentStarts::new(platform)?,
        start: AuthorizationStart::new(platform, &consents)?,
        end: AuthorizationEnd::new(platform)?,
        consent: ConsentCheck::new(platform, &consents, &access_tokens)?,
        access_tokens,
        callers: Callers::new(platform)?,
        authorizations: Authorizations::new(platform)?,
        guests: Guests::new(platform)?,
        arrivals: Arrivals::new(platform)?,
        users: Users::new(platform)?,
        secrets: Secrets::new(platform)?,
        callback_url: platform.environment().required("OAUTH2_CALLBACK_URL")?,
        clock: platform.clock(),
        randomness: platform.randomness(),
    };
    Ok(Function::agent_tool(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct GetAuthenticatedGuest {
    starts: AgentStarts,
    start: AuthorizationStart,
    end: AuthorizationEnd,
    access_tokens: AccessTokens,
    callers: Callers,
    authorizations: Authorizations,
    consent: ConsentCheck,
    guests: Guests,
    arrivals: Arrivals,
    users: Users,
    secrets: Secrets,
    callback_url: CallbackUrl,
    clock: Clock,
    randomness: Randomness,
}

/// The agent's reference to a consent.
enum Input {
    Token(UserToken),
    Consent(Asked),
}

/// The person whose consent is needed.
struct Asked {
    session: Option<AuthorizationId>,
    conversation: Option<ConversationId>,
}

/// The guest.
#[derive(Serialize)]
struct Authenticated {
    user: Guest,
}

impl Operation for GetAuthenticatedGuest {
    const NAME: &'static str = "get-authenticated-guest";
    const ACCESS: Access = Access::Agent;

    type Input = Input;
    type Output = Authenticated;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let token = fields.optional("authToken").map(Input::Token);
        let asked = Asked {
            session: fields.optional("sessionId"),
            conversation: fields.optional("conversationId"),
        };
        fields.at_most_one_of(&["sessionId", "authToken"]);
        fields.at_most_one_of(&["conversationId", "authToken"]);
        fields.finish()?;
        Ok(token.unwrap_or(Input::Consent(asked)))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Authenticated, Problem> {
        match input {
            Input::Token(token) => self.holder_of(&token).await,
            Input::Consent(asked) => self.find(asked, exchange).await,
        }
    }
}

impl AgentTool for GetAuthenticatedGuest {
    const TOOL: &'static str = "get_authenticated_guest";
    const ARGUMENTS: &'static [(&'static str, &'static str)] = &[
        ("session_id", "sessionId"),
        ("conversation_id", "conversationId"),
    ];

    fn result(Authenticated { user }: Authenticated) -> Map<String, Value> {
        let result = json!({
            "guest_id": user.guest_id,
            "email": user.email.as_str(),
            "name": user.name.as_ref().map(GuestName::as_str),
            "email_verified": user.email_verified,
            "cognito_sub": user.cognito_sub.as_str(),
            "created_at": user.created_at,
            "updated_at": user.updated_at,
        });
        result.as_object().cloned().unwrap_or_default()
    }
}
