//! `openStartLink`, GET /auth/oauth2/start/{link}: shows the page that asks a person whether an
//! agent may act for them.
//!
//! An agent has no browser, and passes on a link. Opening the link binds nothing, in any browser
//! and any number of times: chats preview links, browsers fetch ahead, and another site can send a
//! browser here. Only the page's button binds (`confirmStartLink`). So the page gives this browser
//! a nonce, in a cookie that no other site's request carries, and a matching form.
//!
//! The page names the agent, the time, and the country of this request if CloudFront sends it. It
//! contains no text that a conversation chose: no address, no scope, no conversation's id. It is in
//! the browser's language, or else in that of the deployment's mails.
//!
//! A key derives the link from the session, and the link lives as long as the session. After the
//! authorization has ended, a browser sees its outcome.
//!
//! A browser shows a refusal as a page, too: nobody else can tell a person to ask for a new link.
//! Programs get problem details.
//!
//! If a call fails: nothing has changed, and the link still works.

mod open_start_link;

use std::time::Duration;

use auth_aws::{Authorizations, ConfigurationError, Platform, Secrets};
use auth_domain::{AgentName, Clock, FrontEnd, Language, Problem, Randomness, StartLink};
use auth_flows::show_refused_consent;
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Origin, Page, Redirect};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = OpenStartLink {
        authorizations: Authorizations::new(platform)?,
        secrets: Secrets::new(platform)?,
        agent: environment.required("AGENT_NAME")?,
        front_end: environment.required("FRONTEND_URL")?,
        front_end_origin: environment.required("FRONTEND_URL")?,
        hosted_page: environment.required("COGNITO_HOSTED_URL")?,
        clock: platform.clock(),
        randomness: platform.randomness(),
        lifetime: environment.authorization_lifetime()?,
        consent_lifetime: environment.consent_lifetime()?,
        language: environment.required("MAIL_LANGUAGE")?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct OpenStartLink {
    authorizations: Authorizations,
    secrets: Secrets,
    agent: AgentName,
    front_end: FrontEnd,
    front_end_origin: Origin,
    hosted_page: Origin,
    clock: Clock,
    randomness: Randomness,
    lifetime: Duration,
    consent_lifetime: Duration,
    /// For browsers that prefer no language of the page's.
    language: Language,
}

/// The answer to a browser that opens a link.
#[derive(Serialize)]
#[serde(untagged)]
enum Opened {
    /// The page that asks.
    Asked(Page),
    /// The authorization has ended, and the front end learns its outcome.
    SentOn(Redirect),
}

impl Operation for OpenStartLink {
    const NAME: &'static str = "open-start-link";
    const ACCESS: Access = Access::Public;

    type Input = StartLink;
    type Output = Opened;

    fn status(opened: &Opened) -> u16 {
        match opened {
            Opened::Asked(_) => Self::STATUS,
            Opened::SentOn(_) => 302,
        }
    }

    fn show_refusal(&self, problem: &Problem, exchange: &Exchange) {
        show_refused_consent(problem, self.language, exchange);
    }

    fn parse(&self, fields: &mut Fields) -> Result<StartLink, Problem> {
        let link: Option<StartLink> = fields.required("link");
        fields.finish().map_err(|_| Problem::InvalidSession)?;
        link.ok_or(Problem::InvalidSession)
    }

    async fn run(&self, link: StartLink, exchange: &Exchange) -> Result<Opened, Problem> {
        self.open(&link, exchange).await
    }
}
