//! The completion of every finished sign-in.

use std::time::Duration;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{DeviceCookie, Notice, TokenDelivery, Tokens};
use auth_lambda::{Exchange, Metric};

use crate::{Arrived, Notices, Requester};

/// Completes finished sign-ins.
#[derive(Clone)]
pub struct Welcomes {
    notices: Notices,
    refresh_token_lifetime: Duration,
}

impl Welcomes {
    /// Sign-ins of the deployment that the environment describes.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            notices: Notices::new(platform)?,
            refresh_token_lifetime: platform.environment().refresh_token_lifetime()?,
        })
    }

    /// Prepares for the notice that a sign-in on a new device sends. A browser that has signed in
    /// before needs none, as a rule.
    pub(crate) fn expect_mail(&self, exchange: &Exchange) {
        let mut devices = exchange.cookies_with_prefix(DeviceCookie::PREFIX);
        if exchange.is_http() && devices.next().is_none() {
            self.notices.expect_mail();
        }
    }

    /// Completes a sign-in: tells a returning guest of a new device, and hands out the tokens.
    pub async fn welcome(
        &self,
        requester: &Requester<'_>,
        arrived: &Arrived,
        tokens: Tokens,
        token_delivery: TokenDelivery,
    ) -> Tokens {
        self.tell_of_new_device(requester, arrived).await;
        self.hand_out(requester, arrived, tokens, token_delivery)
    }

    /// Tells a returning guest of a new device. A failed notice is logged and counted, and does not
    /// fail the sign-in.
    pub(crate) async fn tell_of_new_device(&self, requester: &Requester<'_>, arrived: &Arrived) {
        let (exchange, email) = (requester.exchange(), requester.email());
        let locale = arrived.guest.locale.as_ref();
        if arrived.returns && requester.device().is_none() && exchange.is_http() {
            let notice = Notice::NewDeviceSignedIn;
            self.notices.tell_at(email, locale, notice, exchange).await;
        }
    }

    /// Counts a sign-in, remembers the device, and sends the tokens in the requested way.
    pub(crate) fn hand_out(
        &self,
        requester: &Requester<'_>,
        arrived: &Arrived,
        tokens: Tokens,
        token_delivery: TokenDelivery,
    ) -> Tokens {
        let exchange = requester.exchange();
        exchange.count(Metric::SignIns);
        requester.remember_device(&arrived.guest, arrived.spares_second_factor);
        exchange.deliver(tokens, token_delivery, self.refresh_token_lifetime)
    }
}
