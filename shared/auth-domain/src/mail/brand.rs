//! The brand in a deployment's mails.

use std::str::FromStr;

use crate::{Email, characters::breaks_a_line};

/// A team's settings for its mails, except the words.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The product's name.
    pub product: ProductName,
    /// The address for support; `None` if mails name none.
    pub support: Option<Email>,
    /// The colour of the code.
    pub accent: AccentColour,
    /// The picture above the words. Without one, the mail shows the product's name.
    pub logo: Option<LogoUrl>,
}

/// The reason why a text is no part of a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBrand {
    /// The product's name is invalid.
    #[error("must be a name of 1 to 60 characters on one line")]
    ProductName,
    /// The colour is invalid.
    #[error("must be a colour such as #1d4ed8")]
    AccentColour,
    /// The address of the picture is invalid.
    #[error("must be an https URL of at most 500 characters, without quotes and white space")]
    LogoUrl,
}

/// A product's name: 1 to 60 characters on one line. Subjects contain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductName(String);

/// A colour of CSS in six hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccentColour(String);

/// The address of a picture, over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoUrl(String);

impl FromStr for ProductName {
    type Err = InvalidBrand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = !text.trim().is_empty()
            && text.chars().count() <= 60
            && !text.chars().any(breaks_a_line)
            // Cognito would mistake it for its own placeholder.
            && !text.contains(['{', '}']);
        fits.then(|| Self(text.trim().to_owned()))
            .ok_or(InvalidBrand::ProductName)
    }
}

impl FromStr for AccentColour {
    type Err = InvalidBrand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .map(|_| Self(text.to_owned()))
            .ok_or(InvalidBrand::AccentColour)
    }
}

impl FromStr for LogoUrl {
    type Err = InvalidBrand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.starts_with("https://")
            && text.len() <= 500
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains(['"', '\'', '<', '>', '{', '}']);
        fits.then(|| Self(text.to_owned()))
            .ok_or(InvalidBrand::LogoUrl)
    }
}

impl ProductName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccentColour {
    /// The colour in CSS.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LogoUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_is_one_line_one_colour_and_one_picture() {
        assert!("Müller & Söhne".parse::<ProductName>().is_ok());
        for name in ["", "  ", "a\nb", "{####}", &"x".repeat(61)] {
            assert!(name.parse::<ProductName>().is_err(), "{name}");
        }
        assert!("#1D4ed8".parse::<AccentColour>().is_ok());
        for colour in ["1d4ed8", "#1d4ed", "#1d4ed8;", "red"] {
            assert!(colour.parse::<AccentColour>().is_err(), "{colour}");
        }
        assert!("https://example.com/logo.png".parse::<LogoUrl>().is_ok());
        for logo in ["http://example.com/a.png", "https://a/\"onload", "data:x"] {
            assert!(logo.parse::<LogoUrl>().is_err(), "{logo}");
        }
    }
}
