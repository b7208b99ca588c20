//! Passkeys at Cognito, which keeps their keys and verifies them: registered and deleted with the
//! tokens of a fresh proof, requested and proved at a sign-in.

use auth_domain::{
    Assertion, Attestation, CognitoSession, CredentialId, Email, Problem, Report, RequestContext,
    SelfServiceTokens,
};
use aws_sdk_cognitoidentityprovider::types::ChallengeNameType;
use aws_smithy_types::{Document, Number};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    ConfigurationError, Platform, Secrets,
    boxed::Boxed as _,
    failure::{Failure, Undecided, failure},
    user_pool::{CognitoSignIn, TokenPurpose, UserPool},
};

/// The errors by which Cognito refuses this user a sign-in by passkey.
const NOT_THIS_WAY: [&str; 6] = [
    "InvalidParameterException",
    "NotAuthorizedException",
    "PasswordResetRequiredException",
    "UserNotConfirmedException",
    "UserNotFoundException",
    "WebAuthnConfigurationMissingException",
];

/// The refusals of a new passkey that the browser or its page causes.
const NOT_THIS_PASSKEY: [&str; 5] = [
    "InvalidParameterException",
    "WebAuthnChallengeNotFoundException",
    "WebAuthnCredentialNotSupportedException",
    "WebAuthnOriginNotAllowedException",
    "WebAuthnRelyingPartyMismatchException",
];

/// Cognito's passkey operations.
#[derive(Clone)]
pub struct Passkeys {
    pool: UserPool,
    secrets: Secrets,
}

/// The outcome of a new passkey's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Cognito keeps it.
    Kept,
    /// It is of another origin or kind, answers no live challenge, or is registered already.
    Refused,
    /// The user has Cognito's maximum.
    TooMany,
}

/// A passkey's challenge at Cognito.
#[derive(Debug)]
pub struct PasskeyChallenge {
    /// Cognito's session for the answer.
    pub session: CognitoSession,
    /// The challenge for the device to sign, in base64url.
    pub challenge: String,
}

/// The outcome of an assertion.
#[derive(Debug)]
pub enum PasskeyProof {
    /// The assertion was right.
    Right(CognitoSignIn),
    /// The assertion is wrong, or its challenge has expired.
    Wrong,
}

