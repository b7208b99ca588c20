//! The decision: is the link ours, does its authorization wait, and is this the browser that it belongs to from now on?

use auth_domain::{
    Authorization, AuthorizationFailure, BindingCookie, BindingSecret, KeyRing, Problem, StartLink,
};
use auth_lambda::{Exchange, Metric, Redirect, SetCookie};

use crate::OpenStartLink;

impl OpenStartLink {
    pub(crate) async fn open(
        &self,
        link: &StartLink,
        exchange: &Exchange,
    ) -> Result<Redirect, Problem> {
        if !exchange.is_navigation() {
            return Err(Problem::InvalidSession);
        }
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let id = link.verified(keys).ok_or(Problem::InvalidSession)?;
        let secret = BindingSecret::generate(&self.randomness);
        let now = self.clock.now();
        let binding = secret.hash(id, keys);
        if let Some(authorization) = self.authorizations.bind(id, &binding, now).await? {
            let cookie = BindingCookie::issue(id, &authorization.state, &secret);
            exchange.set_cookie(SetCookie::authorization(cookie, self.lifetime));
            return Ok(Redirect::to(authorization.url.as_str(), exchange));
        }
        let found = self.authorizations.find(id, now).await?;
        let authorization = found.ok_or(Problem::InvalidSession)?;
        Ok(self.too_late(&authorization, keys, exchange))
    }

    /// The link was opened before, or its time is over. The browser that opened it may go on; any other learns nothing more than
    /// that it is another.
    fn too_late(
        &self,
        authorization: &Authorization,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Redirect {
        let cookie = exchange.cookie(&BindingCookie::name(&authorization.state));
        let is_the_one = cookie
            .and_then(BindingCookie::parse)
            .is_some_and(|cookie| authorization.is_bound_to(&cookie, keys));
        let is_over = self.clock.now() >= authorization.expires_at;
        let reason = match (is_the_one, is_over) {
            (true, false) => return Redirect::to(authorization.url.as_str(), exchange),
            (true, true) => AuthorizationFailure::Expired,
            (false, true) if authorization.binding.is_none() => AuthorizationFailure::Expired,
            (false, _) => AuthorizationFailure::OtherBrowser,
        };
        if reason == AuthorizationFailure::OtherBrowser {
            exchange.count(Metric::CallbackRefusals);
        }
        tracing::warn!(reason = reason.name(), "a start link is not followed");
        Redirect::to(self.front_end.told_of_failure(reason, false), exchange)
    }
}
