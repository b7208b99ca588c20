//! Codes that prove another address, in the challenges table under the hash of their session token.

use std::time::Duration;

use auth_domain::{
    AddressCode, AddressCodeHash, AddressCodeId, AddressCodeRules, AttemptId, Email, Problem,
    ProofBinding, Timestamp,
};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    ConfigurationError, Platform,
    attempts::{self, counted, counting},
    challenges::Challenges,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_text, millis, number, text, unreadable,
    },
};

/// How long a code is kept after its end: a late one is "expired", not "unknown".
const KEPT: Duration = Duration::from_hours(1);

/// Codes for addresses, in the challenges table.
#[derive(Clone)]
pub struct AddressCodes {
    challenges: Challenges,
}

impl AddressCodes {
    /// Codes in the table that `CHALLENGES_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
        })
    }

    /// Remembers a code, which counts for what it is bound to.
    pub async fn begin(
        &self,
        id: &AddressCodeId,
        code: &AddressCode,
        binding: &ProofBinding,
    ) -> Result<(), Problem> {
        let mut put = self
            .challenges
            .put(key(id))
            .item("email", text(code.to.as_str()))
            .item("boundTo", text(binding.as_str()))
            .item("expiresAt", millis(code.expires_at))
            .item("ttl", number(code.expires_at.after(KEPT).as_seconds()));
        if let Some(hash) = &code.code {
            put = put.item("code", text(hash.as_str()));
        }
        if let Some(since) = code.since {
            put = put.item("addressSince", millis(since));
        }
        put.send()
            .await
            .map(drop)
            .map_err(failure("remember the address's code"))
            .map_err(Problem::from)
    }

    /// Counts an attempt and checks whose code it is, its time and its budget, in one conditional
    /// write.
    pub async fn claim(
        &self,
        id: &AddressCodeId,
        binding: &ProofBinding,
        attempt: &AttemptId,
        now: Timestamp,
        rules: &AddressCodeRules,
    ) -> Result<AddressCode, Problem> {
        let (write, is_theirs) = (
            self.challenges.update(key(id)),
            "boundTo = :boundTo AND expiresAt > :now",
        );
        let write = counting(write, is_theirs, attempt, rules.attempts)
            .expression_attribute_values(":boundTo", text(binding.as_str()))
            .expression_attribute_values(":now", millis(now));
        match conditional_update(write, "count the attempt").await? {
            Written::Made(item) => read(&item),
            Written::Refused(item) => Err(refusal(item.as_ref(), binding, now, rules)),
        }
    }

    /// Gives back an attempt that is not to count.
    pub async fn give_back(&self, id: &AddressCodeId, attempt: &AttemptId) -> Result<(), Problem> {
        attempts::give_back(self.challenges.update(key(id)), attempt).await
    }
}

fn key(id: &AddressCodeId) -> AttributeValue {
    text(format!("address-code#{id}"))
}

fn read(item: &Item) -> Result<AddressCode, Problem> {
    address_code(item)
        .ok_or_else(|| Problem::Internal(unreadable("an address's code does not read back")))
}

fn address_code(item: &Item) -> Option<AddressCode> {
    Some(AddressCode {
        to: Email::parse(get_text(item, "email")?).ok()?,
        since: get_millis(item, "addressSince"),
        code: get_text(item, "code").map(AddressCodeHash::stored),
        attempts: counted(item),
        expires_at: get_millis(item, "expiresAt")?,
    })
}

/// Why a write's condition did not hold. Another session's code is not told from an unknown one.
fn refusal(
    item: Option<&Item>,
    binding: &ProofBinding,
    now: Timestamp,
    rules: &AddressCodeRules,
) -> Problem {
    let own = item.filter(|item| get_text(item, "boundTo") == Some(binding.as_str()));
    let Some(item) = own else {
        return Problem::InvalidSession;
    };
    match read(item) {
        Ok(code) => code.refusal(now, rules).unwrap_or(Problem::InvalidSession),
        Err(problem) => problem,
    }
}
