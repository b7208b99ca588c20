//! The decision: check that a person pressed this button on our own page in this browser, and that
//! the authorization is still open.

use auth_aws::{BrowserProof, FromLink};
use auth_domain::{
    AttemptId, Authorization, AuthorizationFailure, AuthorizationId, BindingCookie, BindingSecret,
    KeyRing, PageNonce, Problem,
};
use auth_lambda::{Exchange, Metric, Redirect, SetCookie};

use crate::{ConfirmStartLink, Decision, Input};

impl ConfirmStartLink {
    pub(crate) async fn confirm(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Redirect, Problem> {
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let id = input.link.verified(keys).ok_or(Problem::InvalidSession)?;
        let secret = self.secret_of_page(input, id, keys, exchange)?;
        let before = exchange
            .cookies_with_prefix(BindingCookie::PREFIX)
            .filter_map(BindingCookie::parse)
            .find(|cookie| cookie.id() == id);
        let browser = BrowserProof {
            new: secret.hash(id, keys),
            known: before.as_ref().map(|cookie| cookie.hash(keys)),
        };
        let now = self.clock.now();
        let pressed = match input.decision {
            Decision::Allow => self.authorizations.bind(id, &browser, now).await?,
            Decision::Cancel => {
                let attempt = AttemptId::generate(&self.randomness);
                let cancelled = self.authorizations.cancel(id, &browser, &attempt, now);
                cancelled.await?
            }
        };
        let location = match (pressed, input.decision) {
            (FromLink::Done(authorization), Decision::Allow) => {
                let is_known =
                    before.is_some_and(|cookie| authorization.is_bound_to(&cookie, keys));
                if !is_known {
                    let cookie = BindingCookie::issue(id, &authorization.state, &secret);
                    exchange.set_cookie(SetCookie::authorization(cookie, self.lifetime));
                }
                tracing::info!("a person allows an authorization");
                authorization.url.as_str().to_owned()
            }
            (FromLink::Done(_), Decision::Cancel) => {
                let reason = AuthorizationFailure::Cancelled;
                exchange.count(Metric::AuthorizationsFailed);
                exchange.count(Metric::AuthorizationsCancelled);
                tracing::warn!(reason = reason.name(), "an authorization is not completed");
                self.front_end.told_of_failure(reason, true)
            }
            (FromLink::Refused(authorization), Decision::Allow | Decision::Cancel) => {
                let own = BindingCookie::of(id, &secret);
                let began_it = authorization.is_bound_to(&own, keys)
                    || before.is_some_and(|cookie| authorization.is_bound_to(&cookie, keys));
                self.too_late(&authorization, began_it, exchange).await?
            }
        };
        Ok(Redirect::to(location, exchange))
    }

    /// The secret that binds an authorization to the browser that shows this page. Refuses a
    /// request from anywhere else.
    fn secret_of_page(
        &self,
        input: &Input,
        id: &AuthorizationId,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Result<BindingSecret, Problem> {
        let nonce = exchange
            .cookie(&input.link.page_cookie())
            .map(PageNonce::of_cookie)
            .filter(|nonce| nonce.fits(&input.page, id, keys));
        match nonce {
            Some(nonce) if exchange.is_from_our_pages(&self.page) => {
                Ok(nonce.binding_secret(id, keys))
            }
            Some(_) | None => {
                exchange.count(Metric::ConsentRefusals);
                tracing::warn!("a form is refused: our page did not show it to this browser");
                Err(Problem::InvalidSession)
            }
        }
    }

    /// The address for a browser whose button no longer has an effect.
    async fn too_late(
        &self,
        authorization: &Authorization,
        began_it: bool,
        exchange: &Exchange,
    ) -> Result<String, Problem> {
        if let Some(end) = authorization.link_end(began_it, self.clock.now()) {
            return Ok(self.front_end.told_of_end(&authorization.id, end));
        }
        if began_it {
            // Its person has returned from signing in, and the callback is completing it now.
            let reason = AuthorizationFailure::AlreadyUsed;
            return Ok(self.front_end.told_of_failure(reason, true));
        }
        self.authorizations
            .note_refused_elsewhere(&authorization.id)
            .await?;
        let reason = AuthorizationFailure::OtherBrowser;
        exchange.count(Metric::ConsentRefusals);
        tracing::warn!(reason = reason.name(), "a start link is not followed");
        Ok(self.front_end.told_of_failure(reason, false))
    }
}
