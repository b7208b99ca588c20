//! The user pool and the confidential client. Latchkey calls it only through this client.

use auth_domain::{
    AccessToken, IdToken, Locale, Problem, RefreshToken, Report, RequestContext, Tokens, UserSub,
    claims,
};
use aws_sdk_cognitoidentityprovider::{
    Client,
    operation::{
        admin_get_user::AdminGetUserOutput,
        admin_initiate_auth::builders::AdminInitiateAuthFluentBuilder,
        admin_respond_to_auth_challenge::builders::AdminRespondToAuthChallengeFluentBuilder,
    },
    types::{
        AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType, ContextDataType,
        UserContextDataType,
    },
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::{
    ConfigurationError, Platform, SecretSet, Secrets,
    boxed::Boxed as _,
    clients::cognito,
    failure::{Failure, failure},
};

/// The purpose of the tokens from an answered challenge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenPurpose {
    /// A session.
    #[default]
    Session,
    /// A change of the user's passkeys. The tokens keep the scope for one's own account at Cognito,
    /// and never leave.
    Passkeys,
}

/// The pool, the client's id, and an SDK client.
#[derive(Clone)]
pub(crate) struct UserPool {
    pub(crate) client: Client,
    pub(crate) pool_id: String,
    pub(crate) client_id: String,
    context: Option<RequestContext>,
}

