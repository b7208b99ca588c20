//! `authorizationCallback`, GET /auth/callback: AgentCore sends the browser here after the person
//! has consented or declined.
//!
//! Only the browser that began an authorization ends it, and only on its return from consenting.
//! Its cookie and the state are compared with the record before any call to AgentCore. So sending
//! an authorization URL to another person gains nothing. If the state arrives in another browser,
//! that person's consent does not count: the authorization fails. Otherwise one conditional write
//! decides which of several callbacks ends it. AgentCore completes it under the identifier that
//! began it, and the person's token is checked. If the authorization is for a known person, the
//! token must be that person's. The person must have signed in since this browser was sent to sign
//! in. So a live hosted session does not suffice, even if the pool ignores `prompt=login`. A second
//! use changes nothing.
//!
//! Only the log and the browser that began the authorization learn why it failed. All others get
//! one answer, whatever the state of the authorization. A redirect that cannot prove its origin
//! (`state`) never fails an authorization either.
//!
//! It reads `session_id`, the state and `error`, and no other part of the query: no code, no
//! address to go to. Addresses come from configuration.
//!
//! If a call fails: the claim is released, and the same redirect can be retried from the same
//! state. If AgentCore's answer to the completion is lost, the next try finds the person's token
//! there and continues. A claim whose function died is taken over after half a minute.

mod authorization_callback;

use auth_aws::{AccessTokens, Authorizations, ConfigurationError, Consents, Platform, Secrets};
use auth_domain::{AuthorizationId, Clock, FrontEnd, Language, Problem, Randomness};
use auth_flows::{AuthorizationCompletion, AuthorizationEnd, show_refused_consent};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Redirect};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = AuthorizationCallback {
        authorizations: Authorizations::new(platform)?,
        completion: AuthorizationCompletion::new(
            platform,
            &Consents::new(platform)?,
            &AccessTokens::new(platform)?,
        )?,
        end: AuthorizationEnd::new(platform)?,
        secrets: Secrets::new(platform)?,
        front_end: environment.required("FRONTEND_URL")?,
        clock: platform.clock(),
        randomness: platform.randomness(),
        state_parameter: environment.state_parameter()?,
        language: environment.required("MAIL_LANGUAGE")?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct AuthorizationCallback {
    authorizations: Authorizations,
    completion: AuthorizationCompletion,
    end: AuthorizationEnd,
    secrets: Secrets,
    front_end: FrontEnd,
    clock: Clock,
    randomness: Randomness,
    state_parameter: String,
    /// For browsers that prefer no language of the page's.
    language: Language,
}

/// The query of the redirect.
struct Input {
    session_id: Option<AuthorizationId>,
    state: Option<String>,
    /// Whether it carries an error. The provider chooses its words.
    is_error: bool,
}

impl Input {
    /// Whether it reports that there is no consent: by an error, or by naming no session.
    fn is_denial(&self) -> bool {
        self.is_error || self.session_id.is_none()
    }
}

impl Operation for AuthorizationCallback {
    const NAME: &'static str = "authorization-callback";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 302;

    type Input = Input;
    type Output = Redirect;

    fn show_refusal(&self, problem: &Problem, exchange: &Exchange) {
        show_refused_consent(problem, self.language, exchange);
    }

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_id = fields.optional("session_id");
        let state: Option<String> = fields.optional(&self.state_parameter);
        let is_error = fields.has("error");
        fields.finish().map_err(|_| Problem::InvalidSession)?;
        if session_id.is_none() && state.is_none() && !is_error {
            return Err(Problem::InvalidSession);
        }
        Ok(Input {
            session_id,
            state,
            is_error,
        })
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Redirect, Problem> {
        self.come_back(&input, exchange).await
    }
}
