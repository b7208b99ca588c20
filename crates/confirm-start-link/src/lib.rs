//! `confirmStartLink`, POST /auth/oauth2/start/{link}: a person presses *Allow* or *Cancel* on a
//! start link's page.
//!
//! *Allow* binds the authorization to this browser, and sends the browser on to sign in. Only
//! *Allow* binds one, and one conditional write decides which browser it is. *Cancel* ends the
//! authorization. A second press of a button has the same effect.
//!
//! The request must come from our own page (`Sec-Fetch-Site`, or our `Origin`). It must bring the
//! nonce that the page gave to this browser, in a `SameSite=Strict` cookie, together with the
//! matching form. So another site cannot press the button, and cannot make a browser press one of
//! another browser's page.
//!
//! If a call fails: the page still works. If the answer is lost after the write, the same browser
//! presses the button again.

mod confirm_start_link;

use std::{str::FromStr, time::Duration};

use auth_aws::{Authorizations, ConfigurationError, Platform, Secrets};
use auth_domain::{Clock, FrontEnd, Language, Problem, Randomness, StartLink};
use auth_flows::show_refused_consent;
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Origin, Redirect};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = ConfirmStartLink {
        authorizations: Authorizations::new(platform)?,
        secrets: Secrets::new(platform)?,
        front_end: environment.required("FRONTEND_URL")?,
        page: environment.required("OAUTH2_CALLBACK_URL")?,
        clock: platform.clock(),
        randomness: platform.randomness(),
        lifetime: environment.authorization_lifetime()?,
        language: environment.required("MAIL_LANGUAGE")?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct ConfirmStartLink {
    authorizations: Authorizations,
    secrets: Secrets,
    front_end: FrontEnd,
    /// The origin of our own page.
    page: Origin,
    clock: Clock,
    randomness: Randomness,
    lifetime: Duration,
    /// For browsers that prefer no language of the page's.
    language: Language,
}

/// A submitted form.
struct Input {
    link: StartLink,
    /// Proves which page contained the form.
    page: String,
    decision: Decision,
}

/// The pressed button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Allow,
    Cancel,
}

/// The text names no button.
#[derive(Debug, thiserror::Error)]
#[error("must be allow or cancel")]
struct NoButton;

impl FromStr for Decision {
    type Err = NoButton;

    fn from_str(text: &str) -> Result<Self, NoButton> {
        match text {
            "allow" => Ok(Self::Allow),
            "cancel" => Ok(Self::Cancel),
            _ => Err(NoButton),
        }
    }
}

impl Operation for ConfirmStartLink {
    const NAME: &'static str = "confirm-start-link";
    const ACCESS: Access = Access::Public;
    /// A browser follows it with a GET (RFC 9110 §15.4.4).
    const STATUS: u16 = 303;
    const TAKES_FORM: bool = true;

    type Input = Input;
    type Output = Redirect;

    fn show_refusal(&self, problem: &Problem, exchange: &Exchange) {
        show_refused_consent(problem, self.language, exchange);
    }

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (link, page, decision) = (
            fields.required("link"),
            fields.required("page"),
            fields.required("decision"),
        );
        fields.finish().map_err(|_| Problem::InvalidSession)?;
        match (link, page, decision) {
            (Some(link), Some(page), Some(decision)) => Ok(Input {
                link,
                page,
                decision,
            }),
            (Some(_) | None, Some(_) | None, Some(_) | None) => Err(Problem::InvalidSession),
        }
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Redirect, Problem> {
        self.confirm(&input, exchange).await
    }
}
