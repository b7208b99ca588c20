//! Hashes of passwords in their textual forms: the pool's own, and those that an import job brings.

use std::num::NonZeroU32;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc;
use argon2::{Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use data_encoding::HEXLOWER_PERMISSIVE;
use ring::pbkdf2;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::refusal::Refusal;

/// Argon2id with 256 KiB and one pass, where OWASP asks for 12 MiB with three. These are passwords
/// of made-up people, and two cores must sustain 300 logins a second beside all else.
const MEMORY_KIB: u32 = 256;
const PASSES: u32 = 1;

/// Bytes of a salt (RFC 9106 section 3.1) and of a password's stored hash.
pub(crate) const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// The lengths of imported hashes: 128 bits, below which one password in many fits by chance, to
/// scrypt's 512 by default in Node.js.
const IMPORTED_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// The memory of finished work, at most one piece a place. Returned to the allocator, megabytes at
/// a time from many threads would grow into hundreds.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// A hash that a password can be held against.
pub(crate) enum PasswordHash {
    /// `$2b$10$…` of 60 characters; of older hashes, `$2a$` and `$2y$`.
    Bcrypt { text: String, cost: u32 },
    /// `N$r$p$salt$hash`, the last two in hexadecimal.
    Scrypt {
        params: scrypt::Params,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    /// `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (the PHC form).
    Argon2id {
        params: Params,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    /// `$pbkdf2-sha256$iterations$salt$hash`, the last two in base64 without padding, with `.` or
    /// `+`: passlib writes `.`.
    Pbkdf2Sha256 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

/// An import job's `PasswordHashingAlgorithm`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Algorithm {
    Bcrypt,
    Scrypt,
    Argon2id,
    #[serde(rename = "PBKDF2_SHA256")]
    Pbkdf2Sha256,
}

impl Algorithm {
    /// Whether an import job of this algorithm takes the hash: its form, and the costs that Cognito
    /// bears at most.
    pub(crate) fn takes(self, text: &str) -> bool {
        let Some(read) = PasswordHash::read(text) else {
            return false;
        };
        match read {
            PasswordHash::Bcrypt { cost, .. } => self == Self::Bcrypt && (4..=12).contains(&cost),
            PasswordHash::Scrypt { params, hash, .. } => {
                self == Self::Scrypt
                    && (1..=16).contains(&params.log_n())
                    && (params.r(), params.p()) == (8, 1)
                    && IMPORTED_BYTES.contains(&hash.len())
            }
            PasswordHash::Argon2id { params, hash, .. } => {
                self == Self::Argon2id
                    && params.m_cost() <= 19_456
                    && params.t_cost() <= 2
                    && params.p_cost() == 1
                    && IMPORTED_BYTES.contains(&hash.len())
            }
            PasswordHash::Pbkdf2Sha256 {
                iterations, hash, ..
            } => {
                self == Self::Pbkdf2Sha256
                    && iterations.get() <= 600_000
                    && IMPORTED_BYTES.contains(&hash.len())
            }
        }
    }
}

impl PasswordHash {
    /// The text of a new hash. Takes milliseconds of CPU.
    pub(crate) fn text_of(password: &str, salt: [u8; SALT_BYTES]) -> Result<String, Refusal> {
        let hash = argon2id(&own_params()?, password, &salt, HASH_BYTES)?;
        Ok(format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash)
        ))
    }

    /// The same work for a user without a password.
    pub(crate) fn work_without_effect(password: &str) -> Result<(), Refusal> {
        argon2id(&own_params()?, password, &[0; SALT_BYTES], HASH_BYTES).map(drop)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.starts_with("$2") {
            Self::read_bcrypt(text)
        } else if text.starts_with("$argon2id$") {
            Self::read_argon2id(text)
        } else if let Some(rest) = text.strip_prefix("$pbkdf2-sha256$") {
            Self::read_pbkdf2(rest)
        } else {
            Self::read_scrypt(text)
        }
    }

    fn read_bcrypt(text: &str) -> Option<Self> {
        // `$2x$` marks hashes of a faulty implementation, which a sound one does not check.
        if text.starts_with("$2x$") {
            return None;
        }
        let parts = bcrypt::HashParts::from_str(text).ok()?;
        Some(Self::Bcrypt {
            text: text.to_owned(),
            cost: parts.get_cost(),
        })
    }

    fn read_argon2id(text: &str) -> Option<Self> {
        let read = phc::PasswordHash::new(text).ok()?;
        if read.version != Some(Version::V0x13.into()) {
            return None;
        }
        Some(Self::Argon2id {
            params: Params::try_from(&read).ok()?,
            salt: read.salt?.to_vec(),
            hash: read.hash?.as_bytes().to_vec(),
        })
    }

    fn read_pbkdf2(rest: &str) -> Option<Self> {
        let [iterations, salt, hash] = fields(rest)?;
        let bytes = |text: &str| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok();
        Some(Self::Pbkdf2Sha256 {
            iterations: iterations.parse().ok()?,
            salt: bytes(salt)?,
            hash: bytes(hash).filter(|hash| !hash.is_empty())?,
        })
    }

    fn read_scrypt(text: &str) -> Option<Self> {
        let [n, r, p, salt, hash] = fields(text)?;
        let n: u64 = n.parse().ok().filter(|n: &u64| n.is_power_of_two())?;
        let log_n = u8::try_from(n.trailing_zeros()).ok()?;
        let bytes = |text: &str| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        Some(Self::Scrypt {
            params: scrypt::Params::new(log_n, r.parse().ok()?, p.parse().ok()?).ok()?,
            salt: bytes(salt)?,
            hash: bytes(hash).filter(|hash| !hash.is_empty())?,
        })
    }

    /// Whether this is the hash of `password`. Takes milliseconds of CPU.
    pub(crate) fn is_of(&self, password: &str) -> Result<bool, Refusal> {
        match self {
            Self::Bcrypt { text, .. } => {
                bcrypt::verify(password, text).map_err(|cause| Refusal::internal(&cause))
            }
            Self::Scrypt { params, salt, hash } => {
                let mut found = vec![0; hash.len()];
                scrypt::scrypt(password.as_bytes(), salt, params, &mut found)
                    .map_err(|cause| Refusal::internal(&cause))?;
                Ok(found.ct_eq(hash).into())
            }
            Self::Argon2id { params, salt, hash } => {
                Ok(argon2id(params, password, salt, hash.len())?
                    .ct_eq(hash)
                    .into())
            }
            Self::Pbkdf2Sha256 {
                iterations,
                salt,
                hash,
            } => {
                let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
                let checked =
                    pbkdf2::verify(algorithm, *iterations, salt, password.as_bytes(), hash);
                Ok(checked.is_ok())
            }
        }
    }
}

/// Exactly so many fields between `$`.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

fn own_params() -> Result<Params, Refusal> {
    Params::new(MEMORY_KIB, PASSES, 1, Some(HASH_BYTES)).map_err(|cause| Refusal::internal(&cause))
}

fn argon2id(
    params: &Params,
    password: &str,
    salt: &[u8],
    length: usize,
) -> Result<Vec<u8>, Refusal> {
    let left_behind = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = left_behind().pop().unwrap_or_default();
    memory.resize(params.block_count(), Block::new());
    let mut hash = vec![0; length];
    let outcome = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, &mut memory);
    left_behind().push(memory);
    outcome.map_err(|cause| Refusal::internal(&cause))?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, PasswordHash};

    /// Vectors of others: jBCrypt's own tests, RFC 7914 section 12, the reference implementation of
    /// Argon2, passlib's documentation.
    const OF_OTHERS: [(Algorithm, &str, &str); 4] = [
        (
            Algorithm::Bcrypt,
            "abc",
            "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
        ),
        (
            Algorithm::Scrypt,
            "pleaseletmein",
            "16384$8$1$536f6469756d43686c6f72696465$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
        ),
        (
            Algorithm::Argon2id,
            "password",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        ),
        (
            Algorithm::Pbkdf2Sha256,
            "password",
            "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44",
        ),
    ];

    #[test]
    fn hashes_that_others_made_are_read_and_fit_their_password_alone() {
        for (algorithm, password, text) in OF_OTHERS {
            assert!(algorithm.takes(text), "{text}");
            let hash = PasswordHash::read(text).unwrap();
            assert!(hash.is_of(password).unwrap(), "{text}");
            assert!(!hash.is_of("another").unwrap(), "{text}");
            for (other, ..) in OF_OTHERS {
                assert_eq!(other.takes(text), other == algorithm, "{text}");
            }
        }
    }

    #[test]
    fn forms_and_costs_that_cognito_does_not_state_are_not_taken() {
        let bcrypt = "VW3mo5vz8kqm8oAFvKqhkuPfbBbQnsVf/YjLzRFC6rYSFxXJmfKWW";
        let salt = "0011223344556677";
        let hash = "00".repeat(32);
        let (short, long) = ("AAAAAAAAAAAAAAAAAAAAAA", "A".repeat(86));
        for (algorithm, text) in [
            (Algorithm::Bcrypt, format!("$2b$13${bcrypt}")),
            (Algorithm::Bcrypt, format!("$2x$10${bcrypt}")),
            (Algorithm::Bcrypt, format!("$2b$10${}", &bcrypt[1..])),
            (Algorithm::Scrypt, format!("131072$8$1${salt}${hash}")),
            (Algorithm::Scrypt, format!("16383$8$1${salt}${hash}")),
            (Algorithm::Scrypt, format!("16384$8$2${salt}${hash}")),
            (Algorithm::Scrypt, format!("16384$16$1${salt}${hash}")),
            (Algorithm::Scrypt, format!("16384$8$1${salt}$")),
            (Algorithm::Scrypt, format!("16384$8$1${salt}$00")),
            (Algorithm::Scrypt, format!("16384$8$1${salt}${hash}$")),
            (
                Algorithm::Argon2id,
                format!("$argon2id$v=19$m=19457,t=2,p=1${short}${short}"),
            ),
            (
                Algorithm::Argon2id,
                format!("$argon2id$v=19$m=4096,t=3,p=1${short}${short}"),
            ),
            (
                Algorithm::Argon2id,
                format!("$argon2id$v=19$m=4096,t=2,p=2${short}${short}"),
            ),
            (
                Algorithm::Argon2id,
                format!("$argon2i$v=19$m=4096,t=2,p=1${short}${short}"),
            ),
            (
                Algorithm::Argon2id,
                format!("$argon2id$m=4096,t=2,p=1${short}${short}"),
            ),
            (
                Algorithm::Pbkdf2Sha256,
                format!("$pbkdf2-sha256$600001${short}${short}"),
            ),
            (
                Algorithm::Pbkdf2Sha256,
                format!("$pbkdf2-sha256$0${short}${short}"),
            ),
            (
                Algorithm::Pbkdf2Sha256,
                format!("$pbkdf2-sha256$1000${short}${long}A"),
            ),
            (
                Algorithm::Pbkdf2Sha256,
                format!("$pbkdf2$1000${short}${short}"),
            ),
            (Algorithm::Pbkdf2Sha256, String::new()),
        ] {
            assert!(!algorithm.takes(&text), "{text}");
        }
    }
}
