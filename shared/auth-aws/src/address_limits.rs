//! The limits that can lock a person out of their own account. An operator reads and clears their
//! counts. Known devices and networks have other limits, which an address does not reveal.

use std::collections::HashMap;

use auth_domain::{
    CodeMailLimits, Email, KeyRing, Limit, LimitState, LimitSubject, Mailbox, Problem, Timestamp,
    UserSub,
};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use tokio::try_join;

use crate::{
    ConfigurationError, Limits, Platform,
    batches::read_batch,
    clients::dynamodb,
    items::{Item, get_text},
    limits::{EVENTS, MAILS, STRANGERS, code_mail_key, key, log_state, own_list},
};

/// The limits on addresses and on their users.
#[derive(Clone)]
pub struct AddressLimits {
    limits: Limits,
    client: Client,
    table: String,
    mails: CodeMailLimits,
    start_mails: Limit,
    recovery_mails: Limit,
    codes: Limit,
    recovery_codes: Limit,
    passwords: Limit,
    second_factors: Limit,
}

/// The subjects under which an address and its user are counted.
struct Counted {
    mails: AttributeValue,
    codes: AttributeValue,
    recovery_codes: AttributeValue,
    passwords: AttributeValue,
    second_factors: Option<AttributeValue>,
}

impl AddressLimits {
    /// Limits as the environment sets them, counted in the table that `CHALLENGES_TABLE_NAME`
    /// names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            limits: Limits::new(platform)?,
            client: dynamodb(platform)?,
            table: environment.text("CHALLENGES_TABLE_NAME")?.to_owned(),
            mails: environment.code_mails()?,
            start_mails: environment.start_mails()?,
            recovery_mails: environment.recovery_mails()?,
            codes: environment.otp_failures()?,
            recovery_codes: environment.recovery_failures()?,
            passwords: environment.login_failures()?,
            second_factors: environment.second_factor_failures()?,
        })
    }

    /// The state of each limit, in one read.
    pub async fn states(
        &self,
        email: &Email,
        user: Option<&UserSub>,
        keys: &KeyRing,
        now: Timestamp,
    ) -> Result<Vec<LimitState>, Problem> {
        let counted = self.counted(email, user, keys);
        let mut wanted = vec![
            counted.mails.clone(),
            counted.codes.clone(),
            counted.recovery_codes.clone(),
            counted.passwords.clone(),
        ];
        wanted.extend(counted.second_factors.clone());
        let items = self.read(wanted).await?;
        let state = |key: &AttributeValue, list: &str, limit: &Limit| {
            let nothing = Item::new();
            let item = key.as_s().ok().and_then(|key| items.get(key));
            log_state(list, limit, item.unwrap_or(&nothing), now)
        };
        let mut states = vec![
            state(&counted.mails, STRANGERS, &self.mails.strangers_per_hour),
            state(&counted.mails, STRANGERS, &self.mails.strangers_per_day),
            state(&counted.mails, MAILS, &self.mails.total_per_day),
            state(
                &counted.mails,
                &own_list(&self.start_mails),
                &self.start_mails,
            ),
            state(
                &counted.mails,
                &own_list(&self.recovery_mails),
                &self.recovery_mails,
            ),
            state(&counted.codes, EVENTS, &self.codes),
            state(&counted.recovery_codes, EVENTS, &self.recovery_codes),
            state(&counted.passwords, EVENTS, &self.passwords),
        ];
        if let Some(key) = &counted.second_factors {
            states.push(state(key, EVENTS, &self.second_factors));
        }
        Ok(states)
    }

    /// Clears the count of each limit.
    pub async fn clear(
        &self,
        email: &Email,
        user: Option<&UserSub>,
        keys: &KeyRing,
    ) -> Result<(), Problem> {
        let counted = self.counted(email, user, keys);
        let second_factors = async {
            match counted.second_factors {
                Some(key) => self.limits.forget(key).await,
                None => Ok(()),
            }
        };
        try_join!(
            self.limits.forget(counted.mails),
            self.limits.forget(counted.codes),
            self.limits.forget(counted.recovery_codes),
            self.limits.forget(counted.passwords),
            second_factors,
        )?;
        Ok(())
    }

    fn counted(&self, email: &Email, user: Option<&UserSub>, keys: &KeyRing) -> Counted {
        let strangers = LimitSubject::address(email, keys);
        Counted {
            mails: code_mail_key(&LimitSubject::mailbox(&Mailbox::of(email), keys)),
            codes: key(self.codes.name, &strangers),
            recovery_codes: key(self.recovery_codes.name, &strangers),
            passwords: key(self.passwords.name, &strangers),
            second_factors: user.map(|sub| key(self.second_factors.name, LimitSubject::user(sub))),
        }
    }

    /// The items of these keys, by key.
    async fn read(&self, keys: Vec<AttributeValue>) -> Result<HashMap<String, Item>, Problem> {
        let keys = keys
            .into_iter()
            .map(|key| Item::from([("pk".to_owned(), key)]));
        let keys = [(self.table.as_str(), keys.collect())];
        let found = read_batch(&self.client, keys, "read the limits").await?;
        let items = found.into_values().flatten();
        let keyed = items.filter_map(|item| Some((get_text(&item, "pk")?.to_owned(), item)));
        Ok(keyed.collect())
    }
}
