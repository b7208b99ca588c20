//! The trigger that Cognito calls before it issues tokens, version 2 of the event.
//!
//! Cognito puts the scope `aws.cognito.signin.user.admin` into every access token of its API, and whoever holds one can change
//! factors, attributes and password at Cognito's own endpoint. Here it is taken out, and `latchkey/session` put in, which the API's
//! routes require. The token also gets its issue time to the millisecond. It says nothing of the address.
//!
//! It calls nothing. If it fails, Cognito issues no token.

use auth_domain::{Clock, claims};
use auth_lambda::{Function, Trigger};
use serde_json::{Map, Value, json};

/// The function.
#[must_use]
pub fn function(clock: Clock) -> Function {
    Function::trigger(PreTokenGeneration { clock })
}

struct PreTokenGeneration {
    clock: Clock,
}

impl Trigger for PreTokenGeneration {
    const NAME: &'static str = "pre-token-generation";

    async fn respond(
        &self,
        mut event: Map<String, Value>,
    ) -> Result<Map<String, Value>, &'static str> {
        let version_2 = event.get("version").and_then(Value::as_str) == Some("2");
        let request = event
            .get("request")
            .and_then(Value::as_object)
            .filter(|_| version_2)
            .ok_or("not a version 2 event")?;
        let mut added = Map::new();
        added.insert(
            claims::ISSUED_AT_MILLIS.to_owned(),
            self.clock.now().as_millis().to_string().into(),
        );
        // An empty override takes a user's groups away: what came in goes back.
        let groups = request
            .get("groupConfiguration")
            .cloned()
            .unwrap_or_else(|| json!({}));
        let details = json!({
            "accessTokenGeneration": {
                "claimsToAddOrOverride": added,
                "claimsToSuppress": [],
                "scopesToAdd": [claims::SESSION_SCOPE],
                "scopesToSuppress": [claims::COGNITO_ADMIN_SCOPE],
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
