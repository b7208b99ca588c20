//! The commonest passwords, and the usual variations that satisfy a rule.
//!
//! The list is the one that Django 5.2 ships and keeps
//! (`django/contrib/auth/common-passwords.txt.gz`, BSD-3-Clause; drawn by Royce Williams from Pwned
//! Passwords), sorted: 19,640 in lower case. Few of them have twelve characters, so the list alone
//! would stop little. A password is therefore also common if it consists of one or two listed ones
//! and little else. An estimator such as zxcvbn would judge more finely, for about five times the
//! bytes, and would add two regex engines to functions that need none.

use std::sync::LazyLock;

static LIST: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("commonest.txt").lines().collect());

/// The weight of a password's parts is the cost of guessing them: 2 for a listed word, 1 for a run
/// or a year, 1 for any other character. Two listed words and a digit are common. Three listed
/// words are not: they begin to be a passphrase.
const COMMON_WEIGHT: u32 = 5;
const LISTED_WEIGHT: u32 = 2;

/// The list has shorter ones too, but every other word contains them.
const SHORTEST_LISTED: usize = 4;

/// The longest entries of the list have a few more characters. They are as rare as passphrases.
const LONGEST_LISTED: usize = 24;

/// `123`, `cba`, `!!!`.
const SHORTEST_RUN: usize = 3;

/// Whether a password, in lower case, is listed or adds little to listed ones.
pub(super) fn is_common(folded: &str) -> bool {
    let letters: Vec<char> = folded.chars().collect();
    weighs_little(&letters) || is_short_repeated(&letters)
}

/// The letter behind a character that people type in its place.
fn without_disguise(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// The least weight of all ways to cut a password into parts, against [`COMMON_WEIGHT`].
fn weighs_little(letters: &[char]) -> bool {
    let mut least = vec![0; letters.len() + 1];
    for end in 1..=letters.len() {
        let cheapest =
            (0..end).filter_map(|begin| Some(least[begin] + weight_of_part(&letters[begin..end])?));
        least[end] = cheapest.min().unwrap_or(u32::MAX);
    }
    !letters.is_empty() && least[letters.len()] <= COMMON_WEIGHT
}

fn weight_of_part(part: &[char]) -> Option<u32> {
    if part.len() == 1 || is_run(part) || is_year(part) {
        Some(1)
    } else if is_listed(part) {
        Some(LISTED_WEIGHT)
    } else {
        None
    }
}

fn is_listed(part: &[char]) -> bool {
    if !(SHORTEST_LISTED..=LONGEST_LISTED).contains(&part.len()) {
        return false;
    }
    let known = |text: String| LIST.binary_search(&text.as_str()).is_ok();
    known(part.iter().collect()) || known(part.iter().copied().map(without_disguise).collect())
}

/// One character repeated, or each the next or the previous one; 0 follows 9.
fn is_run(part: &[char]) -> bool {
    let step = |pair: &[char]| match (pair[0], pair[1]) {
        ('9', '0') => 1,
        ('0', '9') => -1,
        (one, other) => i64::from(u32::from(other)) - i64::from(u32::from(one)),
    };
    let mut steps = part.windows(2).map(step);
    let Some(first) = steps.next() else {
        return false;
    };
    part.len() >= SHORTEST_RUN && first.abs() <= 1 && steps.all(|step| step == first)
}

fn is_year(part: &[char]) -> bool {
    part.len() == 4
        && matches!(part[..2], ['1', '9'] | ['2', '0'])
        && part.iter().all(char::is_ascii_digit)
}

/// Whether a text of fewer than six characters is repeated three times or more.
fn is_short_repeated(letters: &[char]) -> bool {
    (1..6).any(|length| {
        letters.len() >= 3 * length
            && letters
                .iter()
                .zip(&letters[length..])
                .all(|(one, other)| one == other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_in_lower_case() {
        assert_eq!(LIST.len(), 19_640);
        assert!(LIST.is_sorted());
        assert!(LIST.iter().all(|entry| entry.to_lowercase() == **entry));
    }

    #[test]
    fn the_commonest_and_what_is_made_of_them_are_common() {
        for text in [
            "1q2w3e4r5t6y",
            "liverpool123",
            "password1234",
            "p4$$w0rd2024!",
            "iloveyou2019!!",
            "passwordpassword",
            "qwertyqwerty1",
            "123456789012",
            "abcdefghijklmnop",
            "aaaaaaaaaaaaaaaaaaaa",
            "zzz111zzz111",
            "x9k!x9k!x9k!x9k",
            "dragon000000",
        ] {
            assert!(is_common(text), "{text}");
        }
    }

    #[test]
    fn passphrases_and_random_passwords_are_not() {
        for text in [
            "correct horse battery staple",
            "correcthorsebatterystaple",
            "nine lives of a cat",
            "tgk4vq7wn2ms",
            "j8&kd!0wqz%r",
            "\u{43f}\u{435}\u{440}\u{435}\u{43c}\u{435}\u{43d}\u{43d}\u{430}\u{44f} \u{43e}\u{431}\u{43b}\u{430}\u{447}\u{43d}\u{43e}\u{441}\u{442}\u{44c}",
        ] {
            assert!(!is_common(text), "{text}");
        }
    }
}
