//! Backup codes: the second factor of a guest who lost the authenticator.

use std::{fmt::Write, str::FromStr};

use crate::{
    Randomness, Tag, characters::separates_digits, crockford::CROCKFORD, redacted::redacted_debug,
};

/// Codes of a set.
pub const BACKUP_CODES: usize = 10;

/// Characters of a code: 16 of Crockford's base32 are 80 bits, above the 64 that NIST SP 800-63B-4
/// §4.2.1.1 asks of a saved recovery code.
const CHARACTERS: usize = 16;

/// Characters of a group.
const GROUP: usize = 4;

/// A backup code, without its dashes.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupCode(String);

redacted_debug!(BackupCode);

/// The text is not a backup code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 16 letters and digits, as in 7K3Q-XB2M-9FTR-04WZ")]
pub struct InvalidBackupCode;

impl BackupCode {
    /// A fresh code.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        let random = randomness
            .bytes::<CHARACTERS>()
            .map(|byte| char::from(CROCKFORD[usize::from(byte % 32)]));
        Self(random.iter().collect())
    }

    /// Parses typed text. Letter case, spaces and dashes are ignored. I and L are read as 1, O as
    /// 0.
    pub fn parse(text: &str) -> Result<Self, InvalidBackupCode> {
        let mut code = String::with_capacity(CHARACTERS);
        for character in text.chars() {
            let character = match character.to_ascii_uppercase() {
                separator if separates_digits(separator) => continue,
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            };
            let known = u8::try_from(character).is_ok_and(|byte| CROCKFORD.contains(&byte));
            if !known || code.len() == CHARACTERS {
                return Err(InvalidBackupCode);
            }
            code.push(character);
        }
        if code.len() == CHARACTERS {
            Ok(Self(code))
        } else {
            Err(InvalidBackupCode)
        }
    }

    /// The code in groups, as it is shown once: `7K3Q-XB2M-9FTR-04WZ`.
    #[must_use]
    pub fn to_groups(&self) -> String {
        let mut groups = String::with_capacity(CHARACTERS + CHARACTERS / GROUP);
        for (index, character) in self.0.chars().enumerate() {
            let dash = if index > 0 && index % GROUP == 0 {
                "-"
            } else {
                ""
            };
            let _infallible = write!(groups, "{dash}{character}");
        }
        groups
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BackupCode {
    type Err = InvalidBackupCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The keyed hash of a backup code, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupCodeHash(String);

impl BackupCodeHash {
    pub(crate) fn of(tag: Tag) -> Self {
        Self(tag.to_hex())
    }

    /// Takes a stored hash.
    #[must_use]
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = BackupCode::generate(&Randomness::new(|bytes| {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(index * 17).unwrap();
            }
        }));
        let shown = code.to_groups();
        assert_eq!(shown, "0H2K-4N6Q-8SAV-CXEZ");
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', " "),
            shown.replace('-', ""),
            shown.replace('0', "o"),
            format!(" {shown}\n"),
        ] {
            assert_eq!(BackupCode::parse(&typed), Ok(code.clone()), "{typed:?}");
        }
        for text in [
            "",
            "123456",
            &shown[1..],
            &format!("{shown}0"),
            &shown.replace('0', "U"),
            &shown.replace('0', "é"),
        ] {
            assert_eq!(BackupCode::parse(text), Err(InvalidBackupCode), "{text:?}");
        }
    }
}
