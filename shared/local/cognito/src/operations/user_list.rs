//! `ListUsers`: pages, and the filter's little language.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::user::User;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    user_pool_id: String,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<i64>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

/// The maximum of users on one page, and the default if the caller sends no limit (or 0).
const PAGE: i64 = 60;

/// `ListUsers`, in the order of user names; the token is the last name of the page before.
pub(super) fn list(service: &Service, input: &ListInput) -> Result<Value, Refusal> {
    let filter = input
        .filter
        .as_deref()
        .filter(|filter| !filter.trim().is_empty())
        .map(Filter::parse)
        .transpose()?;
    let after = match &input.pagination_token {
        None => String::new(),
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|name| String::from_utf8(name).ok())
            .ok_or_else(|| Refusal::invalid("Invalid pagination token."))?,
    };
    let limit = input.limit.filter(|limit| *limit > 0).unwrap_or(PAGE);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    service.store.read(|connection| {
        let pool = Pool::find(connection, &input.user_pool_id)?;
        let mut statement = connection.prepare_cached(
            "SELECT document FROM users WHERE pool = ?1 AND username > ?2 ORDER BY username",
        )?;
        let mut rows = statement.query(params![pool.id, after])?;
        let mut shown = Vec::new();
        let mut last = None;
        let mut more = false;
        while let Some(row) = rows.next()? {
            let user: User = serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default())?;
            if !filter.as_ref().is_none_or(|filter| filter.takes(&user)) {
                continue;
            }
            if shown.len() == limit {
                more = true;
                break;
            }
            shown.push(entry(&user, input.attributes_to_get.as_deref())?);
            last = Some(user.username);
        }
        let mut answer = json!({"Users": shown});
        if let (true, Some(last)) = (more, last) {
            answer["PaginationToken"] = json!(URL_SAFE_NO_PAD.encode(last));
        }
        Ok(answer)
    })
}

/// A user's entry in the list, with the requested attributes. A user who lacks one of them fails
/// the whole page (API reference, `AttributesToGet`).
fn entry(user: &User, wanted: Option<&[String]>) -> Result<Value, Refusal> {
    let mut entry = user.shown("Attributes");
    if let (Some(wanted), Some(attributes)) = (wanted, entry["Attributes"].as_array_mut()) {
        attributes.retain(|attribute| wanted.iter().any(|name| attribute["Name"] == name.as_str()));
        let distinct: BTreeSet<&String> = wanted.iter().collect();
        if attributes.len() < distinct.len() {
            return Err(Refusal::invalid(
                "One or more requested attributes do not exist.",
            ));
        }
    }
    Ok(entry)
}

/// `name = "value"` or `name ^= "value"`: one comparison, its value in double quotes, quotes and
/// backslashes within it behind a backslash.
struct Filter {
    attribute: Searchable,
    is_prefix: bool,
    value: String,
}

/// The search fields of `ListUsers` (API reference, `Filter`). Custom attributes are not among
/// them.
enum Searchable {
    Username,
    Sub,
    /// `cognito:user_status`, in any letter case.
    UserStatus,
    /// `Enabled` or `Disabled`.
    Status,
    Standard(String),
}

impl Searchable {
    fn named(name: &str) -> Result<Self, Refusal> {
        Ok(match name {
            "username" => Self::Username,
            "sub" => Self::Sub,
            "cognito:user_status" => Self::UserStatus,
            "status" => Self::Status,
            "email" | "phone_number" | "name" | "given_name" | "family_name"
            | "preferred_username" => Self::Standard(name.to_owned()),
            _ => {
                return Err(Refusal::invalid(format!(
                    "Invalid search attribute: {name}"
                )));
            }
        })
    }
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::invalid("Error while parsing filter expression.");
        let (name, rest) = name(text.trim_start()).ok_or_else(bad)?;
        let rest = rest.trim_start();
        let (is_prefix, rest) = match rest.strip_prefix("^=") {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix('=').ok_or_else(bad)?),
        };
        let (value, rest) = quoted(rest.trim_start()).ok_or_else(bad)?;
        if !rest.trim().is_empty() {
            return Err(bad());
        }
        Ok(Self {
            attribute: Searchable::named(&name)?,
            is_prefix,
            value,
        })
    }

    fn takes(&self, user: &User) -> bool {
        match &self.attribute {
            Searchable::Username => self.fits(&user.username),
            Searchable::Sub => self.fits(&user.sub),
            Searchable::Status => self.fits(if user.enabled { "Enabled" } else { "Disabled" }),
            Searchable::UserStatus => {
                let value = self.value.to_uppercase();
                let status = user.status.name();
                status == value || (self.is_prefix && status.starts_with(&value))
            }
            Searchable::Standard(name) => {
                let found = user.attributes.get(name);
                found.is_some_and(|found| self.fits(found))
            }
        }
    }

    fn fits(&self, found: &str) -> bool {
        if self.is_prefix {
            found.starts_with(&self.value)
        } else {
            found == self.value
        }
    }
}

/// An attribute's name, in quotes or bare, and the text after it.
fn name(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        return quoted(text);
    }
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '=' | '^' | '"');
    let (name, rest) = text.split_at(text.find(ends)?);
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// The text between double quotes, and the text after the second quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = inside.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &inside[place + 1..])),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}
