//! The mailbox: every mail that Cognito or SES would have sent, newest first, kept across restarts.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::Journal;
use crate::world::account::CONFIGURATION_SET;
use crate::world::clock::WorldClock;
use crate::world::options::Watcher;

/// The number of mails that are kept. The newest come first.
const REMEMBERED: usize = 1_000;

/// A mail as the control interface shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Grows with every mail.
    pub id: u64,
    /// The address that it went to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML; empty without one.
    pub html: String,
    /// The code in it, if there is one.
    pub code: Option<String>,
    /// When it was sent, by the world's clock: RFC 3339, UTC.
    pub sent_at: String,
}

/// A mail on its way in.
struct Incoming {
    to: String,
    subject: String,
    text: String,
    html: String,
    code: Option<String>,
    /// Whether it names the deployment's configuration set.
    is_in_set: bool,
}

/// The mails of a world.
pub(crate) struct Mailbox {
    mails: Journal<Mail>,
    clock: WorldClock,
    watcher: Option<Watcher<Mail>>,
    file: Option<(PathBuf, Mutex<File>)>,
    /// The suppression list of the configuration set: SES accepts its mails to these addresses, and
    /// sends none.
    suppressed: Mutex<BTreeSet<String>>,
}

impl Mailbox {
    /// An empty mailbox, or an earlier one from `file`. Lines that a crash truncated are dropped.
    pub(crate) fn open(
        clock: WorldClock,
        watcher: Option<Watcher<Mail>>,
        file: Option<PathBuf>,
    ) -> io::Result<Self> {
        let mails = Journal::new(REMEMBERED);
        let Some(path) = file else {
            return Ok(Self {
                mails,
                clock,
                watcher,
                file: None,
                suppressed: Mutex::default(),
            });
        };
        let mut kept: Vec<Mail> = match File::open(&path) {
            Ok(file) => BufReader::new(file)
                .lines()
                .map_while(Result::ok)
                .filter_map(|line| serde_json::from_str(&line).ok())
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        kept.drain(..kept.len().saturating_sub(REMEMBERED));
        let mut lines = Vec::new();
        for mail in kept {
            let mut numbered = mail;
            mails.add(|id| {
                numbered.id = id;
                numbered.clone()
            });
            serde_json::to_writer(&mut lines, &numbered)?;
            lines.push(b'\n');
        }
        let beside = path.with_extension("new");
        write_private(&beside, &lines)?;
        fs::rename(&beside, &path)?;
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok(Self {
            mails,
            clock,
            watcher,
            file: Some((path, Mutex::new(file))),
            suppressed: Mutex::default(),
        })
    }

    /// Puts a mail into the box and writes it down.
    fn deliver(&self, incoming: Incoming) {
        if incoming.is_in_set && self.suppressed().contains(&incoming.to.to_lowercase()) {
            return;
        }
        let sent_at: Timestamp = self.clock.now();
        let mut delivered = None;
        self.mails.add(|id| {
            let mail = Mail {
                id,
                to: incoming.to,
                subject: incoming.subject,
                code: incoming.code.or_else(|| code_in(&incoming.text)),
                text: incoming.text,
                html: incoming.html,
                sent_at: sent_at.to_string(),
            };
            if let Err(error) = self.append(&mail) {
                tracing::error!(%error, "a mail could not be written down; it will be gone after a restart");
            }
            delivered.insert(mail).clone()
        });
        if let (Some(watcher), Some(mail)) = (&self.watcher, &delivered) {
            watcher(mail);
        }
    }

    /// Takes Cognito's mails.
    pub(crate) fn for_cognito(self: &Arc<Self>) -> Arc<dyn Fn(cognito_local::Mail) + Send + Sync> {
        let mailbox = self.clone();
        Arc::new(move |mail| {
            mailbox.deliver(Incoming {
                to: mail.to,
                subject: mail.subject,
                text: mail.text,
                html: mail.html,
                code: Some(mail.code),
                // The pool's mails do: its settings name the set.
                is_in_set: true,
            });
        })
    }

    /// Takes the mails of SES: one for each recipient.
    pub(crate) fn for_ses(self: &Arc<Self>) -> aws_local::MailSink {
        let mailbox = self.clone();
        Arc::new(move |mail| {
            let is_in_set = mail.configuration_set.as_deref() == Some(CONFIGURATION_SET);
            for to in mail.to {
                mailbox.deliver(Incoming {
                    to,
                    subject: mail.subject.clone(),
                    text: mail.text.clone().unwrap_or_default(),
                    html: mail.html.clone().unwrap_or_default(),
                    code: None,
                    is_in_set,
                });
            }
        })
    }

    fn append(&self, mail: &Mail) -> io::Result<()> {
        let Some((_, file)) = &self.file else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(mail)?;
        line.push(b'\n');
        file.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(&line)
    }

    /// The mails to an address, or all, newest first.
    pub(crate) fn to(&self, address: Option<&str>) -> Vec<Mail> {
        let mut mails: Vec<Mail> = self
            .mails
            .since(0)
            .into_iter()
            .map(|(_, mail)| mail)
            .collect();
        mails.retain(|mail| address.is_none_or(|address| mail.is_to(address)));
        mails.reverse();
        mails
    }

    /// The newest mail to an address (or any) after number `after`. Waits for one, up to `wait`.
    pub(crate) async fn latest(
        &self,
        address: Option<&str>,
        after: u64,
        wait: Duration,
    ) -> Option<Mail> {
        let wanted =
            |mail: &Mail| mail.id > after && address.is_none_or(|address| mail.is_to(address));
        tokio::time::timeout(wait, self.mails.wait_for(wanted))
            .await
            .ok()
    }

    /// The mail with this number.
    pub(crate) fn find(&self, id: u64) -> Option<Mail> {
        self.mails.latest(|mail| mail.id == id)
    }

    /// Suppresses all further mails to an address.
    pub(crate) fn suppress(&self, address: &str) {
        self.suppressed().insert(address.to_lowercase());
    }

    fn suppressed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.suppressed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the newest mail so far, and the suppression list.
    pub(crate) fn snapshot(&self) -> (u64, BTreeSet<String>) {
        (self.mails.last(), self.suppressed().clone())
    }

    /// Forgets later mails, and returns to the suppression list of then. A kept mailbox keeps its
    /// file.
    pub(crate) fn restore(&self, (last, suppressed): &(u64, BTreeSet<String>)) {
        self.mails.rewind(*last);
        self.suppressed().clone_from(suppressed);
    }

    /// Throws every mail away, and delivers everywhere again.
    pub(crate) fn clear(&self) {
        self.suppressed().clear();
        self.mails.clear();
        if let Some((path, file)) = &self.file {
            let emptied = file
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .set_len(0);
            if let Err(error) = emptied {
                tracing::error!(%error, file = %path.display(), "the mailbox could not be emptied on disk");
            }
        }
    }
}

impl Mail {
    /// Ignores case: providers treat the letters of an address alike.
    fn is_to(&self, address: &str) -> bool {
        self.to.eq_ignore_ascii_case(address)
    }
}

/// The first separate run of 6 to 8 digits: the form of Cognito's codes.
fn code_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| {
            (6..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
        })
        .map(str::to_owned)
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &std::path::Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_word_of_six_to_eight_digits() {
        assert_eq!(
            code_in("Your code is 48151623.").as_deref(),
            Some("48151623")
        );
        assert_eq!(code_in("In 2026, call 123456789 or a1234567"), None);
    }
}
