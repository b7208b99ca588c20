//! Tokens after a sign-in: exchanged, revoked, all revoked.

use auth_domain::{Problem, RefreshRefusal, RefreshToken, Tokens};
use aws_sdk_cognitoidentityprovider::{
    Client, operation::get_tokens_from_refresh_token::GetTokensFromRefreshTokenOutput,
};

use crate::{
    ConfigurationError, Platform, Secrets,
    boxed::Boxed as _,
    clients::cognito,
    failure::{Failure, failure},
    user_pool::{client_id, incomplete, is_wrong_client_secret, read_tokens},
};

/// Cognito's token operations. Exchanging and revoking need no IAM permission, only the client's
/// secret.
#[derive(Clone)]
pub struct TokenService {
    client: Client,
    client_id: String,
    secrets: Secrets,
}

impl TokenService {
    /// The tokens of the client that `COGNITO_CLIENT_ID` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: cognito(platform)?,
            client_id: client_id(platform)?,
            secrets: Secrets::new(platform)?,
        })
    }

    /// New tokens for a refresh token. If the client rotates tokens, the answer contains the next
    /// refresh token. The old one still works during the grace period, so two tabs that refresh
    /// together both stay signed in.
    pub async fn refresh(&self, refresh_token: &RefreshToken) -> Result<Tokens, Problem> {
        let secrets = self.secrets.get().await?;
        let mut exchanged = self.exchange(refresh_token, secrets.client_secret()).await;
        if exchanged.as_ref().is_err_and(may_be_wrong_secret) {
            let secrets_now = self.secrets.get_anew().await?;
            if secrets_now.client_secret() != secrets.client_secret() {
                exchanged = self
                    .exchange(refresh_token, secrets_now.client_secret())
                    .await;
            }
        }
        match exchanged {
            Ok(output) => tokens(output),
            Err(failure) => Err(refusal(failure)),
        }
    }

    async fn exchange(
        &self,
        refresh_token: &RefreshToken,
        client_secret: &str,
    ) -> Result<GetTokensFromRefreshTokenOutput, Failure> {
        self.client
            .get_tokens_from_refresh_token()
            .refresh_token(refresh_token.as_str())
            .client_id(&self.client_id)
            .client_secret(client_secret)
            .send()
            .boxed()
            .await
            .map_err(failure("exchange the refresh token"))
    }

    /// Revokes a refresh token and the access tokens issued with it. An unknown or revoked token
    /// counts as revoked.
    pub async fn revoke(&self, refresh_token: &RefreshToken) -> Result<(), Problem> {
        let revoked = self
            .secrets
            .confidentially("revoke the refresh token", |secrets| {
                self.client
                    .revoke_token()
                    .token(refresh_token.as_str())
                    .client_id(&self.client_id)
                    .client_secret(secrets.client_secret())
                    .send()
            })
            .await?;
        match revoked {
            Ok(_) => Ok(()),
            Err(failure) => match failure.code() {
                Some(
                    "InvalidParameterException"
                    | "NotAuthorizedException"
                    | "UnsupportedTokenTypeException"
                    | "InvalidTokenException",
                ) => Ok(()),
                Some(_) | None => Err(failure.into()),
            },
        }
    }

    /// Revokes tokens that will not leave. If that fails, they expire unused.
    pub async fn discard(&self, tokens: &Tokens) {
        if let Some(refresh_token) = &tokens.refresh_token
            && self.revoke(refresh_token).await.is_err()
        {
            tracing::warn!("undelivered tokens could not be revoked");
        }
    }
}

fn may_be_wrong_secret(failure: &Failure) -> bool {
    is_wrong_client_secret(failure)
        || (failure.code() == Some("NotAuthorizedException")
            && failure.message().contains("client"))
}

fn tokens(output: GetTokensFromRefreshTokenOutput) -> Result<Tokens, Problem> {
    output
        .authentication_result
        .ok_or_else(incomplete)
        .and_then(read_tokens)
        .map_err(Problem::Internal)
}

/// The reason why the exchange was refused, as far as Cognito reports it. Its messages for an
/// expired and a revoked token are not well documented, so they only choose the cause; the answer
/// is the same.
fn refusal(failure: Failure) -> Problem {
    let message = failure.message().to_ascii_lowercase();
    match failure.code() {
        Some("RefreshTokenReuseException") => Problem::InvalidRefreshToken(RefreshRefusal::Reused),
        Some("NotAuthorizedException") if is_wrong_client_secret(&failure) => {
            Problem::Internal(failure.into_report())
        }
        Some("NotAuthorizedException") if message.contains("expired") => {
            Problem::InvalidRefreshToken(RefreshRefusal::Expired)
        }
        Some("NotAuthorizedException")
            if message.contains("revoked") || message.contains("disabled") =>
        {
            Problem::InvalidRefreshToken(RefreshRefusal::Revoked)
        }
        Some("NotAuthorizedException" | "InvalidParameterException") => {
            Problem::InvalidRefreshToken(RefreshRefusal::Invalid)
        }
        Some("UserNotFoundException") => Problem::InvalidRefreshToken(RefreshRefusal::Revoked),
        Some(_) | None => failure.into(),
    }
}
