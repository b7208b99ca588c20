//! The decision: find a valid consent, its person, and that person's guest. Without one, ask for
//! consent.

use auth_aws::Newcomer;
use auth_domain::{
    Authorization, AuthorizationFailure, AuthorizationStatus, Caller, ConsentRequest,
    ConversationId, Guest, KeyRing, Problem, Scope, Subject, UserPassword, UserToken,
};
use auth_flows::{AuthorizationWish, Consented};
use auth_lambda::{Exchange, Metric};
use tokio::try_join;

use crate::{Asked, Authenticated, GetAuthenticatedGuest};

impl GetAuthenticatedGuest {
    /// The guest of an unchecked access token.
    pub(crate) async fn holder_of(&self, token: &UserToken) -> Result<Authenticated, Problem> {
        let caller = self.access_tokens.caller(token.as_str()).await?;
        let user = self.callers.find(&caller).await?;
        Ok(Authenticated { user })
    }

    pub(crate) async fn find(
        &self,
        asked: Asked,
        exchange: &Exchange,
    ) -> Result<Authenticated, Problem> {
        let (secrets, found) = try_join!(self.secrets.get(), self.authorization(&asked))?;
        let keys = secrets.keys();
        let Some(authorization) = found else {
            let is_named = asked.conversation.is_some();
            let wish = AuthorizationWish {
                subject: Subject::Anybody,
                conversation_id: asked
                    .conversation
                    .unwrap_or_else(|| ConversationId::generate(&self.randomness)),
                scopes: Scope::of_identity(),
                instead_of: None,
            };
            return Err(self.ask(wish, is_named, keys, exchange).await);
        };
        match authorization.status(self.clock.now()) {
            AuthorizationStatus::Completed => {
                if let Some(user) = self.guest_behind(&authorization, exchange).await? {
                    return Ok(Authenticated { user });
                }
            }
            // Another browser than the bound one opened its link and was refused, so the agent
            // needs a new link.
            AuthorizationStatus::Pending if authorization.refused_elsewhere => {}
            AuthorizationStatus::Pending => return Err(self.required(authorization, keys)),
            AuthorizationStatus::Expired => {
                self.end.note_abandoned(&authorization, exchange).await?;
            }
            AuthorizationStatus::Failed => {}
        }
        let wish = AuthorizationWish {
            subject: authorization.subject,
            conversation_id: authorization.conversation_id,
            scopes: authorization.scopes,
            instead_of: Some(authorization.id),
        };
        Err(self.ask(wish, true, keys, exchange).await)
    }

    async fn authorization(&self, asked: &Asked) -> Result<Option<Authorization>, Problem> {
        let id = match (&asked.session, &asked.conversation) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(conversation)) => self.authorizations.of_conversation(conversation).await?,
            (None, None) => None,
        };
        let Some(id) = id else { return Ok(None) };
        let found = self.authorizations.find(&id, self.clock.now()).await?;
        let is_of = |found: &Authorization| {
            let conversation = asked.conversation.as_ref();
            conversation.is_none_or(|conversation| *conversation == found.conversation_id)
        };
        Ok(found.filter(is_of))
    }

    /// Begins an authorization, and answers that it must be finished first. `is_named` means that
    /// the agent named the conversation, rather than Latchkey.
    async fn ask(
        &self,
        wish: AuthorizationWish,
        is_named: bool,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Problem {
        let conversation = is_named.then_some(&wish.conversation_id);
        if let Err(problem) = self.starts.admit(conversation, keys, exchange).await {
            return problem;
        }
        match self.start.begin(wish, None, keys, exchange).await {
            Ok(authorization) => self.required(authorization, keys),
            Err(problem) => problem,
        }
    }

    fn required(&self, authorization: Authorization, keys: &KeyRing) -> Problem {
        Problem::ConsentRequired(Box::new(ConsentRequest {
            url: self.callback_url.start_link(&authorization.id, keys),
            id: authorization.id,
            expires_at: authorization.expires_at,
        }))
    }

    /// The guest who has consented; `None` if the consent is no longer valid.
    async fn guest_behind(
        &self,
        authorization: &Authorization,
        exchange: &Exchange,
    ) -> Result<Option<Guest>, Problem> {
        let person = match self.consent.person(authorization).await? {
            Consented::By(person) => person,
            Consented::NoToken | Consented::Nobody => return Ok(None),
            Consented::Another => return Err(other_user(exchange)),
            Consented::Earlier => {
                let reason = AuthorizationFailure::OldSignIn.name();
                tracing::warn!(reason, "a consent does not count");
                return Ok(None);
            }
        };
        let guest = self.guest_of(&person, exchange).await?;
        Ok((!person.is_signed_out_of(&guest)).then_some(guest))
    }

    /// The guest of a person who has just proved the address at the pool's own page. The token does
    /// not contain the address, so the pool is asked for it if the person has no guest.
    async fn guest_of(&self, person: &Caller, exchange: &Exchange) -> Result<Guest, Problem> {
        if let Some(guest) = self.guests.find(&person.sub).await? {
            return Ok(guest);
        }
        let address = self.users.address_of(&person.sub).await?;
        let email = address.ok_or_else(|| other_user(exchange))?;
        let arrival = self.arrivals.look_at(&email).await?;
        let newcomer = Newcomer {
            sub: &person.sub,
            email: &email,
            password: UserPassword::Unseen,
            locale: None,
        };
        let arrived = self.arrivals.receive(arrival, newcomer, exchange).await?;
        Ok(arrived.guest)
    }
}

fn other_user(exchange: &Exchange) -> Problem {
    let reason = AuthorizationFailure::OtherUser.name();
    tracing::warn!(reason, "a consent is another person's");
    exchange.count(Metric::AuthorizationsFailed);
    Problem::UserMismatch
}
