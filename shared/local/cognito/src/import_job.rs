//! User import jobs: how they are kept and shown, and how they read their file.

use local_kit::{DAY, Millis, seconds};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::attribute::{Attribute, check_attributes};
use crate::password_hash::Algorithm;
use crate::pool::{Pool, PoolSettings};
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::user::{User, UserStatus};

/// The URL that a file is sent to ends after so long (developer guide, "Creating the user import
/// job").
pub(crate) const UPLOAD_LIMIT: Millis = 15 * 60_000;

/// A job that is not started ends after one to two days (API reference, `Expired`).
const START_LIMIT: Millis = DAY;

/// The longest row (developer guide, "Quotas": import of users).
const LONGEST_ROW: usize = 16_000;

/// How often a running job writes down how far it has come, in rows.
const NOTED_EVERY: usize = 100;

/// The standard attributes as `GetCSVHeader` lists them (developer guide).
const STANDARD_COLUMNS: [&str; 19] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];
const MFA_ENABLED: &str = "cognito:mfa_enabled";
const USERNAME: &str = "cognito:username";
const PASSWORD_HASH: &str = "password_hash";

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Created,
    Pending,
    InProgress,
    Stopping,
    Expired,
    Stopped,
    Failed,
    Succeeded,
}

impl Status {
    /// Whether users are being imported, or are about to be.
    pub(crate) const fn is_active(self) -> bool {
        match self {
            Self::Pending | Self::InProgress | Self::Stopping => true,
            Self::Created | Self::Expired | Self::Stopped | Self::Failed | Self::Succeeded => false,
        }
    }
}

/// A job as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ImportJob {
    pub(crate) id: String,
    pub(crate) pool: String,
    pub(crate) name: String,
    pub(crate) logs_role: String,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) status: Status,
    pub(crate) created: Millis,
    pub(crate) started: Option<Millis>,
    completed: Option<Millis>,
    imported: u64,
    skipped: u64,
    failed: u64,
    message: Option<String>,
}

impl ImportJob {
    pub(crate) fn new(
        service: &Service,
        pool: &Pool,
        name: &str,
        logs_role: &str,
        algorithm: Option<Algorithm>,
    ) -> Self {
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        Self {
            id: format!(
                "import-{}",
                local_kit::letters(service.random(), letters, 10)
            ),
            pool: pool.id.clone(),
            name: name.to_owned(),
            logs_role: logs_role.to_owned(),
            algorithm,
            status: Status::Created,
            created: service.now(),
            started: None,
            completed: None,
            imported: 0,
            skipped: 0,
            failed: 0,
            message: None,
        }
    }

