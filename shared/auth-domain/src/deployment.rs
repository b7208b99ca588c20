//! The deployment that an invocation runs in.

use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{AppClients, Clock};

/// The deployment around an operation.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The clock of log lines and metrics.
    pub clock: Clock,
    /// The deployment's name, usually `dev` or `prod`: a dimension of every metric.
    pub environment: String,
    /// The required way of requests.
    pub front_door: FrontDoor,
    /// The app clients whose access tokens identify a caller.
    pub app_clients: AppClients,
}

/// Proof that a request came through CloudFront and its firewall: SHA-256 hashes of the secret that
/// CloudFront adds to each request. There are two during a rotation of the secret, and none without
/// CloudFront.
///
/// The hashes are plain configuration: a secret of 256 bits cannot be found from its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontDoor(Vec<[u8; 32]>);

/// The text does not describe a front door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be `none`, or SHA-256 hashes in hexadecimal with commas between them")]
pub struct InvalidFrontDoor;

impl FromStr for FrontDoor {
    type Err = InvalidFrontDoor;

    /// The text `none` is explicit: a deployment without this setting does not start.
    fn from_str(text: &str) -> Result<Self, InvalidFrontDoor> {
        if text == "none" {
            return Ok(Self::default());
        }
        let hash = |hex: &str| {
            let bytes = HEXLOWER_PERMISSIVE.decode(hex.trim().as_bytes()).ok()?;
            bytes.try_into().ok()
        };
        let hashes: Option<Vec<[u8; 32]>> = text.split(',').map(hash).collect();
        hashes.map(Self).ok_or(InvalidFrontDoor)
    }
}

impl FrontDoor {
    /// Whether `secret` proves that a request came through the front door. Always false without
    /// one.
    #[must_use]
    pub fn is_proved_by(&self, secret: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let matches = self.0.iter().map(|known| known.ct_eq(&hash));
        matches.fold(Choice::from(0), |any, one| any | one).into()
    }

    /// Whether requests must prove that they came through the front door.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_secret_is_known_by_its_hash_and_so_is_the_one_before() {
        let door: FrontDoor = HASH_OF_ABC.parse().unwrap();
        assert!(door.is_guarded() && door.is_proved_by("abc"));
        assert!(!door.is_proved_by("") && !door.is_proved_by(HASH_OF_ABC));
        let other = HEXLOWER_PERMISSIVE.encode(&Sha256::digest("other"));
        let rotating: FrontDoor = format!("{other}, {HASH_OF_ABC}").parse().unwrap();
        assert!(rotating.is_proved_by("abc") && rotating.is_proved_by("other"));
    }

    #[test]
    fn a_deployment_without_one_says_so() {
        let door: FrontDoor = "none".parse().unwrap();
        assert!(!door.is_guarded() && !door.is_proved_by(""));
        for text in ["", " ", ",", "NONE", "abcd", &HASH_OF_ABC[1..], "none,none"] {
            assert_eq!(text.parse::<FrontDoor>(), Err(InvalidFrontDoor), "{text:?}");
        }
    }
}
