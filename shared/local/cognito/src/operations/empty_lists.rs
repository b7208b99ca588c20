//! Lists of resources that pools here lack: groups, identity providers, resource servers. Consoles
//! and libraries read them first.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::user::User;

/// The pool or the user of the list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    user_pool_id: String,
    username: Option<String>,
    /// No list has a second page, so no token is one of ours.
    #[serde(alias = "PaginationToken")]
    next_token: Option<String>,
}

/// `ListGroups`, `AdminListGroupsForUser`, `ListIdentityProviders`, `ListResourceServers`.
pub(super) fn list(service: &Service, called: &str, input: &ListInput) -> Result<Value, Refusal> {
    if input.next_token.is_some() {
        return Err(Refusal::invalid("Invalid pagination token."));
    }
    service.store.read(|connection| {
        let pool = Pool::find(connection, &input.user_pool_id)?;
        if let Some(username) = &input.username {
            User::find(connection, &pool, username)?;
        }
        Ok(json!({ called: [] }))
    })
}