    pub(crate) fn insert(&self, connection: &Connection) -> Result<(), Refusal> {
        connection
            .prepare_cached(
                "INSERT INTO import_jobs (id, pool, created, document) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                self.id,
                self.pool,
                self.created,
                serde_json::to_string(self)?
            ])?;
        Ok(())
    }

    pub(crate) fn save(&self, connection: &Connection) -> Result<(), Refusal> {
        connection
            .prepare_cached("UPDATE import_jobs SET document = ?2 WHERE id = ?1")?
            .execute(params![self.id, serde_json::to_string(self)?])?;
        Ok(())
    }

    /// The job of an id, as it is at this time.
    pub(crate) fn look_for(
        connection: &Connection,
        id: &str,
        now: Millis,
    ) -> Result<Option<Self>, Refusal> {
        let document = connection
            .prepare_cached("SELECT document FROM import_jobs WHERE id = ?1")?
            .query_row([id], |row| row.get::<_, String>(0))
            .optional()?;
        let job: Option<Self> = document
            .map(|document| serde_json::from_str(&document))
            .transpose()?;
        Ok(job.map(|job| job.at(now)))
    }

    pub(crate) fn find(
        connection: &Connection,
        pool: &str,
        id: &str,
        now: Millis,
    ) -> Result<Self, Refusal> {
        Pool::find(connection, pool)?;
        Self::look_for(connection, id, now)?
            .filter(|job| job.pool == pool)
            .ok_or_else(|| {
                let message = format!("User import job {id} does not exist.");
                Refusal::new(Exception::ResourceNotFound, message)
            })
    }

    /// Whether any pool's job is active: an account has one at a time.
    pub(crate) fn any_is_active(connection: &Connection) -> Result<bool, Refusal> {
        let mut statement = connection.prepare_cached("SELECT document FROM import_jobs")?;
        let documents = statement.query_map([], |row| row.get::<_, String>(0))?;
        for document in documents {
            let job: Self = serde_json::from_str(&document?)?;
            if job.status.is_active() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn at(mut self, now: Millis) -> Self {
        if self.status == Status::Created && now >= self.created + START_LIMIT {
            self.status = Status::Expired;
            self.message = Some("The user import job has expired.".to_owned());
        }
        self
    }

    fn end(&mut self, status: Status, message: Option<&str>, now: Millis) {
        self.status = status;
        self.completed = Some(now);
        self.message = message.map(str::to_owned);
    }

    /// The shape `UserImportJobType`.
    pub(crate) fn shown(&self, service: &Service) -> Value {
        let mut shown = json!({
            "JobName": self.name,
            "JobId": self.id,
            "UserPoolId": self.pool,
            "PreSignedUrl": service.upload_url(self),
            "CreationDate": seconds(self.created),
            "Status": self.status,
            "CloudWatchLogsRoleArn": self.logs_role,
            "ImportedUsers": self.imported,
            "SkippedUsers": self.skipped,
            "FailedUsers": self.failed,
        });
        for (name, value) in [
            ("StartDate", self.started.map(|at| json!(seconds(at)))),
            (
                "CompletionDate",
                self.completed.map(|at| json!(seconds(at))),
            ),
            (
                "CompletionMessage",
                self.message.as_ref().map(|text| json!(text)),
            ),
            (
                "PasswordHashingAlgorithm",
                self.algorithm.map(|algorithm| json!(algorithm)),
            ),
        ] {
            if let Some(value) = value {
                shown[name] = value;
            }
        }
        shown
    }

    /// Imports the file's users, each in a transaction of its own, and stops when it is told to.
    /// The log names rows by their lines.
    pub(crate) fn run(self, service: &Service, file: &[u8]) {
        let id = self.id.clone();
        if let Err(refusal) = self.import(service, file) {
            tracing::error!(job = id, message = %refusal.message, "the import job ended half-way");
            let now = service.now();
            let failed = service.store.change(now, |transaction| {
                let Some(mut job) = Self::look_for(transaction, &id, now)? else {
                    return Ok(());
                };
                job.end(Status::Failed, None, now);
                job.save(transaction)
            });
            if failed.is_err() {
                tracing::error!(job = id, "the import job's failure is not written down");
            }
        }
    }

    fn import(mut self, service: &Service, file: &[u8]) -> Result<(), Refusal> {
        self.status = Status::InProgress;
        let pool = service
            .store
            .read(|connection| Pool::find(connection, &self.pool))?;
        let text = String::from_utf8_lossy(file);
        let mut lines = text.lines().zip(1..);
        let header = lines.next().map(|(line, _)| line).unwrap_or_default();
        let Some(columns) = Columns::read(header, &pool.settings, self.algorithm) else {
            self.end(
                Status::Failed,
                Some("The CSV file's header is not the pool's."),
                service.now(),
            );
            return self.note(service).map(drop);
        };
        if self.note(service)? {
            return Ok(());
        }
        for (line, number) in lines.filter(|(line, _)| !line.is_empty()) {
            match columns.import(service, &pool, self.algorithm, line)? {
                Outcome::Succeeded => self.imported += 1,
                Outcome::Skipped(why) => {
                    self.skipped += 1;
                    tracing::info!(job = self.id, line = number, why, "[SKIPPED]");
                }
                Outcome::Failed(why) => {
                    self.failed += 1;
                    tracing::info!(job = self.id, line = number, why, "[FAILED]");
                }
            }
            if number % NOTED_EVERY == 0 && self.note(service)? {
                return Ok(());
            }
        }
        self.end(Status::Succeeded, None, service.now());
        self.note(service).map(drop)
    }

    /// Writes down how far the job has come. Returns whether it ended meanwhile: stopped, failed by
    /// another process that opened the state, or without its pool.
    fn note(&mut self, service: &Service) -> Result<bool, Refusal> {
        let now = service.now();
        service.store.change(now, |transaction| {
            let Some(kept) = Self::look_for(transaction, &self.id, now)? else {
                return Ok(true);
            };
            if !kept.status.is_active() {
                return Ok(true);
            }
            let stopped = kept.status == Status::Stopping && self.status.is_active();
            if stopped {
                let message = "The Import Job was stopped by the developer.";
                self.end(Status::Stopped, Some(message), now);
            }
            self.save(transaction)?;
            Ok(stopped)
        })
    }
}

/// The columns that a pool's files have, besides the one with hashes.
pub(crate) fn columns_of(settings: &PoolSettings) -> Vec<String> {
    let custom = settings.schema.iter().filter_map(|attribute| {
        let is_custom =
            !STANDARD_COLUMNS.contains(&attribute.name.as_str()) && attribute.name != "sub";
        let bare = attribute.name.strip_prefix("custom:");
        is_custom.then(|| format!("custom:{}", bare.unwrap_or(&attribute.name)))
    });
    let standard = STANDARD_COLUMNS.into_iter().map(str::to_owned);
    let own = [MFA_ENABLED, USERNAME].map(str::to_owned);
    standard.chain(custom).chain(own).collect()
}

/// The header of a file: each column of the pool once, in any order.
struct Columns(Vec<String>);

/// What became of a row, in the words of Cognito's log where the developer guide has some.
enum Outcome {
    Succeeded,
    Skipped(&'static str),
    Failed(&'static str),
}

impl Columns {
    fn read(header: &str, settings: &PoolSettings, algorithm: Option<Algorithm>) -> Option<Self> {
        let columns = values(header);
        let mut wanted = columns_of(settings);
        wanted.extend(algorithm.map(|_| PASSWORD_HASH.to_owned()));
        let mut given = columns.clone();
        wanted.sort_unstable();
        given.sort_unstable();
        (wanted == given).then_some(Self(columns))
    }

    fn import(
        &self,
        service: &Service,
        pool: &Pool,
        algorithm: Option<Algorithm>,
        line: &str,
    ) -> Result<Outcome, Refusal> {
        let values = values(line);
        if values.len() != self.0.len() || line.chars().count() > LONGEST_ROW {
            return Ok(Outcome::Failed("The row does not fit the header."));
        }
        let mut row = Row::default();
        for (column, value) in self.0.iter().zip(values) {
            match column.as_str() {
                USERNAME => row.username = value,
                MFA_ENABLED => row.mfa_enabled = value.to_lowercase(),
                PASSWORD_HASH => row.password_hash = value,
                _ if value.is_empty() => {}
                name => row.attributes.push(Attribute {
                    name: name.to_owned(),
                    value: if name.ends_with("_verified") {
                        value.to_lowercase()
                    } else {
                        value
                    },
                }),
            }
        }
        row.import(service, pool, algorithm)
    }
}

/// A user of the file.
#[derive(Default)]
struct Row {
    username: String,
    mfa_enabled: String,
    password_hash: String,
    attributes: Vec<Attribute>,
}

impl Row {
    fn import(
        self,
        service: &Service,
        pool: &Pool,
        algorithm: Option<Algorithm>,
    ) -> Result<Outcome, Refusal> {
        if self.username.is_empty() {
            return Ok(Outcome::Failed("The User Record has no cognito:username."));
        }
        if self.mfa_enabled != "false" {
            return Ok(Outcome::Failed(
                "cognito:mfa_enabled is not false, and cognito-local sends no SMS.",
            ));
        }
        if !self.is_verified(&pool.settings) {
            return Ok(Outcome::Failed(
                "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).",
            ));
        }
        let now = service.now();
        let fits = check_attributes(&pool.settings.schema, &self.attributes);
        let made = fits.and_then(|()| {
            User::new(
                service.random(),
                pool,
                &self.username,
                &self.attributes,
                now,
            )
        });
        let Some(mut user) = made
            .ok()
            .filter(|user| user.missing_attributes(&pool.settings).is_empty())
        else {
            return Ok(Outcome::Failed("The user data does not match the schema."));
        };
        user.status = UserStatus::ResetRequired;
        if let Some(algorithm) = algorithm.filter(|_| !self.password_hash.is_empty()) {
            if !algorithm.takes(&self.password_hash) {
                return Ok(Outcome::Skipped("The password hash is malformed."));
            }
            user.status = UserStatus::Confirmed;
            user.password = Some(self.password_hash);
        }
        let inserted = service.store.change(now, |transaction| {
            user.insert(transaction, pool, "User account already exists")
        });
        match inserted {
            Ok(()) => Ok(Outcome::Succeeded),
            Err(refusal)
                if matches!(
                    refusal.exception,
                    Exception::UsernameExists | Exception::AliasExists
                ) =>
            {
                Ok(Outcome::Skipped("The user already exists."))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether one of the attributes that the pool verifies is there and verified.
    fn is_verified(&self, settings: &PoolSettings) -> bool {
        let value = |name: &str| {
            let found = self.attributes.iter().find(|each| each.name == name);
            found.map(|attribute| attribute.value.as_str())
        };
        settings
            .auto_verified_attributes
            .iter()
            .any(|name| value(name).is_some() && value(&format!("{name}_verified")) == Some("true"))
    }
}

/// The values of a row. There are no quotation marks; a backslash stands before a comma that is
/// part of a value (developer guide, "Formatting the CSV file").
fn values(line: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = line.trim_end_matches('\r').chars();
    while let Some(letter) = letters.next() {
        match (letter, values.last_mut()) {
            (',', _) => values.push(String::new()),
            ('\\', Some(value)) => value.extend(letters.next()),
            (letter, Some(value)) => value.push(letter),
            (_, None) => {}
        }
    }
    values
}