impl Passkeys {
    /// Passkeys of the pool and client that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            pool: UserPool::new(platform)?,
            secrets: Secrets::new(platform)?,
        })
    }

    /// The same for a person's request from that origin.
    #[must_use]
    pub fn for_request(&self, context: Option<RequestContext>) -> Self {
        Self {
            pool: self.pool.for_request(context),
            ..self.clone()
        }
    }

    /// Begins a registration. Returns Cognito's options for the browser, or `None` if the user has
    /// as many passkeys as Cognito allows.
    pub async fn begin(&self, tokens: &SelfServiceTokens) -> Result<Option<Value>, Problem> {
        let begun = self
            .pool
            .client
            .start_web_authn_registration()
            .access_token(tokens.access_token.as_str())
            .send()
            .boxed()
            .await;
        match begun.map_err(failure("begin a passkey's registration")) {
            Ok(begun) => Ok(Some(to_json(begun.credential_creation_options()))),
            Err(failure) if is_full(&failure) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Completes a registration. Any answer uses its challenge up.
    pub async fn complete(
        &self,
        tokens: &SelfServiceTokens,
        attestation: &Attestation,
    ) -> Result<Registered, Problem> {
        let completed = self
            .pool
            .client
            .complete_web_authn_registration()
            .access_token(tokens.access_token.as_str())
            .credential(to_document(&attestation.to_json()))
            .send()
            .boxed()
            .await;
        match completed.map_err(failure("complete a passkey's registration")) {
            Ok(_) => Ok(Registered::Kept),
            Err(failure) if is_full(&failure) => Ok(Registered::TooMany),
            Err(failure) => match failure.code() {
                Some(code) if NOT_THIS_PASSKEY.contains(&code) => {
                    tracing::info!(code, "Cognito does not take this passkey");
                    Ok(Registered::Refused)
                }
                Some(_) | None => Err(failure.into()),
            },
        }
    }

    /// Deletes a passkey. A missing one counts as deleted.
    pub async fn delete(
        &self,
        tokens: &SelfServiceTokens,
        credential_id: &CredentialId,
    ) -> Result<(), Problem> {
        let deleted = self
            .pool
            .client
            .delete_web_authn_credential()
            .access_token(tokens.access_token.as_str())
            .credential_id(credential_id.as_str())
            .send()
            .boxed()
            .await;
        match deleted.map_err(failure("delete a passkey")) {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == Some("ResourceNotFoundException") => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Asks Cognito for a challenge. `None` if it has none for this user.
    pub async fn challenge(&self, email: &Email) -> Result<Option<PasskeyChallenge>, Problem> {
        let asked = self
            .secrets
            .confidentially("ask Cognito for a passkey's challenge", |secrets| {
                self.pool
                    .sign_in(email.as_str(), "WEB_AUTHN", secrets)
                    .send()
            })
            .await?;
        let answer = match asked {
            Ok(answer) => answer,
            Err(failure) => {
                return match failure.code() {
                    Some(code) if NOT_THIS_WAY.contains(&code) => {
                        tracing::info!(code, "Cognito asks this user for no passkey");
                        Ok(None)
                    }
                    Some(_) | None => Err(failure.into()),
                };
            }
        };
        let options = answer
            .challenge_parameters()
            .and_then(|parameters| parameters.get("CREDENTIAL_REQUEST_OPTIONS"));
        let (Some(ChallengeNameType::WebAuthn), Some(options), Some(session)) =
            (answer.challenge_name(), options, answer.session())
        else {
            tracing::info!("Cognito asks this user for another factor than a passkey");
            return Ok(None);
        };
        let challenge = challenge_of(options).ok_or_else(|| {
            Problem::Internal(Report::of("Cognito's options of a passkey do not read"))
        })?;
        Ok(Some(PasskeyChallenge {
            session: CognitoSession::issued(session),
            challenge,
        }))
    }

    /// Asks Cognito whether an assertion is right. Either answer may use up the session.
    pub async fn prove(
        &self,
        email: &Email,
        session: &CognitoSession,
        assertion: &Assertion,
        purpose: TokenPurpose,
    ) -> Result<PasskeyProof, Undecided> {
        let answered = self
            .secrets
            .confidentially("prove the passkey", |secrets| {
                let answer = self
                    .pool
                    .answer(ChallengeNameType::WebAuthn, email.as_str(), secrets)
                    .session(session.as_str())
                    .challenge_responses("CREDENTIAL", assertion.to_text());
                purpose.say(answer).send()
            })
            .await
            .map_err(Undecided::before_evaluation)?;
        match answered {
            Ok(answer) => answer
                .authentication_result
                .ok_or_else(|| Report::of("Cognito answered a passkey with another challenge"))
                .and_then(CognitoSignIn::read)
                .map(PasskeyProof::Right)
                .map_err(|report| Undecided::after_evaluation(Problem::Internal(report))),
            Err(failure) => match failure.code() {
                Some(code) if NOT_THIS_WAY.contains(&code) => {
                    tracing::info!(code, "Cognito does not let this user in by this passkey");
                    Ok(PasskeyProof::Wrong)
                }
                // A trigger failed, and the trigger is our own.
                Some("UserLambdaValidationException") => {
                    let problem = Problem::Internal(failure.into_report());
                    Err(Undecided::after_evaluation(problem))
                }
                Some(_) | None => Err(failure.into()),
            },
        }
    }
}

fn is_full(failure: &Failure) -> bool {
    failure.code() == Some("LimitExceededException")
}

/// The challenge within the options of a sign-in: the one member that depends on the user.
fn challenge_of(options: &str) -> Option<String> {
    let options: Value = serde_json::from_str(options).ok()?;
    let challenge = options.get("challenge")?.as_str()?;
    let bytes = URL_SAFE_NO_PAD.decode(challenge).ok()?;
    (bytes.len() >= 16).then(|| challenge.to_owned())
}

/// A document of the SDK as JSON: the SDK's type has no serde.
fn to_json(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(flag) => (*flag).into(),
        Document::Number(Number::PosInt(number)) => (*number).into(),
        Document::Number(Number::NegInt(number)) => (*number).into(),
        Document::Number(Number::Float(number)) => (*number).into(),
        Document::String(text) => text.as_str().into(),
        Document::Array(values) => values.iter().map(to_json).collect(),
        Document::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), to_json(member)))
            .collect(),
    }
}

/// JSON as a document of the SDK. Numbers beyond 64 bits do not occur in credentials.
fn to_document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(*flag),
        Value::Number(number) => Document::Number(if let Some(whole) = number.as_u64() {
            Number::PosInt(whole)
        } else if let Some(whole) = number.as_i64() {
            Number::NegInt(whole)
        } else {
            Number::Float(number.as_f64().unwrap_or_default())
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(values) => Document::Array(values.iter().map(to_document).collect()),
        Value::Object(members) => Document::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), to_document(member)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_survives_the_sdks_documents() {
        let value = json!({"a": [1, -1, 0.5, null, true], "b": {"c": "d"}});
        assert_eq!(to_json(&to_document(&value)), value);
    }

    #[test]
    fn a_challenge_of_fewer_than_sixteen_bytes_is_none() {
        assert_eq!(
            challenge_of(r#"{"challenge":"AAAAAAAAAAAAAAAAAAAAAA","rpId":"x"}"#).as_deref(),
            Some("AAAAAAAAAAAAAAAAAAAAAA")
        );
        for options in [r#"{"challenge":"AAAA"}"#, "{}", "[", r#"{"challenge":7}"#] {
            assert_eq!(challenge_of(options), None, "{options}");
        }
    }
}
