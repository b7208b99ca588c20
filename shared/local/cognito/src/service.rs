//! The service behind the operations: options, state, keys, functions, and helpers for several
//! operations.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_kit::{Gates, Millis, Random, State};
use ring::hmac;
use rusqlite::{Connection, params};
use subtle::ConstantTimeEq as _;

use crate::app_client::AppClient;
use crate::domain::domain_of;
use crate::keys::{KeyMaterial, PoolKeys};
use crate::mail::Mail;
use crate::options::{
    AddressClash, EarlierCodes, EarlyPassword, HourlyLimits, OpenError, Options, PromptLogin,
    UnknownUser,
};
use crate::pool::{Pool, PoolSettings};
use crate::refusal::Refusal;
use crate::store::{self, LAYOUT, Store};
use crate::trigger::Functions;
use crate::user::User;

/// Passwords of one user are checked one after another, so that concurrent guesses cannot outrun
/// the lock. All users share this many gates.
const GATES: usize = 256;

pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) functions: Functions,
    /// Authenticates issued sessions.
    pub(crate) session_key: [u8; 32],
    keys: RwLock<HashMap<String, Arc<PoolKeys>>>,
    /// Held while keys are made.
    making: Mutex<()>,
    /// A turn for each user's password.
    password_turns: Gates,
    switches: Mutex<Switches>,
    drawn: AtomicU64,
}

#[derive(Clone, Copy)]
struct Switches {
    unknown_user: UnknownUser,
    earlier_codes: EarlierCodes,
    address_clash: AddressClash,
    early_password: EarlyPassword,
    prompt_login: PromptLogin,
    sign_in_codes: u32,
}

/// The simulated answer of choice-based sign-in for an unknown name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pretence {
    EmailOtp,
    AllFactors,
    Passkey,
    SelectChallenge,
}

impl Service {
    pub(crate) fn open(options: Options) -> Result<Self, OpenError> {
        let store = Store::open(&options.state, LAYOUT)?;
        let fresh = local_kit::bytes(&options.random);
        let now = local_kit::millis(&options.clock);
        let session_key = store.prepare(|connection| {
            store::fail_interrupted_imports(connection, now)?;
            session_key(connection, fresh)
        })?;
        let functions = Functions::new(options.lambda_url.clone(), options.lambda_limit)?;
        let switches = Switches {
            unknown_user: options.unknown_user,
            earlier_codes: options.earlier_codes,
            address_clash: options.address_clash,
            early_password: options.early_password,
            prompt_login: options.prompt_login,
            sign_in_codes: options.hourly_limits.sign_in_codes,
        };
        Ok(Self {
            options,
            store,
            functions,
            session_key,
            keys: RwLock::default(),
            making: Mutex::default(),
            password_turns: Gates::new(GATES),
            switches: Mutex::new(switches),
            drawn: AtomicU64::new(0),
        })
    }

    pub(crate) fn now(&self) -> Millis {
        local_kit::millis(&self.options.clock)
    }

    pub(crate) fn random(&self) -> &Random {
        &self.options.random
    }

    /// Call this after the mail's subject is stored, and never under the store's lock.
    pub(crate) fn send(&self, mail: Mail) {
        (self.options.mail)(mail);
    }

    pub(crate) fn issuer(&self, pool: &str) -> String {
        format!("{}/{pool}", self.options.public_url.trim_end_matches('/'))
    }

    /// The address of a domain's hosted sign-in, without a slash at the end.
    pub(crate) fn domain_url(&self, domain: &str) -> String {
        format!("{}/{domain}", self.options.public_url.trim_end_matches('/'))
    }

    pub(crate) fn set_unknown_user(&self, unknown_user: UnknownUser) {
        self.with_switches(|switches| switches.unknown_user = unknown_user);
    }

    pub(crate) fn set_earlier_codes(&self, earlier_codes: EarlierCodes) {
        self.with_switches(|switches| switches.earlier_codes = earlier_codes);
    }

    pub(crate) fn set_address_clash(&self, address_clash: AddressClash) {
        self.with_switches(|switches| switches.address_clash = address_clash);
    }

    pub(crate) fn address_clash(&self) -> AddressClash {
        self.with_switches(|switches| switches.address_clash)
    }

    pub(crate) fn set_early_password(&self, early_password: EarlyPassword) {
        self.with_switches(|switches| switches.early_password = early_password);
    }

    pub(crate) fn early_password(&self) -> EarlyPassword {
        self.with_switches(|switches| switches.early_password)
    }

    pub(crate) fn set_prompt_login(&self, prompt_login: PromptLogin) {
        self.with_switches(|switches| switches.prompt_login = prompt_login);
    }

