//! The secrets: the app client's, and the keys of hashes and cookies.

use std::{fmt, sync::Arc, time::Duration};

use auth_domain::{Clock, InvalidKey, Key, KeyRing, Problem, Report, Timestamp};
use aws_sdk_secretsmanager::Client;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    ConfigurationError, Platform, boxed::Boxed as _, clients::secrets_manager, failure::failure,
};

/// How long a warm function caches the secrets. A rotation reaches every function within this time,
/// without a deployment.
const BELIEVED_FOR: Duration = Duration::from_mins(5);

/// The secret's content, as JSON: `{"clientSecret":"…","keys":{"current":"<base64 of 32
/// bytes>","previous":"…"},"earlierKeys":[{"key":"…"}]}`. Other parts of a deployment may add their
/// own fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    client_secret: String,
    keys: StoredKeys,
    /// The keys before the previous one, as long as refresh tokens with their marks live.
    #[serde(default)]
    earlier_keys: Vec<StoredEarlierKey>,
}

#[derive(Deserialize)]
struct StoredEarlierKey {
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredKeys {
    current: String,
    previous: Option<String>,
}

/// The secrets as they were at one time.
pub struct SecretSet {
    client_secret: String,
    keys: KeyRing,
}

impl fmt::Debug for SecretSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretSet(…)")
    }
}

impl SecretSet {
    fn parse(text: &str) -> Result<Self, Report> {
        // serde's own error would quote the invalid text.
        let stored: Stored = serde_json::from_str(text)
            .map_err(|_| Report::of("the secret is not the JSON that it should be"))?;
        let key = |text: &str| {
            Key::parse(text)
                .map_err(|error: InvalidKey| Report::new("parse a key of the secret", error))
        };
        let previous = stored.keys.previous.as_deref().map(key).transpose()?;
        let earlier = stored.earlier_keys.iter().map(|earlier| key(&earlier.key));
        let earlier = earlier.collect::<Result<_, _>>()?;
        Ok(Self {
            client_secret: stored.client_secret,
            keys: KeyRing::new(key(&stored.keys.current)?, previous).with_earlier(earlier),
        })
    }

    /// The keys of hashes and cookies.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub(crate) fn client_secret(&self) -> &str {
        &self.client_secret
    }
}

/// The read value, and the time of the read.
type Read = (Timestamp, Arc<SecretSet>);

/// Reads the secrets once, and again when the cache has expired.
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    secret_id: String,
    clock: Clock,
    read: Arc<Mutex<Option<Read>>>,
}

impl Secrets {
    /// Secrets of the id in `SECRETS_ID`: the same for all capabilities of a function.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        platform.clients().secrets(|| {
            Ok(Self {
                client: secrets_manager(platform)?,
                secret_id: platform.environment().text("SECRETS_ID")?.to_owned(),
                clock: platform.clock(),
                read: Arc::default(),
            })
        })
    }

    /// The secrets, from the cache while it is fresh.
    pub async fn get(&self) -> Result<Arc<SecretSet>, Problem> {
        let mut read = self.read.lock().await;
        let now = self.clock.now();
        if let Some((at, secrets)) = &*read
            && now < at.after(BELIEVED_FOR)
        {
            return Ok(Arc::clone(secrets));
        }
        let secrets = self.fetch().await?;
        *read = Some((now, Arc::clone(&secrets)));
        Ok(secrets)
    }

    /// Reads the secrets again, after the cached ones turned out to be old because of a rotation.
    pub(crate) async fn get_anew(&self) -> Result<Arc<SecretSet>, Problem> {
        *self.read.lock().await = None;
        self.get().await
    }

    async fn fetch(&self) -> Result<Arc<SecretSet>, Problem> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.secret_id)
            .send()
            .boxed()
            .await
            .map_err(failure("read the secrets"))?;
        let text = answer
            .secret_string()
            .ok_or_else(|| Problem::Internal(Report::of("the secret holds no text")))?;
        SecretSet::parse(text)
            .map(Arc::new)
            .map_err(Problem::Internal)
    }
}
