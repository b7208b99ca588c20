//! Passwords that were set before their address was proved, in users of an older pool. A stranger
//! may have chosen them.
//!
//! Cognito marks the address as verified as soon as a code is right, and only then the password is
//! removed. The mark here is written at the start of the sign-in, so it outlives a failure in
//! between: until the guest is made, the password counts for nobody. A guest's password is never
//! one of these, so the mark means nothing afterwards.

use std::time::Duration;

use auth_domain::{Email, Problem, Timestamp};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    challenges::Challenges,
    failure::failure,
    items::{number, text},
};

/// How long a mark is kept: longer than people stay away.
const KEPT: Duration = Duration::from_hours(24 * 400);

/// The marks, in the challenges table.
#[derive(Clone)]
pub struct EarlierPasswords {
    challenges: Challenges,
}

impl EarlierPasswords {
    /// The marks in the table that `CHALLENGES_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
        })
    }

    /// Marks an address whose user has a password of before the proof. The same again is no error.
    pub async fn mark(&self, email: &Email, now: Timestamp) -> Result<(), Problem> {
        let expires_at = now.after(KEPT).as_seconds();
        self.challenges
            .update(key(email))
            .update_expression("SET #ttl = :ttl")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number(expires_at))
            .send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("mark the password of before the proof"))
            .map_err(Problem::from)
    }

    /// Whether an address is marked.
    pub async fn is_marked(&self, email: &Email) -> Result<bool, Problem> {
        let answer = self
            .challenges
            .get(key(email))
            .send()
            .boxed()
            .await
            .map_err(failure("look for a password of before the proof"))?;
        Ok(answer.item.is_some())
    }
}

fn key(email: &Email) -> AttributeValue {
    text(format!("earlier-password#{}", email.as_str()))
}
