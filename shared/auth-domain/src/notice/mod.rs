//! Mails to a guest about a change of the account, so that the guest hears of a stranger's change
//! (NIST SP 800-63B-4 §4.6, ASVS 5.0 6.3.7).

use crate::Timestamp;

/// The event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A password was set or changed.
    PasswordChanged,
    /// An authenticator was set up, or replaced the one before.
    AuthenticatorSetUp,
    /// The authenticator was removed.
    AuthenticatorRemoved,
    /// Second factors were wrong after a right first one, until no more were admitted.
    SecondFactorFailed,
    /// A browser signed in that had never done so as this address.
    NewDeviceSignedIn,
    /// A refresh token was used in two places.
    RefreshTokenStolen,
    /// The account's address changed; sent to both.
    AddressChanged,
    /// A passkey was registered.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
}

/// A mail, ready to be sent. It has no names and no links: a mail that asks to follow one teaches
/// people to follow others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeMail {
    /// The subject.
    pub subject: &'static str,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Both parts, with the places of subject, happening, time and advice.
const TEXT: &str = include_str!("notice.txt");
const HTML: &str = include_str!("notice.html");

impl Notice {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::PasswordChanged,
        Self::AuthenticatorSetUp,
        Self::AuthenticatorRemoved,
        Self::SecondFactorFailed,
        Self::NewDeviceSignedIn,
        Self::RefreshTokenStolen,
        Self::AddressChanged,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
    ];

    /// The mail about something that happened at `at`.
    #[must_use]
    pub fn mail(self, at: Timestamp) -> NoticeMail {
        let (subject, happened, advice) = self.words();
        let at = at.to_string();
        let fill = |template: &str| {
            template
                .replace("{subject}", subject)
                .replace("{happened}", happened)
                .replace("{at}", &at)
                .replace("{advice}", advice)
        };
        NoticeMail {
            subject,
            text: fill(TEXT),
            html: fill(HTML),
        }
    }

    /// Subject, what happened, and what to do if it was somebody else. Without characters that HTML
    /// would take for its own.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::PasswordChanged => (
                "Your password was changed",
                "A new password was set for your account, and every device was signed out.",
                "If this was not you, a stranger may read your mail. Secure your mailbox first, then reset your password again.",
            ),
            Self::AuthenticatorSetUp => (
                "An authenticator was set up",
                "Signing in to your account now asks for a code from an authenticator app.",
                "If this was not you, reset your password and contact support: your account now has a stranger's second factor.",
            ),
            Self::AuthenticatorRemoved => (
                "Your authenticator was removed",
                "Signing in to your account no longer asks for a code from an authenticator app. Your backup codes no longer work.",
                "If this was not you, reset your password now and set up an authenticator again.",
            ),
            Self::SecondFactorFailed => (
                "Somebody nearly signed in",
                "Somebody entered your password or a mailed code, and then several wrong codes for your authenticator. They did not get in.",
                "If this was not you, reset your password now, and check who can read your mail.",
            ),
            Self::NewDeviceSignedIn => (
                "A new device signed in",
                "A browser or app signed in to your account for the first time, or it keeps no cookies.",
                "If this was not you, reset your password now: that signs out every device.",
            ),
            Self::RefreshTokenStolen => (
                "A session of your account was copied",
                "One sign-in was used from two places, so it was ended on both. Your other devices stay signed in.",
                "Sign in again. If this was not you both times, check that device for unwanted extensions and programs.",
            ),
            Self::AddressChanged => (
                "Your email address was changed",
                "Your account has a new email address. This mail goes to the old and to the new address.",
                "If this was not you, contact support from the old address.",
            ),
            Self::PasskeyAdded => (
                "A passkey was added",
                "A new passkey can sign in to your account.",
                "If this was not you, sign in, remove the passkey, and reset your password.",
            ),
            Self::PasskeyRemoved => (
                "A passkey was removed",
                "A passkey can no longer sign in to your account, and every other device was signed out.",
                "If this was not you, reset your password now, and check your other passkeys.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_says_what_happened_when_and_what_to_do_in_both_parts() {
        let at = Timestamp::from_seconds(1_795_239_650);
        for notice in Notice::ALL {
            let NoticeMail {
                subject,
                text,
                html,
            } = notice.mail(at);
            for part in [&text, &html] {
                assert!(part.contains("2026-11-21T05:40:50"), "{part}");
                assert!(part.contains("If this was not you"), "{part}");
                assert!(!part.contains('{') && !part.contains("http"), "{part}");
            }
            assert!(html.contains(subject));
        }
    }
}
