//! The language of a mail, from a browser's or a user's preference.

use std::str::FromStr;

/// A language with mail templates: each has a folder of `templates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

/// The text names no language with mail templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a language that mails are written in: en, de")]
pub struct UnknownLanguage;

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (RFC 5646), which is the name of its folder.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The direction of its lines in HTML. The layout follows it.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::English | Self::German => "ltr",
        }
    }

    /// The language of a tag such as `de`, `de-AT` or `de_AT`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|language| language.tag() == text)
            .ok_or(UnknownLanguage)
    }
}

/// A language that a person reads, as Cognito's attribute `locale` has it: a tag of RFC 5646.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

impl Locale {
    /// The longest stored tag; RFC 5646 §4.4.1 asks for 35 characters.
    const LONGEST: usize = 35;

    /// A tag, if it has the form of one.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let well_formed = (2..=Self::LONGEST).contains(&tag.len())
            && tag.starts_with(|first: char| first.is_ascii_alphabetic())
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        well_formed.then(|| Self(tag.to_owned()))
    }

    /// The browser's preferred tag, from its `Accept-Language` (RFC 9110 §12.5.4). Languages with
    /// mail templates come first.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Option<Self> {
        let mut ranges: Vec<(u16, Self)> = accept_language
            .split(',')
            .take(20)
            .filter_map(|range| {
                let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
                let weight = weight.trim().strip_prefix("q=")?.parse::<f32>().ok()?;
                // At most three decimals: whole thousandths.
                let weight = (0.0..=1.0).contains(&weight).then_some(weight * 1000.0)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 1000"
                )]
                let weight = weight.round() as u16;
                (weight > 0).then_some((weight, Self::parse(tag.trim())?))
            })
            .collect();
        // Ranges of one weight stay in their order.
        ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let written = ranges
            .iter()
            .position(|(_, tag)| tag.language().is_some())
            .unwrap_or_default();
        (!ranges.is_empty()).then(|| ranges.swap_remove(written).1)
    }

    /// The language of mails, if they are written in this one.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        Language::of_tag(&self.0)
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_likes_best_of_those_that_are_written() {
        for (header, locale) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de-AT")),
            ("en;q=0.5, de;q=0.7", Some("de")),
            ("fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5", Some("de")),
            ("fr-CH, fr;q=0.9", Some("fr-CH")),
            ("de;q=0, en;q=0.1", Some("en")),
            ("*", None),
            ("", None),
            ("de;q=2", None),
            ("de;q=nan,\u{202e}x", None),
        ] {
            let preferred = Locale::preferred(header);
            assert_eq!(preferred.as_ref().map(Locale::as_str), locale, "{header}");
        }
    }

    #[test]
    fn a_tag_names_its_language_in_any_letter_case_and_with_any_region() {
        for tag in ["de", "DE", "de-AT", "de_DE"] {
            assert_eq!(Language::of_tag(tag), Some(Language::German), "{tag}");
        }
        for tag in ["", "deu", "fr", "-de"] {
            assert_eq!(Language::of_tag(tag), None, "{tag}");
        }
    }
}
