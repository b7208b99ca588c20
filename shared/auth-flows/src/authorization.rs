//! Three-legged authorizations: begun, compared with the person who consents, and ended.

use std::time::Duration;

use auth_aws::{
    AccessTokens, Authorizations, Completion, ConfigurationError, Consents, Guests, Platform, Users,
};
use auth_domain::{
    ActivityKind, AgentUserId, AttemptId, Authorization, AuthorizationFailure, AuthorizationId,
    AuthorizationState, AuthorizationStatus, Binding, BindingSecret, Caller, Clock, ConversationId,
    KeyRing, Problem, Randomness, Scope, Standing, Subject,
};
use auth_lambda::{Exchange, Metric};
use tokio::try_join;

use crate::Activities;

/// Begins authorizations.
#[derive(Clone)]
pub struct AuthorizationStart {
    consents: Consents,
    authorizations: Authorizations,
    lifetime: Duration,
    clock: Clock,
    randomness: Randomness,
}

/// The purpose of an authorization.
pub struct AuthorizationWish {
    /// The person whose consent it asks for.
    pub subject: Subject,
    /// The conversation that asks for it.
    pub conversation_id: ConversationId,
    /// The requested scopes.
    pub scopes: Vec<Scope>,
    /// The completed authorization that it replaces in the conversation, because that one is no
    /// longer valid.
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

    /// How long a person has to consent.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Begins an authorization. `browser` holds the secret of the browser that begins it. With
    /// `None`, the authorization is bound later, to the browser whose person allows it on its start
    /// link's page.
    ///
    /// If a call fails, no usable authorization remains: AgentCore may know it, but the table does
    /// not, so no callback completes it.
    pub async fn begin(
        &self,
        wish: AuthorizationWish,
        browser: Option<&BindingSecret>,
        keys: &KeyRing,
        exchange: &Exchange,
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
            binding: browser.map(|secret| Binding {
                secret: secret.hash(&asked.id, keys),
                since: now,
            }),
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
        exchange.count(Metric::AuthorizationsStarted);
        Ok(authorization)
    }
}

/// Identifies the person who consented.
#[derive(Clone)]
pub struct ConsentCheck {
    consents: Consents,
    access_tokens: AccessTokens,
    users: Users,
}

/// The state of a consent.
pub enum Consented {
    /// The meant person has signed in for it.
    By(Box<Caller>),
    /// AgentCore has no token: the person did not consent, or the consent is no longer valid.
    NoToken,
    /// The token is not one of the pool's, or is no longer accepted.
    Nobody,
    /// The wrong person consented.
    Another,
    /// The person's sign-in is older than the authorization.
    Earlier,
}

impl ConsentCheck {
    /// Consents by users of the pool that `access_tokens` verifies. All holders share one copy of
    /// the pool's keys.
    pub fn new(
        platform: &Platform,
        consents: &Consents,
        access_tokens: &AccessTokens,
    ) -> Result<Self, ConfigurationError> {
        Ok(Self {
            consents: consents.clone(),
            access_tokens: access_tokens.clone(),
            users: Users::new(platform)?,
        })
    }

    /// The person whose token AgentCore has for an authorization.
    pub async fn person(&self, authorization: &Authorization) -> Result<Consented, Problem> {
        let Authorization {
            id,
            user_id,
            scopes,
            subject,
            ..
        } = authorization;
        let Some(token) = self.consents.token(user_id, id, scopes).await? else {
            return Ok(Consented::NoToken);
        };
        let person = match self.access_tokens.person(token.as_str()).await {
            Ok(person) => person,
            Err(Problem::AuthRequired) => return Ok(Consented::Nobody),
            Err(problem) => return Err(problem),
        };
        Ok(if !self.users.is_meant(subject, &person).await? {
            Consented::Another
        } else if !authorization.is_signed_in_for(&person) {
            Consented::Earlier
        } else {
            Consented::By(Box::new(person))
        })
    }