impl UserPool {
    /// The pool and client that `COGNITO_USER_POOL_ID` and `COGNITO_CLIENT_ID` name.
    pub(crate) fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: cognito(platform)?,
            pool_id: platform
                .environment()
                .text("COGNITO_USER_POOL_ID")?
                .to_owned(),
            client_id: client_id(platform)?,
            context: None,
        })
    }

    /// The same for a person's request. Cognito receives its origin, because it counts mails by
    /// requester. Without it, all people are one Lambda function to Cognito.
    pub(crate) fn for_request(&self, context: Option<RequestContext>) -> Self {
        Self {
            context,
            ..self.clone()
        }
    }

    /// The person's address, in the form of the Admin API.
    fn context_data(&self) -> Option<ContextDataType> {
        let context = self.context.as_ref()?;
        let described = ContextDataType::builder()
            .ip_address(context.ip_address.to_string())
            .server_name(&context.host)
            .server_path(&context.path)
            .set_http_headers(Some(Vec::new()))
            .build();
        #[expect(
            clippy::expect_used,
            reason = "every member that it needs is set above"
        )]
        Some(described.expect("address, server, path and fields"))
    }

    /// The same in the form of the public API. Cognito accepts it from the operations' client,
    /// because that has a secret (`EnablePropagateAdditionalUserContextData`).
    pub(crate) fn user_context_data(&self) -> Option<UserContextDataType> {
        let context = self.context.as_ref()?;
        let described = UserContextDataType::builder();
        Some(described.ip_address(context.ip_address.to_string()).build())
    }

    /// The beginning of a sign-in by choice, with the factor chosen already.
    pub(crate) fn sign_in(
        &self,
        username: &str,
        factor: &str,
        secrets: &SecretSet,
    ) -> AdminInitiateAuthFluentBuilder {
        self.offer(username, secrets)
            .auth_parameters("PREFERRED_CHALLENGE", factor)
    }

    /// The beginning of a sign-in by choice, with no factor chosen.
    pub(crate) fn offer(
        &self,
        username: &str,
        secrets: &SecretSet,
    ) -> AdminInitiateAuthFluentBuilder {
        self.client
            .admin_initiate_auth()
            .user_pool_id(&self.pool_id)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::UserAuth)
            .set_context_data(self.context_data())
            .auth_parameters("USERNAME", username)
            .auth_parameters("SECRET_HASH", self.secret_hash(username, secrets))
    }

    /// A prepared answer to a challenge; the caller adds the response.
    pub(crate) fn answer(
        &self,
        challenge: ChallengeNameType,
        username: &str,
        secrets: &SecretSet,
    ) -> AdminRespondToAuthChallengeFluentBuilder {
        self.client
            .admin_respond_to_auth_challenge()
            .user_pool_id(&self.pool_id)
            .client_id(&self.client_id)
            .challenge_name(challenge)
            .set_context_data(self.context_data())
            .challenge_responses("USERNAME", username)
            .challenge_responses("SECRET_HASH", self.secret_hash(username, secrets))
    }

    /// The user of an address or of a sub, if there is one.
    pub(crate) async fn find(&self, username: &str) -> Result<Option<AdminGetUserOutput>, Problem> {
        let found = self
            .client
            .admin_get_user()
            .user_pool_id(&self.pool_id)
            .username(username)
            .send()
            .boxed()
            .await;
        match found.map_err(failure("find the user")) {
            Ok(user) => Ok(Some(user)),
            Err(failure) if failure.code() == Some("UserNotFoundException") => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// `SECRET_HASH`, which a confidential client adds to each call about a user, under the name in
    /// that call (Base64 of HMAC-SHA256 under the client secret over user name and client id).
    pub(crate) fn secret_hash(&self, username: &str, secrets: &SecretSet) -> String {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes a key of any length (RFC 2104 §2)"
        )]
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secrets.client_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(username.as_bytes());
        mac.update(self.client_id.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl TokenPurpose {
    /// An answer that tells the trigger the purpose of its tokens. It never contains input of a
    /// caller.
    pub(crate) fn say(
        self,
        answer: AdminRespondToAuthChallengeFluentBuilder,
    ) -> AdminRespondToAuthChallengeFluentBuilder {
        match self {
            Self::Session => answer,
            Self::Passkeys => answer.client_metadata(claims::PURPOSE, claims::PASSKEYS),
        }
    }
}

impl Secrets {
    /// A call with the client's secret. If Cognito rejects the cached secret as not the client's,
    /// the call is repeated with the secret read again. The outer result fails if Cognito checked
    /// only the secret; the inner one is Cognito's answer.
    pub(crate) async fn confidentially<T, E, Sent>(
        &self,
        attempted: &'static str,
        call: impl Fn(&SecretSet) -> Sent,
    ) -> Result<Result<T, Failure>, Problem>
    where
        Sent: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let sent = call(&*self.get().await?);
        let mut answer = sent.await.map_err(failure(attempted));
        if answer.as_ref().is_err_and(is_wrong_client_secret) {
            let sent = call(&*self.get_anew().await?);
            answer = sent.await.map_err(failure(attempted));
        }
        match answer {
            Err(failure) if is_wrong_client_secret(&failure) => {
                Err(Problem::Internal(failure.into_report()))
            }
            answer => Ok(answer),
        }
    }
}

pub(crate) fn client_id(platform: &Platform) -> Result<String, ConfigurationError> {
    Ok(platform.environment().text("COGNITO_CLIENT_ID")?.to_owned())
}

/// Whether Cognito refused because our client secret differs from its own.
pub(crate) fn is_wrong_client_secret(failure: &Failure) -> bool {
    match failure.code() {
        Some("NotAuthorizedException") => failure
            .message()
            .starts_with("Unable to verify secret hash"),
        Some("UnauthorizedException") => true,
        Some(_) | None => false,
    }
}

/// A sign-in that Cognito has finished.
#[derive(Debug)]
pub struct CognitoSignIn {
    /// The new session's tokens.
    pub tokens: Tokens,
    /// The user who signed in.
    pub sub: UserSub,
    /// Whether Cognito marks the address as verified.
    pub email_verified: bool,
}

impl CognitoSignIn {
    /// Takes tokens that Cognito has just returned. They came over TLS from their issuer, so no
    /// signature is checked.
    pub(crate) fn read(result: AuthenticationResultType) -> Result<Self, Report> {
        let unreadable = || Report::of("Cognito's id token does not read");
        let tokens = read_tokens(result)?;
        if tokens.refresh_token.is_none() {
            return Err(incomplete());
        }
        let claims = claims_of(tokens.id_token.as_str()).ok_or_else(unreadable)?;
        let sub = claims
            .get("sub")
            .and_then(|sub| UserSub::parse(sub.as_str()?).ok())
            .ok_or_else(unreadable)?;
        Ok(Self {
            sub,
            email_verified: claims.get("email_verified").is_some_and(|verified| {
                verified.as_bool() == Some(true) || verified.as_str() == Some("true")
            }),
            tokens,
        })
    }
}

/// The tokens in an answer of Cognito. Only a sign-in, or a client that rotates tokens, has a
/// refresh token.
pub(crate) fn read_tokens(result: AuthenticationResultType) -> Result<Tokens, Report> {
    Ok(Tokens {
        access_token: AccessToken::issued(result.access_token.ok_or_else(incomplete)?),
        id_token: IdToken::issued(result.id_token.ok_or_else(incomplete)?),
        refresh_token: result.refresh_token.map(RefreshToken::issued),
        expires_in: u32::try_from(result.expires_in).map_err(|_| incomplete())?,
    })
}

pub(crate) fn incomplete() -> Report {
    Report::of("Cognito's tokens are incomplete")
}

/// The claims of a token that Cognito has just returned over our own connection. They need no
/// check.
pub(crate) fn claims_of(token: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&claims::stated_by(token)?).ok()
}

/// The user's attribute `locale`, from an ID token that Cognito has just returned. `None` if the
/// user has none, or if the client may not read it.
#[must_use]
pub fn locale_of(id_token: &IdToken) -> Option<Locale> {
    let claims = claims_of(id_token.as_str())?;
    Locale::parse(claims.get("locale")?.as_str()?)
}

/// The sub among a user's attributes.
pub(crate) fn sub_among(attributes: &[AttributeType]) -> Option<UserSub> {
    let sub = attributes
        .iter()
        .find(|attribute| attribute.name() == "sub")?;
    UserSub::parse(sub.value()?).ok()
}
