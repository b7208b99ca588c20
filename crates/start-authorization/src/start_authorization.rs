//! The decision: find the person, check the scopes, ask AgentCore, and bind the authorization to
//! this browser.

use auth_domain::{BindingCookie, BindingSecret, Problem, Subject};
use auth_flows::{AuthorizationWish, Turn};
use auth_lambda::{Exchange, Fields, SetCookie};
use tokio::try_join;

use crate::{Input, StartAuthorization, Started};

impl StartAuthorization {
    pub(crate) async fn begin(
        &self,
        input: Input,
        exchange: &Exchange,
    ) -> Result<Started, Problem> {
        let (secrets, subject) = try_join!(self.secrets.get(), self.subject(&input, exchange))?;
        let keys = secrets.keys();
        let turn = Turn::of(exchange, &self.clock, &self.randomness);
        self.starts.admit(&turn, keys).await?;

        let secret = BindingSecret::generate(&self.randomness);
        let wish = AuthorizationWish {
            subject,
            conversation_id: input.conversation_id,
            scopes: input.scopes,
            instead_of: None,
        };
        let browser = exchange.is_http().then_some(&secret);
        let begun = self.start.begin(wish, browser, keys, exchange).await?;
        let authorization_url = if exchange.is_http() {
            let cookie = BindingCookie::issue(&begun.id, &begun.state, &secret);
            exchange.set_cookie(SetCookie::authorization(cookie, self.start.lifetime()));
            begun.url.as_str().to_owned()
        } else {
            self.callback_url.start_link(&begun.id, keys)
        };
        Ok(Started {
            session_id: begun.id,
            authorization_url,
            expires_at: begun.expires_at,
        })
    }

    /// The guest of the token, if there is one. An invalid token is refused, even beside an
    /// address.
    async fn subject(&self, input: &Input, exchange: &Exchange) -> Result<Subject, Problem> {
        let caller = match (exchange.caller(), exchange.bearer_token()) {
            (Ok(caller), _) => Some(caller.clone()),
            (Err(_), Some(token)) => Some(self.access_tokens.caller(token).await?),
            (Err(_), None) => None,
        };
        match caller {
            Some(caller) => {
                let guest = self.callers.find(&caller).await?;
                Ok(Subject::Guest {
                    sub: caller.sub,
                    email: guest.email,
                })
            }
            None => match &input.email {
                Some(email) => Ok(Subject::Claimed(email.clone())),
                None => Err(Fields::needed("email")),
            },
        }
    }
}
