//! The trigger that Cognito calls before it issues tokens, version 2 of the event.
//!
//! Cognito puts the scope `aws.cognito.signin.user.admin` into every access token of its API. Its
//! holder could change factors, attributes and password at Cognito's own endpoint. The trigger
//! removes it, and adds `latchkey/session`, which the API's routes require. The tokens of a sign-in
//! also get their issue time to the millisecond, and refreshed ones do not. No token contains the
//! address.
//!
//! The operations sign people in with a confidential client, by Latchkey's rules. Other clients
//! sign people in at Cognito's own endpoint and pages, without those rules: see the file of the
//! function's name.
//!
//! Tokens for changing a user's passkeys keep Cognito's scope, and do not get ours. They come from
//! a fresh proof at the operations' own client, and never leave.
//!
//! For the operations' own client it makes no calls. If the function or one of its calls fails,
//! Cognito issues no token. A guest who was made before the failure stays, and the next sign-in
//! finds the guest.

mod pre_token_generation;

use auth_aws::{ConfigurationError, Guests, Platform};
use auth_domain::{AppClients, Clock, Email, Locale, SecondFactorPolicy, UserSub, claims};
use auth_flows::Arrivals;
use auth_lambda::{Function, MetricLog, Trigger};
use serde_json::{Map, Value, json};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    Ok(Function::trigger(PreTokenGeneration {
        guests: Guests::new(platform)?,
        arrivals: Arrivals::new(platform)?,
        own_client: environment.text("COGNITO_CLIENT_ID")?.to_owned(),
        api_clients: environment.required("API_CLIENT_IDS")?,
        second_factor: environment.second_factor_policy()?,
        metrics: MetricLog::new(
            PreTokenGeneration::NAME,
            environment.text("ENVIRONMENT")?,
            platform.clock(),
        ),
        clock: platform.clock(),
    }))
}

/// The trigger's dependencies.
struct PreTokenGeneration {
    guests: Guests,
    arrivals: Arrivals,
    /// The confidential client.
    own_client: String,
    /// The clients whose tokens open the JWT routes.
    api_clients: AppClients,
    /// Whether one factor suffices: other clients ask for one only.
    second_factor: SecondFactorPolicy,
    metrics: MetricLog,
    clock: Clock,
}

/// The user who is about to get tokens from a client other than the operations'.
struct Arriving {
    client: String,
    sub: UserSub,
    email: Option<Email>,
    email_verified: bool,
    locale: Option<Locale>,
    /// Whether the tokens continue a session, rather than begin one.
    is_refresh: bool,
}

impl Trigger for PreTokenGeneration {
    const NAME: &'static str = "pre-token-generation";

    async fn respond(
        &self,
        mut event: Map<String, Value>,
    ) -> Result<Map<String, Value>, &'static str> {
        const MALFORMED: &str = "not a version 2 event";
        if text(&event, &["version"]) != Some("2") {
            return Err(MALFORMED);
        }
        let client = text(&event, &["callerContext", "clientId"])
            .ok_or(MALFORMED)?
            .to_owned();
        let client = client.as_str();
        if client != self.own_client {
            let arriving = Arriving::read(client, &event).ok_or(MALFORMED)?;
            self.admit(&arriving).await?;
        }
        let mut added = Map::new();
        if !is_refresh(&event) {
            added.insert(
                claims::ISSUED_AT_MILLIS.to_owned(),
                self.clock.now().as_millis().to_string().into(),
            );
        }
        // An empty override removes a user's groups, so the answer repeats them.
        let groups = event
            .get("request")
            .and_then(|request| request.get("groupConfiguration"))
            .cloned()
            .unwrap_or_else(|| json!({}));
        let (scopes_to_add, scopes_to_suppress) = if self.is_for_passkeys(client, &event) {
            (json!([]), json!([]))
        } else {
            (
                json!([claims::SESSION_SCOPE]),
                json!([claims::COGNITO_ADMIN_SCOPE]),
            )
        };
        let details = json!({
            "accessTokenGeneration": {
                "claimsToAddOrOverride": added,
                "claimsToSuppress": [],
                "scopesToAdd": scopes_to_add,
                "scopesToSuppress": scopes_to_suppress,
            },
            "idTokenGeneration": { "claimsToAddOrOverride": {}, "claimsToSuppress": [] },
            "groupOverrideDetails": groups,
        });
        event.insert(
            "response".to_owned(),
            json!({ "claimsAndScopeOverrideDetails": details }),
        );
        Ok(event)
    }
}

impl PreTokenGeneration {
    /// Whether the tokens come from a fresh proof for changing a passkey: of the operations' own
    /// client, at the end of a sign-in, with the constant purpose. Any client may send the purpose,
    /// and a refresh may too.
    fn is_for_passkeys(&self, client: &str, event: &Map<String, Value>) -> bool {
        client == self.own_client
            && text(event, &["triggerSource"]) == Some("TokenGeneration_Authentication")
            && text(event, &["request", "clientMetadata", claims::PURPOSE])
                == Some(claims::PASSKEYS)
    }
}

impl Arriving {
    /// `None` if the event names no user.
    fn read(client: &str, event: &Map<String, Value>) -> Option<Self> {
        let attribute = |name| text(event, &["request", "userAttributes", name]);
        Some(Self {
            client: client.to_owned(),
            sub: UserSub::parse(attribute("sub")?).ok()?,
            email: attribute("email").and_then(|email| Email::parse(email).ok()),
            email_verified: attribute("email_verified") == Some("true"),
            locale: attribute("locale").and_then(Locale::parse),
            is_refresh: is_refresh(event),
        })
    }
}

/// Whether the tokens continue a session, rather than begin one.
fn is_refresh(event: &Map<String, Value>) -> bool {
    text(event, &["triggerSource"]) == Some("TokenGeneration_RefreshTokens")
}

fn text<'event>(event: &'event Map<String, Value>, path: &[&str]) -> Option<&'event str> {
    let (first, rest) = path.split_first()?;
    let mut value = event.get(*first)?;
    for name in rest {
        value = value.get(*name)?;
    }
    value.as_str()
}
