//! The domain of a pool, under which its hosted sign-in is reached.

use rusqlite::{Connection, OptionalExtension as _, params};
use url::Url;

use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;

/// Names that AWS keeps for itself.
const RESERVED: [&str; 3] = ["amazon", "aws", "cognito"];

/// A pool and the domain that it is reached under.
#[derive(Clone)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) pool: Pool,
}

impl Domain {
    pub(crate) fn find(service: &Service, name: &str) -> Result<Option<Self>, Refusal> {
        service.store.read(|connection| {
            let pool = owner(connection, name)?;
            let pool = match pool {
                Some(id) => Pool::look_for(connection, &id)?,
                None => None,
            };
            Ok(pool.map(|pool| Self {
                name: name.to_owned(),
                pool,
            }))
        })
    }

    /// The path of the pages, which may lie below one of the host's own.
    pub(crate) fn path(&self, service: &Service) -> String {
        let url = service.domain_url(&self.name);
        Url::parse(&url).map_or_else(|_| format!("/{}", self.name), |url| url.path().to_owned())
    }
}

/// The name of a pool's domain.
pub(crate) fn domain_of(connection: &Connection, pool: &str) -> Result<Option<String>, Refusal> {
    Ok(connection
        .prepare_cached("SELECT domain FROM domains WHERE pool = ?1")?
        .query_row([pool], |row| row.get(0))
        .optional()?)
}

/// Gives a pool its domain. Refused if the pool has another domain, or the domain another pool.
pub(crate) fn assign(connection: &Connection, pool: &Pool, domain: &str) -> Result<(), Refusal> {
    if let Some(word) = RESERVED.iter().find(|word| domain.contains(*word)) {
        return Err(Refusal::invalid(format!(
            "Domain cannot contain reserved word: {word}"
        )));
    }
    if owner(connection, domain)?.is_some() {
        return Err(Refusal::invalid(
            "Domain already associated with another user pool.",
        ));
    }
    if domain_of(connection, &pool.id)?.is_some() {
        return Err(Refusal::invalid(
            "User pool already has a domain configured.",
        ));
    }
    connection.execute(
        "INSERT INTO domains (domain, pool) VALUES (?1, ?2)",
        params![domain, pool.id],
    )?;
    Ok(())
}

/// The id of the pool that has this domain.
pub(crate) fn owner(connection: &Connection, domain: &str) -> Result<Option<String>, Refusal> {
    Ok(connection
        .prepare_cached("SELECT pool FROM domains WHERE domain = ?1")?
        .query_row([domain], |row| row.get(0))
        .optional()?)
}
