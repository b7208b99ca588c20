//! The decision: check that the link is ours, and that its authorization is pending.

use auth_domain::{
    Authorization, BindingCookie, ConsentPage, KeyRing, PAGE_STYLE_SOURCE, PageNonce, Problem,
    Report, StartLink,
};
use auth_lambda::{Exchange, Origin, Page, PagePolicy, Redirect, SetCookie};

use crate::{OpenStartLink, Opened};

impl OpenStartLink {
    pub(crate) async fn open(
        &self,
        link: &StartLink,
        exchange: &Exchange,
    ) -> Result<Opened, Problem> {
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let id = link.verified(keys).ok_or(Problem::InvalidSession)?;
        let now = self.clock.now();
        let found = self.authorizations.find(id, now).await?;
        let authorization = found.ok_or(Problem::InvalidSession)?;
        let began_it = exchange
            .cookie(&BindingCookie::name(&authorization.state))
            .and_then(BindingCookie::parse)
            .is_some_and(|cookie| authorization.is_bound_to(&cookie, keys));
        if let Some(end) = authorization.link_end(began_it, now) {
            let location = self.front_end.told_of_end(id, end);
            return Ok(Opened::SentOn(Redirect::to(location, exchange)));
        }
        self.ask(link, &authorization, keys, exchange)
            .map(Opened::Asked)
    }

    fn ask(
        &self,
        link: &StartLink,
        authorization: &Authorization,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Result<Page, Problem> {
        let cookie = link.page_cookie();
        // A page that is already open in this browser still works.
        let nonce = exchange.cookie(&cookie).map_or_else(
            || PageNonce::generate(&self.randomness),
            PageNonce::of_cookie,
        );
        exchange.set_cookie(SetCookie::page_nonce(cookie, &nonce, self.lifetime));
        let html = ConsentPage {
            agent: &self.agent,
            asked_at: authorization.expires_at.before(self.lifetime),
            country: exchange.country().as_ref(),
            scopes: &authorization.scopes,
            lasts: self.consent_lifetime,
            action: &link.own_segment(),
            page: &nonce.field(&authorization.id, keys),
        }
        .html(exchange.language().unwrap_or(self.language))
        .map_err(Problem::Internal)?;
        let agentcore: Origin = authorization.url.as_str().parse().map_err(|_| {
            Problem::Internal(Report::of("AgentCore's authorization URL has no origin"))
        })?;
        let policy = PagePolicy {
            style: &PAGE_STYLE_SOURCE,
            form_leads_to: &[
                agentcore,
                self.hosted_page.clone(),
                self.front_end_origin.clone(),
            ],
        };
        Ok(Page::new(html, &policy, exchange))
    }
}
