//! The resources of grants, and the grants.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// One action on one resource, such as `guests:GetItem`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Grant {
    resource: String,
    action: String,
}

impl Grant {
    /// The name of the resource that it is granted on.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The action without its service, such as `Query`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }
}

impl TryFrom<String> for Grant {
    type Error = MalformedGrant;

    fn try_from(text: String) -> Result<Self, MalformedGrant> {
        let parsed = text.split_once(':').and_then(|(resource, action)| {
            let well_formed = !resource.is_empty()
                && resource
                    .chars()
                    .all(|one| one.is_ascii_lowercase() || one == '-')
                && action.starts_with(|first: char| first.is_ascii_uppercase())
                && action.chars().all(|one| one.is_ascii_alphanumeric());
            well_formed.then(|| Self {
                resource: resource.to_owned(),
                action: action.to_owned(),
            })
        });
        parsed.ok_or(MalformedGrant(text))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.resource, self.action)
    }
}

/// The text is not `<resource>:<Action>`.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a grant: want <resource>:<Action>")]
pub struct MalformedGrant(String);

/// Something in AWS that functions may be granted actions on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The name in grants.
    pub name: String,
    /// The service, the prefix of IAM's actions.
    pub service: String,
    /// The resource's description.
    pub meaning: String,
    /// The actions that may be granted on it. There is none for a transaction: IAM checks the
    /// actions that it consists of.
    pub actions: Vec<String>,
    /// The table, if the resource is one.
    pub table: Option<Table>,
}

/// A `DynamoDB` table. Its keys are strings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The attribute of its partition key.
    pub key: String,
    /// The attribute of its sort key; `None` if the partition key alone names an item.
    pub sort: Option<String>,
    /// The attribute with an item's expiry in seconds since the epoch; `None` if no item expires.
    pub ttl: Option<String>,
    /// Whether a stream carries its items as they are written, for events and copies.
    #[serde(default)]
    pub stream: bool,
    /// The indexes by their names. An index projects all attributes.
    #[serde(default)]
    pub indexes: BTreeMap<String, Index>,
    /// The setting with the table's name.
    pub setting: String,
    /// The content of an item, by the form of its key.
    pub items: BTreeMap<String, String>,
}

/// The key of a table's index.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The attribute of the key, a text.
    pub key: String,
    /// The attribute that sorts items of one key, a number; `None` if they are not sorted.
    pub sort: Option<String>,
}

/// A resource of `x-latchkey-resources`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceItem {
    service: String,
    meaning: String,
    actions: Vec<String>,
    table: Option<Table>,
}

impl ResourceItem {
    pub(super) fn named(self, name: String) -> Resource {
        Resource {
            name,
            service: self.service,
            meaning: self.meaning,
            actions: self.actions,
            table: self.table,
        }
    }
}
