//! Kinds of characters, by Unicode's properties. Tests compare the tables with Unicode's own.

use std::ops::RangeInclusive;

/// Format characters (general category Cf). They reorder or hide text and are invisible themselves.
const FORMAT: [RangeInclusive<char>; 21] = [
    '\u{AD}'..='\u{AD}',
    '\u{600}'..='\u{605}',
    '\u{61C}'..='\u{61C}',
    '\u{6DD}'..='\u{6DD}',
    '\u{70F}'..='\u{70F}',
    '\u{890}'..='\u{891}',
    '\u{8E2}'..='\u{8E2}',
    '\u{180E}'..='\u{180E}',
    '\u{200B}'..='\u{200F}',
    '\u{202A}'..='\u{202E}',
    '\u{2060}'..='\u{2064}',
    '\u{2066}'..='\u{206F}',
    '\u{FEFF}'..='\u{FEFF}',
    '\u{FFF9}'..='\u{FFFB}',
    '\u{110BD}'..='\u{110BD}',
    '\u{110CD}'..='\u{110CD}',
    '\u{13430}'..='\u{1343F}',
    '\u{1BCA0}'..='\u{1BCA3}',
    '\u{1D173}'..='\u{1D17A}',
    '\u{E0001}'..='\u{E0001}',
    '\u{E0020}'..='\u{E007F}',
];

/// Characters that a display omits by default (`Default_Ignorable_Code_Point`).
const IGNORABLE: [RangeInclusive<char>; 17] = [
    '\u{AD}'..='\u{AD}',
    '\u{34F}'..='\u{34F}',
    '\u{61C}'..='\u{61C}',
    '\u{115F}'..='\u{1160}',
    '\u{17B4}'..='\u{17B5}',
    '\u{180B}'..='\u{180F}',
    '\u{200B}'..='\u{200F}',
    '\u{202A}'..='\u{202E}',
    '\u{2060}'..='\u{206F}',
    '\u{3164}'..='\u{3164}',
    '\u{FE00}'..='\u{FE0F}',
    '\u{FEFF}'..='\u{FEFF}',
    '\u{FFA0}'..='\u{FFA0}',
    '\u{FFF0}'..='\u{FFF8}',
    '\u{1BCA0}'..='\u{1BCA3}',
    '\u{1D173}'..='\u{1D17A}',
    '\u{E0000}'..='\u{E0FFF}',
];

/// Dashes (general category Pd) of the basic plane, and the minus sign, which keyboards of
/// mathematics type for one.
const DASHES: [RangeInclusive<char>; 19] = [
    '-'..='-',
    '\u{58A}'..='\u{58A}',
    '\u{5BE}'..='\u{5BE}',
    '\u{1400}'..='\u{1400}',
    '\u{1806}'..='\u{1806}',
    '\u{2010}'..='\u{2015}',
    '\u{2212}'..='\u{2212}',
    '\u{2E17}'..='\u{2E17}',
    '\u{2E1A}'..='\u{2E1A}',
    '\u{2E3A}'..='\u{2E3B}',
    '\u{2E40}'..='\u{2E40}',
    '\u{2E5D}'..='\u{2E5D}',
    '\u{301C}'..='\u{301C}',
    '\u{3030}'..='\u{3030}',
    '\u{30A0}'..='\u{30A0}',
    '\u{FE31}'..='\u{FE32}',
    '\u{FE58}'..='\u{FE58}',
    '\u{FE63}'..='\u{FE63}',
    '\u{FF0D}'..='\u{FF0D}',
];

/// The digit zero of each script of the basic plane with decimal digits (general category
/// `Decimal_Number`). The nine other digits follow each zero.
const ZEROS: [char; 37] = [
    '0', '\u{660}', '\u{6F0}', '\u{7C0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}',
    '\u{BE6}', '\u{C66}', '\u{CE6}', '\u{D66}', '\u{DE6}', '\u{E50}', '\u{ED0}', '\u{F20}',
    '\u{1040}', '\u{1090}', '\u{17E0}', '\u{1810}', '\u{1946}', '\u{19D0}', '\u{1A80}', '\u{1A90}',
    '\u{1B50}', '\u{1BB0}', '\u{1C40}', '\u{1C50}', '\u{A620}', '\u{A8D0}', '\u{A900}', '\u{A9D0}',
    '\u{A9F0}', '\u{AA50}', '\u{ABF0}', '\u{FF10}',
];

/// A pattern of dots without a dot: it is white, and has no property that says so.
const BLANK_BRAILLE: char = '\u{2800}';

fn is_in(ranges: &[RangeInclusive<char>], character: char) -> bool {
    ranges.iter().any(|range| range.contains(&character))
}

fn is_format(character: char) -> bool {
    is_in(&FORMAT, character)
}

/// Whether a character is forbidden in a line of text for people: control characters, separators of
/// lines and paragraphs, and format characters. The two zero-width joiners are allowed: names in
/// several scripts need them.
pub(crate) fn breaks_a_line(character: char) -> bool {
    let is_joiner = matches!(character, '\u{200C}' | '\u{200D}');
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || (is_format(character) && !is_joiner)
}

/// Whether a character is visible in print.
pub(crate) fn is_visible(character: char) -> bool {
    !(character.is_whitespace()
        || character.is_control()
        || is_format(character)
        || is_in(&IGNORABLE, character)
        || character == BLANK_BRAILLE)
}

/// Whether a character may separate the digits of a code: white space, dashes and zero-width
/// characters. People type them, and some pages add them to copied text.
pub(crate) fn separates_digits(character: char) -> bool {
    character.is_whitespace()
        || is_in(&DASHES, character)
        || is_format(character)
        || is_in(&IGNORABLE, character)
}

/// The value of a decimal digit of any script.
pub(crate) fn digit(character: char) -> Option<u8> {
    let place = ZEROS.partition_point(|zero| *zero <= character);
    let zero = *ZEROS.get(place.checked_sub(1)?)?;
    let value = u32::from(character).checked_sub(u32::from(zero))?;
    u8::try_from(value).ok().filter(|value| *value < 10)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn assert_agrees(property: &str, ours: impl Fn(char) -> bool, asked: impl Fn(char) -> bool) {
        let pattern = Regex::new(&format!("^{property}$")).unwrap();
        let mut text = [0; 4];
        for character in (char::MIN..=char::MAX).filter(|character| asked(*character)) {
            let unicode = pattern.is_match(character.encode_utf8(&mut text));
            assert_eq!(ours(character), unicode, "{character:?} {property}");
        }
    }

    #[test]
    fn the_tables_are_unicodes() {
        let everywhere = |_| true;
        let in_basic_plane = |character| character <= '\u{FFFF}';
        assert_agrees(
            r"[\p{Cc}\p{Zl}\p{Zp}\p{Cf}--\u{200C}\u{200D}]",
            breaks_a_line,
            everywhere,
        );
        assert_agrees(
            r"[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u{2800}]",
            is_visible,
            everywhere,
        );
        assert_agrees(
            r"[\s\p{Pd}\u{2212}\p{Cf}\p{Default_Ignorable_Code_Point}]",
            separates_digits,
            in_basic_plane,
        );
        assert_agrees(
            r"\p{Decimal_Number}",
            |one| digit(one).is_some(),
            in_basic_plane,
        );
    }
}
