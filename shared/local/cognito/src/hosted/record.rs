//! The records of the hosted sign-in: pending sign-ins, authorization codes, and signed-in
//! browsers.
//!
//! The key of each is the hash of a random text that its holder has.

use local_kit::Millis;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::authorize::AuthorizationRequest;
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;

/// A kind of record.
pub(super) trait Kept: Serialize + DeserializeOwned {
    const KIND: &'static str;

    /// The record's user. The record is deleted with the user.
    fn username(&self) -> Option<&str>;
}

/// A sign-in under way, in one tab of one browser.
#[derive(Serialize, Deserialize)]
pub(super) struct PendingSignIn {
    pub(super) request: AuthorizationRequest,
    /// The hash of the browser's cookie: only this browser continues.
    pub(super) browser: Vec<u8>,
    pub(super) mailed: Option<Mailed>,
    pub(super) mails: u32,
}

/// A mailed code, or the pretended one of an unknown name.
#[derive(Serialize, Deserialize)]
pub(super) struct Mailed {
    pub(super) typed: String,
    pub(super) destination: String,
    /// `None`: no code was mailed, and every code is wrong.
    pub(super) username: Option<String>,
    pub(super) code: Vec<u8>,
    pub(super) until: Millis,
    pub(super) wrong: u32,
}

/// An authorization code (RFC 6749 section 4.1.2), bound to its request.
#[derive(Serialize, Deserialize)]
pub(super) struct AuthorizationCode {
    pub(super) request: AuthorizationRequest,
    pub(super) username: String,
    pub(super) auth_time: Millis,
    /// The sign-in of the tokens that it was exchanged for.
    pub(super) origin_jti: Option<String>,
}

/// A signed-in browser.
#[derive(Serialize, Deserialize)]
pub(super) struct SignedInBrowser {
    pub(super) username: String,
    pub(super) auth_time: Millis,
}

impl Kept for PendingSignIn {
    const KIND: &'static str = "sign_in";

    fn username(&self) -> Option<&str> {
        self.mailed.as_ref()?.username.as_deref()
    }
}

impl Kept for AuthorizationCode {
    const KIND: &'static str = "code";

    fn username(&self) -> Option<&str> {
        Some(&self.username)
    }
}

impl Kept for SignedInBrowser {
    const KIND: &'static str = "browser";

    fn username(&self) -> Option<&str> {
        Some(&self.username)
    }
}

/// A random text of 256 bits, the handle of a record or a browser.
pub(super) fn new_text(service: &Service) -> String {
    local_kit::base64url(service.random(), 32)
}

pub(super) fn hash_of(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// Keeps a record under its text, in place of the one before.
pub(super) fn keep<T: Kept>(
    connection: &Connection,
    pool: &Pool,
    text: &str,
    expires: Millis,
    record: &T,
) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO hosted (key, kind, pool, username, expires, document)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            hash_of(text),
            T::KIND,
            pool.id,
            record.username(),
            expires,
            serde_json::to_string(record)?
        ])?;
    Ok(())
}

/// The record of that text, with its end, if it is this pool's and in time.
pub(super) fn find<T: Kept>(
    connection: &Connection,
    pool: &Pool,
    text: &str,
    now: Millis,
) -> Result<Option<(T, Millis)>, Refusal> {
    let row: Option<(String, Millis)> = connection
        .prepare_cached(
            "SELECT document, expires FROM hosted
             WHERE key = ?1 AND kind = ?2 AND pool = ?3 AND expires > ?4",
        )?
        .query_row(params![hash_of(text), T::KIND, pool.id, now], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(match row {
        Some((document, expires)) => Some((serde_json::from_str(&document)?, expires)),
        None => None,
    })
}

pub(super) fn forget(connection: &Connection, text: &str) -> Result<(), Refusal> {
    connection
        .prepare_cached("DELETE FROM hosted WHERE key = ?1")?
        .execute([hash_of(text)])?;
    Ok(())
}
