//! The refresh tokens of one session: their sign-in, and the number of renewals.
//!
//! A refresh token that leaves is Cognito's with a mark around it:
//! `lk1~<sub>~<session>~<generation>~<HMAC>~<Cognito's>`. If Cognito refuses a used token, the mark
//! names the session to end. If Cognito accepts it, the mark distinguishes a thief's branch from
//! the owner's.

use std::fmt;

use crate::{InvalidRefreshToken, KeyRing, Purpose, RefreshToken, SessionId, SessionKey, UserSub};

/// The prefix of a marked token. Cognito's begin differently: they are in base64url.
const MARK: &str = "lk1";

/// The separator in a marked token. No part contains it, and a cookie may (RFC 6265 §4.1.1).
const BETWEEN: char = '~';

/// How often the tokens of a session have been renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u32);

impl Generation {
    /// The generation of tokens without a mark, from before sessions had records.
    pub const UNMARKED: Self = Self(0);

    /// The generation of a sign-in's own tokens.
    pub const FIRST: Self = Self(1);

    /// The generation of this number.
    #[must_use]
    pub const fn of_number(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Accepts only the canonical form: no sign, no leading zero.
    fn parse(text: &str) -> Option<Self> {
        let number = text.parse().ok()?;
        let generation = Self(number);
        (number > 0 && generation.to_string() == text).then_some(generation)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The session and the generation of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshFamily {
    /// The session of the token.
    pub session: SessionKey,
    /// Its generation.
    pub generation: Generation,
}

impl RefreshFamily {
    /// Cognito's token, marked as one of this family.
    #[must_use]
    pub fn mark(&self, token: &RefreshToken, keys: &KeyRing) -> RefreshToken {
        let (sub, session) = (self.session.sub.as_str(), self.session.id.as_str());
        let generation = self.generation.to_string();
        let parts = [sub, session, &generation, token.as_str()];
        let tag = keys.tag(Purpose::RefreshFamily, &parts).to_hex();
        RefreshToken::issued([MARK, sub, session, &generation, &tag, token.as_str()].join("~"))
    }
}

/// A refresh token as a client brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedToken {
    /// Cognito's.
    pub token: RefreshToken,
    /// Its family; `None` for one that left without a mark.
    pub family: Option<RefreshFamily>,
}

impl PresentedToken {
    /// Removes the mark. A token with an invalid mark is refused.
    pub fn read(presented: &RefreshToken, keys: &KeyRing) -> Result<Self, InvalidRefreshToken> {
        let text = presented.as_str();
        if !text.contains(BETWEEN) {
            return Ok(Self {
                token: presented.clone(),
                family: None,
            });
        }
        let parts: Vec<&str> = text.split(BETWEEN).collect();
        let [MARK, sub, session, generation, tag, token] = *parts else {
            return Err(InvalidRefreshToken);
        };
        if !keys.ever_verified(
            Purpose::RefreshFamily,
            &[sub, session, generation, token],
            tag,
        ) {
            return Err(InvalidRefreshToken);
        }
        Ok(Self {
            token: RefreshToken::parse(token)?,
            family: Some(RefreshFamily {
                session: SessionKey {
                    sub: UserSub::parse(sub).map_err(|_| InvalidRefreshToken)?,
                    id: SessionId::parse(session).map_err(|_| InvalidRefreshToken)?,
                },
                generation: Generation::parse(generation).ok_or(InvalidRefreshToken)?,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;
    use crate::Key;

    fn key(byte: u8) -> Key {
        Key::parse(&BASE64.encode(&[byte; 32])).unwrap()
    }

    fn family(generation: u32) -> RefreshFamily {
        RefreshFamily {
            session: SessionKey {
                sub: UserSub::parse("5f1c2a9e-7b1d-4c52-9a51-0d4be2f6a7c3").unwrap(),
                id: SessionId::parse("7d0b8e63-42a3-4a9c-8ac5-5f0a7f6d2b10").unwrap(),
            },
            generation: Generation::of_number(generation),
        }
    }

    #[test]
    fn a_marked_token_reads_back_and_nothing_else_does() {
        let keys = KeyRing::new(key(1), None);
        let token = RefreshToken::issued("eyJjdHkiOiJKV1QifQ.a2V5.aXY.Y2lwaGVydGV4dA.dGFn");
        let marked = family(12).mark(&token, &keys);
        let read = PresentedToken::read(&marked, &keys).unwrap();
        assert_eq!(read.token, token);
        assert_eq!(read.family, Some(family(12)));

        let text = marked.as_str();
        for changed in [
            text.replace("~12~", "~13~"),
            text.replace("~12~", "~012~"),
            text.replace("~12~", "~+12~"),
            text.replace("lk1", "lk2"),
            text.replace("5f1c", "6f1c"),
            text.replace("7d0b", "8d0b"),
            text.replace(".dGFn", ".dGFm"),
            format!("{text}~"),
            format!("~{text}"),
            text.replace('~', "~~"),
            text.split('~').skip(1).collect::<Vec<_>>().join("~"),
        ] {
            let presented = RefreshToken::parse(&changed).unwrap();
            assert_eq!(
                PresentedToken::read(&presented, &keys),
                Err(InvalidRefreshToken),
                "{changed}"
            );
        }
    }

    #[test]
    fn a_token_without_a_mark_is_of_no_family() {
        let keys = KeyRing::new(key(1), None);
        let token = RefreshToken::issued("eyJjdHkiOiJKV1QifQ.a2V5.aXY.Y2lwaGVydGV4dA.dGFn");
        let read = PresentedToken::read(&token, &keys).unwrap();
        assert_eq!((read.token, read.family), (token, None));
    }

    #[test]
    fn a_mark_outlives_rotations_of_its_key() {
        let token = RefreshToken::issued("token");
        let marked = family(1).mark(&token, &KeyRing::new(key(1), None));
        let rotated = KeyRing::new(key(3), Some(key(2)));
        assert!(PresentedToken::read(&marked, &rotated).is_err());
        let rotated = rotated.with_earlier(vec![key(9), key(1)]);
        assert!(PresentedToken::read(&marked, &rotated).is_ok());
        assert!(!rotated.verifies(Purpose::RefreshFamily, &["a"], "b"));
    }
}
