//! The question to the pre authentication trigger.

use serde_json::json;

use crate::place::Place;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::trigger::{Metadata, Occasion};
use crate::user::User;

/// The pre authentication trigger. If unknown names are hidden, it is called for those too, so that
/// its effect does not reveal which users exist.
pub(crate) async fn ask_pre_authentication(
    service: &Service,
    place: &Place,
    typed: &str,
    user: Option<&User>,
    metadata: Option<&Metadata>,
) -> Result<(), Refusal> {
    let Some(arn) = &place.pool.settings.lambda_config.pre_authentication else {
        return Ok(());
    };
    if user.is_none() && !place.client.settings.hides_unknown_users() {
        return Ok(());
    }
    let mut request = json!({
        "userAttributes": user.map(User::trigger_attributes).unwrap_or_default(),
    });
    if let Some(metadata) = metadata {
        request["validationData"] = json!(metadata);
    }
    if user.is_none() {
        request["userNotFound"] = json!(true);
    }
    let event = Occasion {
        version: "1",
        source: "PreAuthentication_Authentication",
        region: &service.options.region,
        pool: &place.pool.id,
        client: &place.client.id,
        username: user.map_or(typed, |user| &user.username),
    }
    .event(&request, &json!({}));
    service
        .functions
        .invoke("PreAuthentication", arn, &event)
        .await
        .map(|_| ())
}
