//! The end of a sign-in: tokens.

use serde_json::{Value, json};

use crate::place::Place;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::tokens::{self, Grant, Reason};
use crate::trigger::Metadata;
use crate::user::User;

/// The end of a sign-in.
pub(super) async fn complete(
    service: &Service,
    place: &Place,
    user: &User,
    reason: Reason,
    metadata: Option<&Metadata>,
) -> Result<Value, Refusal> {
    let result = tokens::sign_in(
        service,
        &place.pool,
        &place.client,
        user,
        reason,
        metadata,
        Grant::of_the_api(service),
    )
    .await?;
    Ok(json!({"AuthenticationResult": result, "ChallengeParameters": {}}))
}