    pub(crate) fn prompt_login(&self) -> PromptLogin {
        self.with_switches(|switches| switches.prompt_login)
    }

    pub(crate) fn set_sign_in_codes(&self, an_hour: u32) {
        self.with_switches(|switches| switches.sign_in_codes = an_hour);
    }

    pub(crate) fn hourly_limits(&self) -> HourlyLimits {
        HourlyLimits {
            sign_in_codes: self.with_switches(|switches| switches.sign_in_codes),
            ..self.options.hourly_limits
        }
    }

    pub(crate) fn earlier_codes(&self) -> EarlierCodes {
        self.with_switches(|switches| switches.earlier_codes)
    }

    /// Which answer an unknown name gets this time.
    pub(crate) fn pretence(&self) -> Pretence {
        match self.with_switches(|switches| switches.unknown_user) {
            UnknownUser::EmailOtp => Pretence::EmailOtp,
            UnknownUser::AllFactors => Pretence::AllFactors,
            UnknownUser::Passkey => Pretence::Passkey,
            UnknownUser::SelectChallenge => Pretence::SelectChallenge,
            UnknownUser::Varying { seed } => {
                let mut hasher = DefaultHasher::new();
                (seed, self.drawn.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
                match hasher.finish() % 4 {
                    0 => Pretence::EmailOtp,
                    1 => Pretence::AllFactors,
                    2 => Pretence::Passkey,
                    _ => Pretence::SelectChallenge,
                }
            }
        }
    }

    fn with_switches<T>(&self, act: impl FnOnce(&mut Switches) -> T) -> T {
        act(&mut self.switches.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for the turn of this user's password.
    pub(crate) async fn password_turn(
        &self,
        pool: &str,
        username: &str,
    ) -> tokio::sync::MutexGuard<'_, ()> {
        self.password_turns.turn(&(pool, username)).await
    }

    /// The keys of a pool. They are read once; the first use may have to make them, which takes
    /// some tenths of a second.
    pub(crate) fn keys(&self, pool: &str) -> Result<Arc<PoolKeys>, Refusal> {
        if let Some(keys) = self.known_keys(pool) {
            return Ok(keys);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = self.known_keys(pool) {
            return Ok(keys);
        }
        let material = match self
            .store
            .read(|connection| stored_keys(connection, pool))?
        {
            Some(material) => material,
            None => self.make_keys(pool)?,
        };
        let keys = PoolKeys::open(&material).map_err(|cause| Refusal::internal(&cause))?;
        self.keys
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pool.to_owned(), Arc::clone(&keys));
        Ok(keys)
    }

    fn known_keys(&self, pool: &str) -> Option<Arc<PoolKeys>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(pool).cloned()
    }

    /// Makes a pool's keys, and returns those of another process if it was the first to keep some.
    fn make_keys(&self, pool: &str) -> Result<KeyMaterial, Refusal> {
        let before = self.store.read(|connection| {
            Pool::find(connection, pool)?;
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FROM pools WHERE rowid < (SELECT rowid FROM pools WHERE id = ?1)",
            )?;
            Ok(statement.query_row([pool], |row| row.get(0))?)
        })?;
        let material = match self.options.state {
            State::Memory => KeyMaterial::shared(before),
            State::File(_) => KeyMaterial::generate(),
        }
        .map_err(|cause| Refusal::internal(&cause))?;
        self.store.change(self.now(), |transaction| {
            Pool::find(transaction, pool)?;
            transaction.execute(
                "INSERT OR IGNORE INTO pool_keys (pool, id, access) VALUES (?1, ?2, ?3)",
                params![pool, material.id, material.access],
            )?;
            Ok(stored_keys(transaction, pool)?.unwrap_or(material))
        })
    }