    /// Completes a consent at AgentCore. Returns the person, or the reason why the consent is
    /// invalid.
    ///
    /// AgentCore accepts a completion once. A refusal may mean that an earlier one succeeded and
    /// its answer was lost: then the token exists.
    pub async fn complete(
        &self,
        authorization: &Authorization,
    ) -> Result<Result<Box<Caller>, AuthorizationFailure>, Problem> {
        let Authorization { id, user_id, .. } = authorization;
        match self.consents.complete(user_id, id).await? {
            Completion::Done | Completion::Refused => {}
        }
        Ok(match self.person(authorization).await? {
            Consented::By(person) => Ok(person),
            Consented::NoToken => Err(AuthorizationFailure::RefusedByAgentCore),
            Consented::Nobody | Consented::Another => Err(AuthorizationFailure::OtherUser),
            Consented::Earlier => Err(AuthorizationFailure::OldSignIn),
        })
    }
}

/// Completes authorizations.
#[derive(Clone)]
pub struct AuthorizationCompletion {
    authorizations: Authorizations,
    consents: ConsentCheck,
    guests: Guests,
    activities: Activities,
    lifetime: Duration,
    clock: Clock,
}

impl AuthorizationCompletion {
    /// Authorizations in the environment's table, with the environment's lifetime.
    pub fn new(
        platform: &Platform,
        consents: &Consents,
        access_tokens: &AccessTokens,
    ) -> Result<Self, ConfigurationError> {
        Ok(Self {
            authorizations: Authorizations::new(platform)?,
            consents: ConsentCheck::new(platform, consents, access_tokens)?,
            guests: Guests::new(platform)?,
            activities: Activities::new(platform)?,
            lifetime: platform.environment().consent_lifetime()?,
            clock: platform.clock(),
        })
    }

    /// Completes a claimed authorization at AgentCore, and then here, unless the consent is
    /// invalid. `None` means success.
    pub async fn complete(
        &self,
        authorization: &Authorization,
        attempt: &AttemptId,
        exchange: &Exchange,
    ) -> Result<Option<AuthorizationFailure>, Problem> {
        let person = match self.consents.complete(authorization).await? {
            Ok(person) => person,
            Err(failure) => return Ok(Some(failure)),
        };
        // A user who has not proved an address yet has no guest, and so no activity.
        let guest = self.guests.find(&person.sub).await?;
        let allowed = |guest| {
            let kind = ActivityKind::AgentAllowed;
            self.activities.entry(guest, kind, exchange)
        };
        let entry = guest.as_ref().map(allowed).transpose()?;
        let now = self.clock.now();
        let until = now.after(self.lifetime);
        try_join!(
            self.authorizations
                .complete(&authorization.id, attempt, until, entry),
            self.authorizations
                .complete_in_conversation(authorization, until, now)
        )?;
        exchange.count(Metric::AuthorizationsCompleted);
        Ok(None)
    }
}

/// Ends authorizations without success.
#[derive(Clone)]
pub struct AuthorizationEnd {
    authorizations: Authorizations,
    clock: Clock,
    randomness: Randomness,
}

impl AuthorizationEnd {
    /// Authorizations in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            authorizations: Authorizations::new(platform)?,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Fails an authorization under an attempt's name. It counts for the one write that ends it.
    pub async fn fail(
        &self,
        authorization: &Authorization,
        attempt: &AttemptId,
        reason: AuthorizationFailure,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let (id, now) = (&authorization.id, self.clock.now());
        if self.authorizations.fail(id, attempt, reason, now).await? {
            exchange.count(Metric::AuthorizationsFailed);
        }
        Ok(())
    }

    /// Records that an authorization was not finished in time. One that is still open or has ended
    /// stays unchanged. The one successful write counts the abandonment.
    pub async fn note_abandoned(
        &self,
        authorization: &Authorization,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let now = self.clock.now();
        let is_abandoned = authorization.standing == Standing::Pending
            && authorization.status(now) == AuthorizationStatus::Expired;
        if !is_abandoned {
            return Ok(());
        }
        let (id, reason) = (&authorization.id, AuthorizationFailure::Expired);
        let attempt = AttemptId::generate(&self.randomness);
        if self.authorizations.fail(id, &attempt, reason, now).await? {
            tracing::warn!(reason = reason.name(), "an authorization was abandoned");
            exchange.count(Metric::AuthorizationsAbandoned);
        }
        Ok(())
    }
}
