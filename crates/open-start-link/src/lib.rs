//! `openStartLink`, GET /auth/oauth2/start/{link}: gives the browser that opens an agent's link the cookie of the authorization, and
//! sends it on to consent.
//!
//! An agent has no browser, so what it begins is bound to the first browser that opens its link; one conditional write decides which.
//! The link is made of the session by a key, lives as long as the session, and grants nothing after it was opened. A browser that
//! only fetches ahead of time does not open it.
//!
//! If a call fails: the link still works. If the answer is lost after the write, the link is used up, and the agent begins another
//! authorization when it asks again and this one is over.

mod open_start_link;

use std::time::Duration;

use auth_aws::{Authorizations, ConfigurationError, Platform, Secrets};
use auth_domain::{Clock, FrontEnd, Problem, Randomness, StartLink};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Redirect};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        OpenStartLink::new(platform)?,
        platform.deployment()?,
    ))
}

/// What the operation works with.
struct OpenStartLink {
    authorizations: Authorizations,
    secrets: Secrets,
    front_end: FrontEnd,
    clock: Clock,
    randomness: Randomness,
    lifetime: Duration,
}

impl OpenStartLink {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            authorizations: Authorizations::new(platform)?,
            secrets: Secrets::new(platform)?,
            front_end: environment.required("FRONTEND_URL")?,
            clock: platform.clock(),
            randomness: platform.randomness(),
            lifetime: environment.authorization_lifetime()?,
        })
    }
}

impl Operation for OpenStartLink {
    const NAME: &'static str = "open-start-link";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 302;

    type Input = StartLink;
    type Output = Redirect;

    fn parse(&self, fields: &mut Fields) -> Result<StartLink, Problem> {
        let link: Option<StartLink> = fields.required("link");
        fields.finish().map_err(|_| Problem::InvalidSession)?;
        link.ok_or(Problem::InvalidSession)
    }

    async fn run(&self, link: StartLink, exchange: &Exchange) -> Result<Redirect, Problem> {
        self.open(&link, exchange).await
    }
}
