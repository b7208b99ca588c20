//! The app clients of the user pool whose tokens Latchkey accepts.

use std::str::FromStr;

/// The app clients whose access tokens identify a guest. The default accepts none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppClients(Vec<String>);

/// The text does not name app clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be ids of app clients with commas between them")]
pub struct InvalidAppClients;

impl FromStr for AppClients {
    type Err = InvalidAppClients;

    fn from_str(text: &str) -> Result<Self, InvalidAppClients> {
        let id = |id: &str| {
            let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_id.then(|| id.to_owned())
        };
        let ids: Option<Vec<String>> = text.split(',').map(id).collect();
        ids.map(Self).ok_or(InvalidAppClients)
    }
}

impl AppClients {
    /// Whether tokens of this app client are accepted.
    #[must_use]
    pub fn take(&self, client_id: &str) -> bool {
        self.0.iter().any(|known| known == client_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clients_that_are_named_are_taken() {
        let clients: AppClients = "one,two".parse().unwrap();
        assert!(clients.take("one") && clients.take("two"));
        assert!(!clients.take("") && !clients.take("one,two") && !clients.take("ONE"));
        assert!(!AppClients::default().take(""));
    }

    #[test]
    fn a_list_with_a_hole_is_refused() {
        for text in ["", ",", "one,", "one, two"] {
            assert_eq!(
                text.parse::<AppClients>(),
                Err(InvalidAppClients),
                "{text:?}"
            );
        }
    }
}
