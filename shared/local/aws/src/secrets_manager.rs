//! Secrets Manager: secrets whose versions carry the stages `AWSCURRENT` and `AWSPREVIOUS`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::page;
use crate::refusal::{Refusal, check_length, input, output};
use crate::state::{Kept, Secret, SecretValue, StateError, Version};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// AWS appends this many random characters to the name in a secret's ARN.
const ARN_SUFFIX_LENGTH: usize = 6;

pub(crate) fn serve(account: &Account, operation: &str, body: Value) -> Result<Value, Refusal> {
    match operation {
        "CreateSecret" => create_secret(account, input(body)?),
        "GetSecretValue" => get_secret_value(account, &input(body)?),
        "DescribeSecret" => describe_secret(account, &input(body)?),
        "ListSecrets" => list_secrets(account, &input(body)?),
        "PutSecretValue" => put_secret_value(account, input(body)?),
        _ => Err(Refusal::unknown_operation()),
    }
}

pub(crate) fn ensure(
    account: &Account,
    name: &str,
    first_value: impl FnOnce() -> String,
) -> Result<String, StateError> {
    if let Some(arn) = account
        .store
        .read(|kept| kept.secrets.get(name).map(|secret| secret.arn.clone()))
    {
        return Ok(arn);
    }
    let secret = new_secret(
        account,
        name,
        None,
        Some((account.new_uuid(), SecretValue::Text(first_value()))),
    );
    account.store.change(|kept| {
        Ok(kept
            .secrets
            .entry(name.to_owned())
            .or_insert(secret)
            .arn
            .clone())
    })
}

pub(crate) fn set(account: &Account, name: &str, value: String) -> Result<(), StateError> {
    let id = account.new_uuid();
    let value = SecretValue::Text(value);
    let made = new_secret(account, name, None, None);
    account.store.change(|kept| {
        let secret = kept.secrets.entry(name.to_owned()).or_insert(made);
        secret.add(id, value, &[CURRENT.to_owned()], account.now_seconds());
        Ok(())
    })
}

