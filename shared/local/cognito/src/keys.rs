//! The two RSA keys of a pool: one signs id tokens, the other access tokens, as in AWS.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::options::OpenError;

/// Two keys as PKCS#8, as the state keeps them.
#[derive(Clone)]
pub(crate) struct KeyMaterial {
    pub(crate) id: Vec<u8>,
    pub(crate) access: Vec<u8>,
}

impl KeyMaterial {
    /// Makes two keys of 2048 bits, each in its own thread: that takes some tenths of a second.
    pub(crate) fn generate() -> Result<Self, OpenError> {
        let (id, access) = thread::scope(|scope| {
            let other = scope.spawn(generate_one);
            (generate_one(), other.join())
        });
        Ok(Self {
            id: id?,
            access: access.map_err(|_| OpenError::Keys)??,
        })
    }

    /// The `index`-th pair of this process. Worlds in memory are short-lived, and their keys
    /// protect nothing, so they share them.
    pub(crate) fn shared(index: usize) -> Result<Self, OpenError> {
        static MADE: Mutex<Vec<KeyMaterial>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        while made.len() <= index {
            made.push(Self::generate()?);
        }
        Ok(made[index].clone())
    }
}

fn generate_one() -> Result<Vec<u8>, OpenError> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| OpenError::Keys)?;
    let document = key.as_der().map_err(|_| OpenError::Keys)?;
    Ok(document.as_ref().to_vec())
}

/// The keys of a pool, ready to sign.
pub(crate) struct PoolKeys {
    pub(crate) id: SigningKey,
    pub(crate) access: SigningKey,
}

impl PoolKeys {
    pub(crate) fn open(material: &KeyMaterial) -> Result<Arc<Self>, OpenError> {
        Ok(Arc::new(Self {
            id: SigningKey::open(&material.id)?,
            access: SigningKey::open(&material.access)?,
        }))
    }

    /// The document at `/{poolId}/.well-known/jwks.json`.
    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [self.id.jwk(), self.access.jwk()]})
    }
}

/// One RSA key and the name under which its public half is published.
pub(crate) struct SigningKey {
    pair: KeyPair,
    key_id: String,
    public: RsaPublicKey,
}

impl SigningKey {
    fn open(pkcs8: &[u8]) -> Result<Self, OpenError> {
        let pair = KeyPair::from_pkcs8(pkcs8).map_err(|_| OpenError::Keys)?;
        let public = RsaPublicKey::from_pkcs1_der(pair.public_key().as_ref());
        let public = public.map_err(|_| OpenError::Keys)?;
        Ok(Self {
            key_id: STANDARD.encode(digest(&SHA256, &public.n().to_bytes_be())),
            pair,
            public,
        })
    }

    fn jwk(&self) -> Value {
        json!({
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(self.public.e().to_bytes_be()),
            "kid": self.key_id,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(self.public.n().to_bytes_be()),
            "use": "sig",
        })
    }

    /// `claims` as a signed JWT (RFC 7515 compact serialization, RS256).
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"kid": self.key_id, "alg": "RS256"});
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        #[expect(
            clippy::expect_used,
            reason = "fails only for a buffer of the wrong size, which is the line above"
        )]
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .expect("the buffer has the size of the modulus");
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// The claims of a token that this key signed. Does not check its times.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header["alg"] != "RS256" || header["kid"] != self.key_id.as_str() {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .verify(message.as_bytes(), &signature)
            .ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}