    /// Call this after the pool is deleted. Keys still in the making are then not stored.
    pub(crate) fn forget_keys(&self, pool: &str) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        self.keys
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(pool);
    }

    /// Makes a pool. If another request makes the same pool at the same moment, that one wins, and
    /// this call returns its pool.
    ///
    /// A thread makes the pool's keys. Only a request that needs them waits for it.
    pub(crate) fn create_pool(
        self: &Arc<Self>,
        id: Option<String>,
        settings: &PoolSettings,
    ) -> Result<Pool, Refusal> {
        settings.check()?;
        let now = self.now();
        let id = id.unwrap_or_else(|| {
            let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
            format!(
                "{}_{}",
                self.options.region,
                local_kit::letters(self.random(), letters, 9)
            )
        });
        let pool = self.store.change(now, |transaction| {
            transaction.execute(
                "INSERT OR IGNORE INTO pools (id, name, settings, created, modified) VALUES (?1, ?2, ?3, ?4, ?4)",
                params![
                    id,
                    settings.pool_name,
                    serde_json::to_string(settings)?,
                    now
                ],
            )?;
            Pool::find(transaction, &id)
        })?;
        let service = Arc::clone(self);
        // The next reader of the keys makes them again, and hears why that fails.
        thread::spawn(move || service.keys(&id).is_ok());
        Ok(pool)
    }

    /// The domain name of a pool's passkeys: the configured one, or the pool's domain. `None` if it
    /// has neither.
    pub(crate) fn relying_party(&self, pool: &Pool) -> Result<Option<String>, Refusal> {
        let configured = pool.settings.web_authn_configuration.as_ref();
        if let Some(name) = configured.and_then(|passkeys| passkeys.relying_party_id.clone()) {
            return Ok(Some(name));
        }
        let domain = self
            .store
            .read(|connection| domain_of(connection, &pool.id))?;
        let host = domain.and_then(|domain| {
            let url = url::Url::parse(&self.domain_url(&domain)).ok()?;
            url.domain().map(str::to_owned)
        });
        Ok(host)
    }

    /// The simulated passkey of an unknown name: the same every time.
    pub(crate) fn simulated_passkey(&self, pool: &str, typed: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.session_key);
        let tag = hmac::sign(&key, format!("passkey {pool} {typed}").as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// The made-up name of a user who does not exist, in the form of a generated one and the same
    /// every time.
    pub(crate) fn simulated_name(&self, pool: &str, typed: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.session_key);
        let tag = hmac::sign(&key, format!("name {pool} {typed}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&tag.as_ref()[..16]);
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// A new app client id: 26 characters, as AWS makes them.
    pub(crate) fn new_client_id(&self) -> String {
        local_kit::letters(self.random(), b"0123456789abcdefghijklmnopqrstuvwxyz", 26)
    }

    /// A new app client secret: 51 characters, as AWS makes them.
    pub(crate) fn new_client_secret(&self) -> String {
        local_kit::letters(self.random(), b"0123456789abcdefghijklmnopqrstuvwxyz", 51)
    }
}

/// The key that authenticates sessions: `fresh` if the state has none yet.
fn session_key(connection: &Connection, fresh: [u8; 32]) -> rusqlite::Result<[u8; 32]> {
    connection.execute(
        "INSERT OR IGNORE INTO keys (name, key) VALUES ('session', ?1)",
        [fresh],
    )?;
    let kept = "SELECT key FROM keys WHERE name = 'session'";
    connection.query_row(kept, [], |row| row.get(0))
}

fn stored_keys(connection: &Connection, pool: &str) -> Result<Option<KeyMaterial>, Refusal> {
    let mut statement =
        connection.prepare_cached("SELECT id, access FROM pool_keys WHERE pool = ?1")?;
    let mut rows = statement.query([pool])?;
    Ok(match rows.next()? {
        Some(row) => Some(KeyMaterial {
            id: row.get(0)?,
            access: row.get(1)?,
        }),
        None => None,
    })
}

/// Checks a `SECRET_HASH` with the client's secret: Base64(HMAC-SHA256(secret, user name + client
/// id)).
///
/// The user name may be the typed one or the user's real one: after the first step callers use the
/// name in the challenge.
pub(crate) fn check_secret_hash(
    client: &AppClient,
    given: Option<&str>,
    typed: &str,
    user: Option<&User>,
) -> Result<(), Refusal> {
    if !client.is_confidential() {
        return Ok(());
    }
    let Some(given) = given else {
        return Err(Refusal::not_authorized(format!(
            "Client {} is configured with secret but SECRET_HASH was not received",
            client.id
        )));
    };
    let fits = |name: &str| {
        client.secrets.iter().any(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.value.as_bytes());
            let tag = hmac::sign(&key, format!("{name}{}", client.id).as_bytes());
            bool::from(STANDARD.encode(tag).as_bytes().ct_eq(given.as_bytes()))
        })
    };
    if fits(typed) || user.is_some_and(|user| fits(&user.username)) {
        Ok(())
    } else {
        Err(Refusal::not_authorized(format!(
            "Unable to verify secret hash for client {}",
            client.id
        )))
    }
}

/// Compares a sent secret with the client's.
pub(crate) fn is_client_secret(client: &AppClient, given: Option<&str>) -> bool {
    if !client.is_confidential() {
        return true;
    }
    let given = given.unwrap_or_default().as_bytes();
    let mut secrets = client.secrets.iter();
    secrets.any(|secret| secret.value.as_bytes().ct_eq(given).into())
}