pub(crate) fn current_value(account: &Account, name: &str) -> Option<String> {
    account.store.read(|kept| {
        let versions = &kept.secrets.get(name)?.versions;
        let version = versions
            .values()
            .find(|version| version.has_stage(CURRENT))?;
        match &version.value {
            SecretValue::Text(text) => Some(text.clone()),
            SecretValue::Binary(_) => None,
        }
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateSecret {
    name: String,
    client_request_token: Option<String>,
    description: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
}

fn create_secret(account: &Account, request: CreateSecret) -> Result<Value, Refusal> {
    check_length("name", &request.name, 1..=512)?;
    if !request
        .name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c))
    {
        return Err(Refusal::new(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    let token = version_id(account, request.client_request_token)?;
    let value = secret_value(request.secret_string, request.secret_binary)?;
    let has_value = value.is_some();
    let secret = new_secret(
        account,
        &request.name,
        request.description,
        value.map(|value| (token.clone(), value)),
    );
    let arn = account.store.change(|kept| {
        if kept.secrets.contains_key(&request.name) {
            return Err(Refusal::new(
                "ResourceExistsException",
                format!(
                    "The operation failed because the secret {} already exists.",
                    request.name
                ),
            ));
        }
        let arn = secret.arn.clone();
        kept.secrets.insert(request.name.clone(), secret);
        Ok(arn)
    })?;
    output(&Written {
        arn,
        name: request.name,
        version_id: has_value.then_some(token),
        version_stages: None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Read {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    version_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<String>,
    version_stages: Vec<String>,
    created_date: f64,
}

fn get_secret_value(account: &Account, request: &GetSecretValue) -> Result<Value, Refusal> {
    check_length("secretId", &request.secret_id, 1..=2048)?;
    let stage = match (&request.version_stage, &request.version_id) {
        (Some(stage), _) => Some(stage.as_str()),
        (None, Some(_)) => None,
        (None, None) => Some(CURRENT),
    };
    account.store.read(|kept| {
        let (name, secret) = find(kept, &request.secret_id)?;
        let (id, version) = secret
            .versions
            .iter()
            .find(|(id, version)| {
                request.version_id.as_ref().is_none_or(|wanted| wanted == *id)
                    && stage.is_none_or(|stage| version.has_stage(stage))
            })
            .ok_or_else(|| {
                Refusal::new(
                    "ResourceNotFoundException",
                    match stage {
                        Some(stage) => format!(
                            "Secrets Manager can't find the specified secret value for staging label: {stage}"
                        ),
                        None => "Secrets Manager can't find the specified secret value.".to_owned(),
                    },
                )
            })?;
        let (secret_string, secret_binary) = match version.value.clone() {
            SecretValue::Text(text) => (Some(text), None),
            SecretValue::Binary(bytes) => (None, Some(bytes)),
        };
        output(&Read {
            arn: secret.arn.clone(),
            name: name.to_owned(),
            version_id: id.clone(),
            secret_string,
            secret_binary,
            version_stages: version.stages.clone(),
            created_date: version.created,
        })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeSecret {
    secret_id: String,
}

/// A secret's description, on request by name or in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    created_date: f64,
    last_changed_date: f64,
}

impl Summary {
    fn of(name: &str, secret: &Secret) -> Self {
        Self {
            arn: secret.arn.clone(),
            name: name.to_owned(),
            description: secret.description.clone(),
            created_date: secret.created,
            last_changed_date: secret.changed,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    #[serde(flatten)]
    summary: Summary,
    version_ids_to_stages: BTreeMap<String, Vec<String>>,
}

fn describe_secret(account: &Account, request: &DescribeSecret) -> Result<Value, Refusal> {
    check_length("secretId", &request.secret_id, 1..=2048)?;
    account.store.read(|kept| {
        let (name, secret) = find(kept, &request.secret_id)?;
        output(&Described {
            summary: Summary::of(name, secret),
            version_ids_to_stages: stages(secret),
        })
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListSecrets {
    /// No secret here is ever planned for deletion.
    #[serde(rename = "IncludePlannedDeletion")]
    _include_planned_deletion: Option<bool>,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    sort_order: SortOrder,
    #[serde(default)]
    sort_by: SortBy,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SortOrder {
    Asc,
    #[default]
    Desc,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SortBy {
    #[default]
    CreatedDate,
    LastAccessedDate,
    LastChangedDate,
    Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    key: FilterKey,
    values: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FilterKey {
    Description,
    Name,
    TagKey,
    TagValue,
    PrimaryRegion,
    OwningService,
    All,
}

impl Filter {
    /// Whether one of the values matches. An exclamation mark inverts a value.
    fn takes(&self, secret: &Listed) -> bool {
        self.values
            .iter()
            .any(|value| match value.strip_prefix('!') {
                Some(unwanted) => !self.begins_with(unwanted, secret),
                None => self.begins_with(value, secret),
            })
    }

    /// Names are case-sensitive, descriptions are not. No secret here has a tag, a Region or a
    /// service.
    fn begins_with(&self, value: &str, secret: &Listed) -> bool {
        let folded = value.to_lowercase();
        let description = secret.summary.description.as_deref().unwrap_or_default();
        let description = description.to_lowercase();
        match self.key {
            FilterKey::Name => secret.summary.name.starts_with(value),
            FilterKey::Description => description.starts_with(&folded),
            FilterKey::All => folded.split_whitespace().all(|word| {
                let texts = [secret.summary.name.to_lowercase(), description.clone()];
                texts.iter().any(|text| text.contains(word))
            }),
            FilterKey::TagKey
            | FilterKey::TagValue
            | FilterKey::PrimaryRegion
            | FilterKey::OwningService => false,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(flatten)]
    summary: Summary,
    secret_versions_to_stages: BTreeMap<String, Vec<String>>,
}

fn list_secrets(account: &Account, request: &ListSecrets) -> Result<Value, Refusal> {
    let most = request.max_results.unwrap_or(100);
    let values = request.filters.iter().map(|filter| filter.values.len());
    let are_filters = values.clone().count() <= 10 && values.clone().all(|n| (1..=10).contains(&n));
    if !(1..=100).contains(&most) || !are_filters {
        return Err(Refusal::new(
            "ValidationException",
            "MaxResults is from 1 to 100, and there are at most 10 filters of 1 to 10 values",
        ));
    }
    let mut secrets: Vec<Listed> = account.store.read(|kept| {
        let listed = kept.secrets.iter().map(|(name, secret)| Listed {
            summary: Summary::of(name, secret),
            secret_versions_to_stages: stages(secret),
        });
        listed.collect()
    });
    secrets.retain(|secret| request.filters.iter().all(|filter| filter.takes(secret)));
    // Secrets of the same moment stay in the order of names.
    secrets.sort_by(|one, other| {
        let (one, other) = (&one.summary, &other.summary);
        let order = match request.sort_by {
            SortBy::Name => one.name.cmp(&other.name),
            SortBy::CreatedDate => one.created_date.total_cmp(&other.created_date),
            SortBy::LastChangedDate => one.last_changed_date.total_cmp(&other.last_changed_date),
            // Accesses are not recorded.
            SortBy::LastAccessedDate => Ordering::Equal,
        };
        match request.sort_order {
            SortOrder::Asc => order,
            SortOrder::Desc => order.reverse(),
        }
    });
    let marker = request.next_token.as_deref();
    let page =
        page::cut(secrets, |secret| &secret.summary.name, marker, most).ok_or_else(|| {
            Refusal::new(
                "InvalidNextTokenException",
                "The NextToken value is invalid.",
            )
        })?;
    let mut answer = json!({ "SecretList": output(&page.entries)? });
    if let Some(marker) = page.marker {
        answer["NextToken"] = marker.into();
    }
    Ok(answer)
}

fn stages(secret: &Secret) -> BTreeMap<String, Vec<String>> {
    let versions = secret.versions.iter();
    versions
        .map(|(id, version)| (id.clone(), version.stages.clone()))
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutSecretValue {
    secret_id: String,
    client_request_token: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    version_stages: Option<Vec<String>>,
}

/// The answer of `CreateSecret` and `PutSecretValue`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_stages: Option<Vec<String>>,
}

fn put_secret_value(account: &Account, request: PutSecretValue) -> Result<Value, Refusal> {
    check_length("secretId", &request.secret_id, 1..=2048)?;
    let id = version_id(account, request.client_request_token)?;
    let value = secret_value(request.secret_string, request.secret_binary)?.ok_or_else(|| {
        Refusal::new(
            "InvalidRequestException",
            "You must provide either SecretString or SecretBinary.",
        )
    })?;
    let stages = request
        .version_stages
        .unwrap_or_else(|| vec![CURRENT.to_owned()]);
    if !(1..=20).contains(&stages.len()) {
        return Err(Refusal::new(
            "InvalidParameterException",
            "a version has 1 to 20 stages",
        ));
    }
    for stage in &stages {
        check_length("versionStages", stage, 1..=256)?;
    }
    let now = account.now_seconds();
    account.store.change(|kept| {
        let name = find(kept, &request.secret_id)?.0.to_owned();
        let secret = kept.secrets.get_mut(&name).ok_or_else(not_found)?;
        match secret.versions.get(&id) {
            Some(version) if version.value != value => {
                return Err(Refusal::new(
                    "ResourceExistsException",
                    "You can't use ClientRequestToken for a different value: the version already exists.",
                ));
            }
            Some(_) => {}
            None => secret.add(id.clone(), value, &stages, now),
        }
        output(&Written {
            arn: secret.arn.clone(),
            name,
            version_stages: secret.versions.get(&id).map(|version| version.stages.clone()),
            version_id: Some(id),
        })
    })
}

impl Secret {
    /// Adds a version. Each of its stages moves here from the version that had it; the version that
    /// loses `AWSCURRENT` becomes `AWSPREVIOUS`; versions left without a stage are deprecated, and
    /// go.
    fn add(&mut self, id: String, value: SecretValue, stages: &[String], now: f64) {
        for version in self.versions.values_mut() {
            let was_current = version.has_stage(CURRENT);
            version.stages.retain(|stage| !stages.contains(stage));
            if was_current && !version.has_stage(CURRENT) {
                version.stages.push(PREVIOUS.to_owned());
            } else if stages.iter().any(|stage| stage == CURRENT) {
                version.stages.retain(|stage| stage != PREVIOUS);
            }
        }
        self.versions
            .retain(|_, version| !version.stages.is_empty());
        self.versions.insert(
            id,
            Version {
                value,
                stages: stages.to_vec(),
                created: now,
            },
        );
        self.changed = now;
    }
}

impl Version {
    fn has_stage(&self, stage: &str) -> bool {
        self.stages.iter().any(|own| own == stage)
    }
}

fn new_secret(
    account: &Account,
    name: &str,
    description: Option<String>,
    first: Option<(String, SecretValue)>,
) -> Secret {
    let mut suffix = data_encoding::BASE32_NOPAD.encode(&account.random::<4>());
    suffix.truncate(ARN_SUFFIX_LENGTH);
    let now = account.now_seconds();
    let mut secret = Secret {
        arn: account.arn("secretsmanager", &format!("secret:{name}-{suffix}")),
        description,
        created: now,
        changed: now,
        versions: BTreeMap::new(),
    };
    if let Some((id, value)) = first {
        secret.add(id, value, &[CURRENT.to_owned()], now);
    }
    secret
}

/// A secret by its name, its ARN, or its ARN without the random suffix.
fn find<'kept>(kept: &'kept Kept, id: &str) -> Result<(&'kept str, &'kept Secret), Refusal> {
    kept.secrets
        .iter()
        .find(|(name, secret)| {
            *name == id
                || secret.arn == id
                || secret
                    .arn
                    .rsplit_once('-')
                    .is_some_and(|(without_suffix, _)| without_suffix == id)
        })
        .map(|(name, secret)| (name.as_str(), secret))
        .ok_or_else(not_found)
}

fn not_found() -> Refusal {
    Refusal::new(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

fn version_id(account: &Account, token: Option<String>) -> Result<String, Refusal> {
    match token {
        Some(token) => check_length("clientRequestToken", &token, 32..=64).map(|()| token),
        None => Ok(account.new_uuid()),
    }
}

fn secret_value(
    text: Option<String>,
    binary: Option<String>,
) -> Result<Option<SecretValue>, Refusal> {
    match (text, binary) {
        (None, None) => Ok(None),
        (Some(text), None) => {
            check_length("secretString", &text, 1..=65_536)?;
            Ok(Some(SecretValue::Text(text)))
        }
        (None, Some(binary)) => match STANDARD.decode(&binary) {
            Ok(bytes) if (1..=65_536).contains(&bytes.len()) => {
                Ok(Some(SecretValue::Binary(binary)))
            }
            _ => Err(Refusal::new(
                "ValidationException",
                "SecretBinary must be 1 to 65536 bytes in Base64",
            )),
        },
        (Some(_), Some(_)) => Err(Refusal::new(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
    }
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Self::internal("InternalServiceError", &error)
    }
}
