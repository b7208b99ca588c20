//! The server's half of SRP-6a (RFC 5054), in the dialect of Cognito's clients.
//!
//! The dialect: the group of 3072 bits; SHA-256; the hashed name is the pool's, without its Region,
//! followed by the user's; numbers are hashed as two's complement, so with a leading zero byte if
//! the first bit is set; and HKDF turns the shared secret into the key of an HMAC over the agreed
//! values. No SRP crate has this dialect, so the arithmetic is here, on the big numbers of the
//! `rsa` crate. It does not run in constant time.

use std::fmt;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use local_kit::Random;
use ring::digest::{Context, SHA256, digest};
use ring::{hkdf, hmac};
use rsa::BigUint;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The prime of 3072 bits of RFC 3526 section 4, which RFC 5054 appendix A takes over. Its
/// generator is 2 here, as in RFC 3526.
const PRIME: &[u8] = b"\
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

/// Cognito's name for the key that comes out.
const KEY_LABEL: &[u8] = b"Caldera Derived Key";

/// Bytes of that key, of a salt and of the server's secret number: 256 bits, as RFC 5054 section
/// 2.5.3 asks for at least.
const KEY_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

struct Group {
    prime: BigUint,
    generator: BigUint,
    multiplier: BigUint,
}

static GROUP: LazyLock<Group> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the number stands above, and every test of this file reads it"
    )]
    let prime = BigUint::parse_bytes(PRIME, 16).expect("the prime is hexadecimal");
    let generator = BigUint::from(2_u8);
    Group {
        multiplier: hash_of(&[&padded(&prime), &padded(&generator)]),
        prime,
        generator,
    }
});

/// A number as two's complement, big-endian and without needless bytes.
fn padded(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        bytes.insert(0, 0);
    }
    bytes
}

fn hash_of(parts: &[&[u8]]) -> BigUint {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    BigUint::from_bytes_be(context.finish().as_ref())
}

/// The user's names, which are hashed together with the password.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The pool's id, after the Region.
    pool: String,
    pub(crate) user: String,
}

impl Identity {
    pub(crate) fn new(pool_id: &str, user: &str) -> Self {
        let pool = pool_id.split_once('_').map_or(pool_id, |(_, name)| name);
        Self {
            pool: pool.to_owned(),
            user: user.to_owned(),
        }
    }
}

/// The stored form of a password for SRP. It cannot be used as a proof, but guesses can be tested
/// against it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verifier {
    /// Hexadecimal, without leading zeros, as on the wire.
    salt: String,
    /// Hexadecimal.
    verifier: String,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier")
    }
}

impl Verifier {
    /// Takes milliseconds of CPU.
    pub(crate) fn of(identity: &Identity, password: &str, salt: [u8; SALT_BYTES]) -> Self {
        let salt = BigUint::from_bytes_be(&salt);
        let name = format!("{}{}:{password}", identity.pool, identity.user);
        let name = digest(&SHA256, name.as_bytes());
        let private = hash_of(&[&padded(&salt), name.as_ref()]);
        let verifier = GROUP.generator.modpow(&private, &GROUP.prime);
        Self {
            salt: salt.to_str_radix(16),
            verifier: verifier.to_str_radix(16),
        }
    }

    pub(crate) fn fresh(identity: &Identity, password: &str, random: &Random) -> Self {
        Self::of(identity, password, local_kit::bytes(random))
    }

    /// A verifier of an unknown password, the same for each request of the same name.
    pub(crate) fn simulated(identity: &Identity, secret: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = |purpose: &str| {
            let text = format!("{purpose} {} {}", identity.pool, identity.user);
            hmac::sign(&key, text.as_bytes())
        };
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&derived("salt").as_ref()[..SALT_BYTES]);
        Self::of(
            identity,
            &HEXLOWER.encode(derived("password").as_ref()),
            salt,
        )
    }

    fn number(&self) -> BigUint {
        BigUint::parse_bytes(self.verifier.as_bytes(), 16).unwrap_or_default()
    }
}

/// An exchange that waits for the client's proof.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) identity: Identity,
    pub(crate) verifier: Verifier,
    /// The client's public number, the server's, and the server's secret one, in hexadecimal.
    client: String,
    server: String,
    secret: String,
}

impl Exchange {
    /// Answers the client's public number (`SRP_A`). Takes milliseconds of CPU.
    pub(crate) fn begin(
        identity: Identity,
        verifier: Verifier,
        client: &str,
        random: &Random,
    ) -> Result<Self, Refusal> {
        let invalid = || Refusal::invalid("Invalid SRP_A.");
        let public = BigUint::parse_bytes(client.as_bytes(), 16).ok_or_else(invalid)?;
        // RFC 5054 section 2.5.4: with a multiple of the prime the secret would always be 0.
        if public.bits() > GROUP.prime.bits() || &public % &GROUP.prime == BigUint::default() {
            return Err(invalid());
        }
        let secret = BigUint::from_bytes_be(&local_kit::bytes::<SECRET_BYTES>(random));
        let server = (&GROUP.multiplier * verifier.number()
            + GROUP.generator.modpow(&secret, &GROUP.prime))
            % &GROUP.prime;
        Ok(Self {
            identity,
            verifier,
            client: public.to_str_radix(16),
            server: server.to_str_radix(16),
            secret: secret.to_str_radix(16),
        })
    }

