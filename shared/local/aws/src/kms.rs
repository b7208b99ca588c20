//! KMS: symmetric keys that never leave, AES-256-GCM with the encryption context as additional
//! data.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::page::{self, Page};
use crate::refusal::{Refusal, check_length, input, output};
use crate::state::{Kept, Key, StateError};

/// A ciphertext begins with its key: the UUID's sixteen bytes, then the nonce, then AES-GCM's
/// output.
const KEY_ID_LENGTH: usize = 16;

/// Canonical order, so that the order of writing does not change a context's meaning.
type EncryptionContext = BTreeMap<String, String>;

pub(crate) fn serve(account: &Account, operation: &str, body: Value) -> Result<Value, Refusal> {
    match operation {
        "Encrypt" => encrypt(account, &input(body)?),
        "Decrypt" => decrypt(account, &input(body)?),
        "DescribeKey" => describe_key(account, &input(body)?),
        "GenerateDataKey" => generate_data_key(account, &input(body)?),
        "ListAliases" => list_aliases(account, &input(body)?),
        "ListKeys" => list_keys(account, &input(body)?),
        _ => Err(Refusal::unknown_operation()),
    }
}

pub(crate) fn ensure(account: &Account, alias: &str) -> Result<String, StateError> {
    let known = account.store.read(|kept| kept.aliases.get(alias).cloned());
    let id = if let Some(id) = known {
        id
    } else {
        let id = account.new_uuid();
        let material = STANDARD.encode(account.random::<32>());
        account.store.change(|kept| {
            let created = account.now_seconds();
            kept.keys.insert(id.clone(), Key { material, created });
            kept.aliases.insert(alias.to_owned(), id.clone());
            Ok::<_, StateError>(id)
        })?
    };
    Ok(account.arn("kms", &format!("key/{id}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Encrypt {
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: EncryptionContext,
    encryption_algorithm: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
    key_id: String,
    encryption_algorithm: &'static str,
}

fn encrypt(account: &Account, request: &Encrypt) -> Result<Value, Refusal> {
    check_algorithm(request.encryption_algorithm.as_deref())?;
    let plaintext = bytes("plaintext", &request.plaintext, 1..=4096)?;
    let (id, arn) = find(account, &request.key_id)?;
    output(&Encrypted {
        ciphertext_blob: STANDARD.encode(seal(
            account,
            id,
            &plaintext,
            &request.encryption_context,
        )?),
        key_id: arn,
        encryption_algorithm: "SYMMETRIC_DEFAULT",
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Decrypt {
    ciphertext_blob: String,
    key_id: Option<String>,
    #[serde(default)]
    encryption_context: EncryptionContext,
    encryption_algorithm: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: String,
    key_id: String,
    encryption_algorithm: &'static str,
}

fn decrypt(account: &Account, request: &Decrypt) -> Result<Value, Refusal> {
    check_algorithm(request.encryption_algorithm.as_deref())?;
    let ciphertext = bytes("ciphertextBlob", &request.ciphertext_blob, 1..=6144)?;
    let id = ciphertext
        .first_chunk::<KEY_ID_LENGTH>()
        .map(|id| uuid::Uuid::from_bytes(*id))
        .ok_or_else(invalid_ciphertext)?;
    if let Some(wanted) = &request.key_id
        && find(account, wanted)?.0 != id
    {
        return Err(Refusal::new(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        ));
    }
    let plaintext = open(
        account,
        id,
        &ciphertext[KEY_ID_LENGTH..],
        &request.encryption_context,
    )?;
    output(&Decrypted {
        plaintext: STANDARD.encode(plaintext),
        key_id: account.arn("kms", &format!("key/{id}")),
        encryption_algorithm: "SYMMETRIC_DEFAULT",
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GenerateDataKey {
    key_id: String,
    key_spec: Option<String>,
    number_of_bytes: Option<usize>,
    #[serde(default)]
    encryption_context: EncryptionContext,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DataKey {
    plaintext: String,
    ciphertext_blob: String,
    key_id: String,
}

fn generate_data_key(account: &Account, request: &GenerateDataKey) -> Result<Value, Refusal> {
    let length = match (request.key_spec.as_deref(), request.number_of_bytes) {
        (Some("AES_256"), None) => 32,
        (Some("AES_128"), None) => 16,
        (None, Some(length)) if (1..=1024).contains(&length) => length,
        _ => {
            return Err(Refusal::new(
                "ValidationException",
                "Please specify either number of bytes or key spec.",
            ));
        }
    };
    let (id, arn) = find(account, &request.key_id)?;
    let mut data_key = vec![0; length];
    (account.randomness)(&mut data_key);
    output(&DataKey {
        ciphertext_blob: STANDARD.encode(seal(
            account,
            id,
            &data_key,
            &request.encryption_context,
        )?),
        plaintext: STANDARD.encode(data_key),
        key_id: arn,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeKey {
    key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyMetadata<'a> {
    #[serde(rename = "AWSAccountId")]
    account_id: &'a str,
    key_id: String,
    arn: String,
    creation_date: f64,
    enabled: bool,
    description: &'static str,
    key_usage: &'static str,
    key_state: &'static str,
    origin: &'static str,
    key_manager: &'static str,
    customer_master_key_spec: &'static str,
    key_spec: &'static str,
    encryption_algorithms: [&'static str; 1],
    multi_region: bool,
}

fn describe_key(account: &Account, request: &DescribeKey) -> Result<Value, Refusal> {
    let (id, arn) = find(account, &request.key_id)?;
    let key_id = id.to_string();
    let created = |kept: &Kept| kept.keys.get(&key_id).map(|key| key.created);
    let creation_date = account.store.read(created).unwrap_or_default();
    let metadata = KeyMetadata {
        account_id: &account.id,
        key_id,
        arn,
        creation_date,
        enabled: true,
        description: "",
        key_usage: "ENCRYPT_DECRYPT",
        key_state: "Enabled",
        origin: "AWS_KMS",
        key_manager: "CUSTOMER",
        customer_master_key_spec: "SYMMETRIC_DEFAULT",
        key_spec: "SYMMETRIC_DEFAULT",
        encryption_algorithms: ["SYMMETRIC_DEFAULT"],
        multi_region: false,
    };
    Ok(json!({ "KeyMetadata": output(&metadata)? }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListKeys {
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    key_id: String,
    key_arn: String,
}

fn list_keys(account: &Account, request: &ListKeys) -> Result<Value, Refusal> {
    let most = limit(request.limit, 100)?;
    let listed = |id: &String| ListedKey {
        key_id: id.clone(),
        key_arn: account.arn("kms", &format!("key/{id}")),
    };
    let keys: Vec<_> = account
        .store
        .read(|kept| kept.keys.keys().map(listed).collect());
    let page = page::cut(keys, |key| &key.key_id, request.marker.as_deref(), most);
    listing("Keys", page.ok_or_else(invalid_marker)?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListAliases {
    key_id: Option<String>,
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListedAlias {
    alias_name: String,
    alias_arn: String,
    target_key_id: String,
    creation_date: f64,
    last_updated_date: f64,
}

fn list_aliases(account: &Account, request: &ListAliases) -> Result<Value, Refusal> {
    let most = limit(request.limit, 50)?;
    let of_key = match &request.key_id {
        Some(key_id) => Some(find(account, key_id)?.0.to_string()),
        None => None,
    };
    let aliases: Vec<_> = account.store.read(|kept| {
        let wanted = kept.aliases.iter();
        let wanted = wanted.filter(|(_, id)| of_key.as_ref().is_none_or(|wanted| wanted == *id));
        let listed = wanted.map(|(name, id)| {
            let created = kept.keys.get(id).map_or(0.0, |key| key.created);
            ListedAlias {
                alias_name: name.clone(),
                alias_arn: account.arn("kms", name),
                target_key_id: id.clone(),
                creation_date: created,
                last_updated_date: created,
            }
        });
        listed.collect()
    });
    let marker = request.marker.as_deref();
    let page = page::cut(aliases, |alias| &alias.alias_name, marker, most);
    listing("Aliases", page.ok_or_else(invalid_marker)?)
}

fn limit(wanted: Option<usize>, unless_said: usize) -> Result<usize, Refusal> {
    let most = wanted.unwrap_or(unless_said);
    let refusal = || Refusal::new("ValidationException", "Limit must be from 1 to 1000");
    (1..=1000)
        .contains(&most)
        .then_some(most)
        .ok_or_else(refusal)
}

fn invalid_marker() -> Refusal {
    Refusal::new(
        "InvalidMarkerException",
        "The marker is not one of this list.",
    )
}

fn listing(name: &str, page: Page<impl Serialize>) -> Result<Value, Refusal> {
    let mut answer = json!({ name: output(&page.entries)?, "Truncated": page.marker.is_some() });
    if let Some(marker) = page.marker {
        answer["NextMarker"] = marker.into();
    }
    Ok(answer)
}

fn seal(
    account: &Account,
    id: uuid::Uuid,
    plaintext: &[u8],
    context: &EncryptionContext,
) -> Result<Vec<u8>, Refusal> {
    let nonce = account.random::<NONCE_LEN>();
    let mut sealed = plaintext.to_vec();
    cipher(account, id)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(additional_data(context)),
            &mut sealed,
        )
        .map_err(|error| Refusal::internal("KMSInternalException", &error))?;
    Ok([id.as_bytes(), &nonce[..], &sealed].concat())
}

fn open(
    account: &Account,
    id: uuid::Uuid,
    sealed: &[u8],
    context: &EncryptionContext,
) -> Result<Vec<u8>, Refusal> {
    let (nonce, sealed) = sealed
        .split_first_chunk::<NONCE_LEN>()
        .ok_or_else(invalid_ciphertext)?;
    let mut opened = sealed.to_vec();
    let plaintext = cipher(account, id)
        .map_err(|_| invalid_ciphertext())?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(additional_data(context)),
            &mut opened,
        )
        .map_err(|_| invalid_ciphertext())?;
    Ok(plaintext.to_vec())
}

fn cipher(account: &Account, id: uuid::Uuid) -> Result<LessSafeKey, Refusal> {
    let material = account.store.read(|kept| {
        let key = kept.keys.get(&id.to_string())?;
        STANDARD.decode(&key.material).ok()
    });
    material
        .and_then(|material| UnboundKey::new(&AES_256_GCM, &material).ok())
        .map(LessSafeKey::new)
        .ok_or_else(|| not_found(&id.to_string()))
}

/// Each name and value with its length before it: no two contexts give the same bytes.
fn additional_data(context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in context.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// A key by its id, its ARN, its alias or its alias's ARN.
fn find(account: &Account, key_id: &str) -> Result<(uuid::Uuid, String), Refusal> {
    check_length("keyId", key_id, 1..=2048)?;
    let named = key_id
        .strip_prefix(&account.arn("kms", ""))
        .unwrap_or(key_id);
    let known = |kept: &Kept| {
        let id = match kept.aliases.get(named) {
            Some(id) => id,
            None => named.strip_prefix("key/").unwrap_or(named),
        };
        kept.keys
            .contains_key(id)
            .then(|| uuid::Uuid::parse_str(id).ok())
            .flatten()
    };
    let id = account.store.read(known).ok_or_else(|| not_found(key_id))?;
    Ok((id, account.arn("kms", &format!("key/{id}"))))
}

fn not_found(key_id: &str) -> Refusal {
    Refusal::new(
        "NotFoundException",
        format!("Key '{key_id}' does not exist"),
    )
}

/// KMS's one answer to a wrong key, context or ciphertext.
fn invalid_ciphertext() -> Refusal {
    Refusal::new("InvalidCiphertextException", "")
}

fn check_algorithm(algorithm: Option<&str>) -> Result<(), Refusal> {
    match algorithm {
        None | Some("SYMMETRIC_DEFAULT") => Ok(()),
        Some(other) => Err(Refusal::new(
            "InvalidKeyUsageException",
            format!("Algorithm {other} is incompatible with key spec SYMMETRIC_DEFAULT."),
        )),
    }
}

fn bytes(
    member: &str,
    encoded: &str,
    lengths: std::ops::RangeInclusive<usize>,
) -> Result<Vec<u8>, Refusal> {
    STANDARD
        .decode(encoded)
        .ok()
        .filter(|bytes| lengths.contains(&bytes.len()))
        .ok_or_else(|| {
            Refusal::new(
                "ValidationException",
                format!(
                    "{member} must be {} to {} bytes in Base64",
                    lengths.start(),
                    lengths.end()
                ),
            )
        })
}
