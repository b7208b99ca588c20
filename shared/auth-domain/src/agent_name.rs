//! The agent's name on the consent page.

use std::str::FromStr;

use crate::characters::{breaks_a_line, is_visible};

/// The longest name. A small screen shows it within a sentence.
const LONGEST: usize = 60;

/// The agent's name from the deployment's configuration: no conversation can change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentName(String);

/// The text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {LONGEST} characters on one line, one of them visible")]
pub struct InvalidAgentName;

impl AgentName {
    /// The name itself. It is plain text, not markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentName {
    type Err = InvalidAgentName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let is_plain = !name.chars().any(breaks_a_line) && name.chars().any(is_visible);
        if (1..=LONGEST).contains(&name.chars().count()) && is_plain {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidAgentName)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_sentence() {
        assert_eq!(
            "  Concierge ".parse::<AgentName>().unwrap().as_str(),
            "Concierge"
        );
        for text in [
            "",
            "  ",
            "a\nb",
            "\u{3164}",
            "a\u{202e}b",
            &"a".repeat(LONGEST + 1),
        ] {
            assert_eq!(text.parse::<AgentName>(), Err(InvalidAgentName), "{text:?}");
        }
    }
}