    /// `SALT`.
    pub(crate) fn salt(&self) -> &str {
        &self.verifier.salt
    }

    /// `SRP_B`.
    pub(crate) fn server_public(&self) -> &str {
        &self.server
    }

    /// Whether the client's proof shows the password of the verifier. Takes milliseconds of CPU.
    pub(crate) fn is_proved_by(&self, claim: &Claim) -> bool {
        let number = |text: &str| BigUint::parse_bytes(text.as_bytes(), 16).unwrap_or_default();
        let (client, server) = (number(&self.client), number(&self.server));
        let scramble = hash_of(&[&padded(&client), &padded(&server)]);
        let base = client * self.verifier.number().modpow(&scramble, &GROUP.prime);
        let shared = base.modpow(&number(&self.secret), &GROUP.prime);
        let Some(key) = derived_key(&shared, &scramble) else {
            return false;
        };
        let mut message = Vec::new();
        message.extend_from_slice(self.identity.pool.as_bytes());
        message.extend_from_slice(self.identity.user.as_bytes());
        message.extend_from_slice(&claim.secret_block);
        message.extend_from_slice(claim.timestamp.as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::verify(&key, &message, &claim.signature).is_ok()
    }
}

fn derived_key(shared: &BigUint, scramble: &BigUint) -> Option<[u8; KEY_BYTES]> {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            KEY_BYTES
        }
    }
    let mut key = [0; KEY_BYTES];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &padded(scramble))
        .extract(&padded(shared))
        .expand(&[KEY_LABEL], Length)
        .ok()?
        .fill(&mut key)
        .ok()?;
    Some(key)
}

/// The client's proof: the answer to `PASSWORD_VERIFIER`.
#[derive(Clone)]
pub(crate) struct Claim {
    secret_block: Vec<u8>,
    timestamp: String,
    signature: Vec<u8>,
}

impl Claim {
    /// A signature that is not base64 proves nothing.
    pub(crate) fn new(secret_block: &str, timestamp: &str, signature: &str) -> Self {
        let decoded = |text: &str| STANDARD.decode(text).unwrap_or_default();
        Self {
            secret_block: decoded(secret_block),
            timestamp: timestamp.to_owned(),
            signature: decoded(signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Claim, Exchange, Identity, Verifier};
    use data_encoding::HEXLOWER;
    use ring::digest::{SHA256, digest};
    use rsa::BigUint;

    fn fingerprint(text: &str) -> String {
        HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// The expected values were made with pycognito 2024.5.1, with these in place of its random
    /// numbers.
    #[test]
    fn the_numbers_are_those_of_an_independent_client() {
        let identity = Identity::new("eu-west-1_TestPool9", "sub-1");
        let mut salt = [0x0b; 16];
        salt[0] = 0xf0;
        let verifier = Verifier::of(&identity, "P\u{e4}ssword-1 ", salt);
        assert_eq!(
            fingerprint(&verifier.verifier),
            "abaa2c388ad8c284db4404b84a39294104a0daa5a3cbbdf960f2fb1d2fe26be1"
        );
        let secret = BigUint::from_bytes_be(&[0xa1; 64]);
        let client = super::GROUP.generator.modpow(&secret, &super::GROUP.prime);
        let client = client.to_str_radix(16);
        assert_eq!(
            fingerprint(&client),
            "21f9cbb931763f2411cde165408251f783d4d8577b5e6ca4b1e9ec8dc246c415"
        );
        let random: super::Random = Arc::new(|buffer| buffer.fill(0xc3));
        let exchange = Exchange::begin(identity, verifier, &client, &random).unwrap();
        assert_eq!(
            fingerprint(exchange.server_public()),
            "a29e574217a33afeca6c34058a887461d2fdff22b3adc5fb1a24389d3aa01ce0"
        );
        let time = "Sat Nov 21 09:00:00 UTC 2026";
        let signature = "OGWx+jjVBUgtCubj7IbkWZjVv3BQQP3YUnW2yUjweAc=";
        assert!(exchange.is_proved_by(&Claim::new("YmxvY2s=", time, signature)));
        for (block, time, signature) in [
            ("YmxvY2t=", time, signature),
            ("YmxvY2s=", "Sat Nov 21 09:00:01 UTC 2026", signature),
            (
                "YmxvY2s=",
                time,
                "OGWx+jjVBUgtCubj7IbkWZjVv3BQQP3YUnW2yUjweAs=",
            ),
            ("YmxvY2s=", time, ""),
        ] {
            assert!(!exchange.is_proved_by(&Claim::new(block, time, signature)));
        }
    }

    #[test]
    fn a_number_of_the_client_that_would_fix_the_secret_is_refused() {
        let identity = Identity::new("eu-west-1_TestPool9", "sub-1");
        let verifier = Verifier::simulated(&identity, &[7; 32]);
        assert!(verifier == Verifier::simulated(&identity, &[7; 32]));
        let random: super::Random = Arc::new(|buffer| buffer.fill(1));
        let prime = super::GROUP.prime.to_str_radix(16);
        for client in ["0", "", "zz", &prime, &format!("{prime}00")] {
            let begun = Exchange::begin(identity.clone(), verifier.clone(), client, &random);
            assert!(begun.is_err(), "{client}");
        }
    }
}
