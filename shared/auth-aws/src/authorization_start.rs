//! The beginning of a three-legged authorization: asked of AgentCore, remembered, and counted in its conversation.

use std::time::Duration;

use auth_domain::{
    AgentUserId, Authorization, AuthorizationId, AuthorizationState, Binding, Clock,
    ConversationId, KeyRing, KeyedHash, Problem, Randomness, Scope, Standing, Subject,
};
use tokio::try_join;

use crate::{Authorizations, ConfigurationError, Consents, Platform};

/// Everything that an authorization is begun with.
#[derive(Clone)]
pub struct AuthorizationStart {
    consents: Consents,
    authorizations: Authorizations,
    lifetime: Duration,
    clock: Clock,
    randomness: Randomness,
}

/// What an authorization is begun for.
pub struct AuthorizationWish {
    /// Whose consent it is to bring.
    pub subject: Subject,
    /// For which conversation.
    pub conversation_id: ConversationId,
    /// What is asked for.
    pub scopes: Vec<Scope>,
    /// The completed one whose place in the conversation it takes, because that holds no longer.
    pub instead_of: Option<AuthorizationId>,
}

impl AuthorizationStart {
    /// Authorizations in the table that the environment names.
    pub fn new(platform: &Platform, consents: &Consents) -> Result<Self, ConfigurationError> {
        Ok(Self {
            consents: consents.clone(),
            authorizations: Authorizations::new(platform)?,
            lifetime: platform.environment().authorization_lifetime()?,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Begins an authorization. `bind` makes the hash of what only the beginning browser has; `None` leaves the authorization to
    /// the browser whose person allows it on its start link's page.
    ///
    /// If a call fails, nothing is left that anybody could end: what AgentCore knows and the table does not, no callback completes.
    pub async fn begin(
        &self,
        wish: AuthorizationWish,
        keys: &KeyRing,
        bind: impl FnOnce(&AuthorizationId) -> Option<KeyedHash>,
    ) -> Result<Authorization, Problem> {
        let AuthorizationWish {
            subject,
            conversation_id,
            scopes,
            instead_of,
        } = wish;
        let state = AuthorizationState::generate(&self.randomness);
        let user_id = AgentUserId::for_one_authorization(&subject, &self.randomness);
        let now = self.clock.now();
        let asked = self.consents.ask(&user_id, &scopes, &state).await?;
        let authorization = Authorization {
            binding: bind(&asked.id).map(|secret| Binding { secret, since: now }),
            refused_elsewhere: false,
            id: asked.id,
            conversation_id,
            subject,
            user_id,
            scopes,
            url: asked.url,
            state: state.hash(keys),
            standing: Standing::Pending,
            expires_at: now.after(self.lifetime),
        };
        try_join!(
            self.authorizations.begin(&authorization),
            self.authorizations
                .begin_in_conversation(&authorization, instead_of.as_ref(), now)
        )?;
        Ok(authorization)
    }
}
