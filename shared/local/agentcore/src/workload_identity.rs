//! Workload identities: the agents that may ask for tokens, and the return addresses for their
//! users' browsers.

use local_kit::{Millis, SpecError, seconds};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::behaviour::ReturnUrls;
use crate::model;
use crate::refusal::Refusal;
use crate::service::Service;

/// A workload identity that an embedding program wants to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadIdentitySpec {
    /// 3 to 255 of `[A-Za-z0-9_.-]`.
    pub name: String,
    /// The return URLs that `GetResourceOauth2Token` takes.
    pub allowed_return_urls: Vec<String>,
}

/// The record of a workload identity.
#[derive(Serialize, Deserialize)]
pub(crate) struct WorkloadIdentity {
    return_urls: Vec<String>,
    created: Millis,
    updated: Millis,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    name: String,
    #[serde(default)]
    allowed_resource_oauth2_return_urls: Option<Vec<String>>,
    /// Taken, and of no effect.
    #[serde(default, rename = "tags")]
    _tags: Option<Value>,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) next_token: Option<String>,
    pub(crate) max_results: Option<u32>,
}

impl Page {
    /// The model allows 20 at most.
    pub(crate) fn size(&self) -> usize {
        self.max_results
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(20)
    }

    /// The end of the last page: the name in its token.
    pub(crate) fn after(&self) -> &str {
        self.next_token.as_deref().unwrap_or_default()
    }
}

impl WorkloadIdentity {
    pub(crate) fn find(connection: &Connection, name: &str) -> Result<Self, Refusal> {
        Self::look_up(connection, name)?
            .ok_or_else(|| Refusal::not_found(format!("Workload identity '{name}' does not exist")))
    }

    fn look_up(connection: &Connection, name: &str) -> Result<Option<Self>, Refusal> {
        let document: Option<String> = connection
            .prepare_cached("SELECT document FROM workload_identities WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(document
            .map(|document| serde_json::from_str(&document))
            .transpose()?)
    }

    fn keep(&self, transaction: &Transaction<'_>, name: &str) -> Result<(), Refusal> {
        transaction.execute(
            "INSERT INTO workload_identities (name, document) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET document = excluded.document",
            params![name, serde_json::to_string(self)?],
        )?;
        Ok(())
    }

    pub(crate) fn allows(&self, return_url: &str, rule: ReturnUrls) -> bool {
        self.return_urls.iter().any(|allowed| match rule {
            ReturnUrls::Exact => allowed == return_url,
            ReturnUrls::WithoutQuery => match (Url::parse(allowed), Url::parse(return_url)) {
                (Ok(allowed), Ok(asked)) => bare(allowed) == bare(asked),
                (_, _) => false,
            },
        })
    }

    fn described(&self, service: &Service, name: &str) -> Value {
        json!({
            "name": name,
            "workloadIdentityArn": arn(service, name),
            "allowedResourceOauth2ReturnUrls": self.return_urls,
            "createdTime": seconds(self.created),
            "lastUpdatedTime": seconds(self.updated),
        })
    }
}

fn bare(mut url: Url) -> String {
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

fn arn(service: &Service, name: &str) -> String {
    let resource = format!("workload-identity-directory/default/workload-identity/{name}");
    service.arn("bedrock-agentcore", &resource)
}

/// Refuses return URLs that could not be redirected to, at their registration.
fn check_return_urls(urls: &[String]) -> Result<(), Refusal> {
    match urls.iter().find(|url| Url::parse(url).is_err()) {
        Some(url) => Err(Refusal::invalid(format!(
            "'{url}' is not a URL that a browser can be sent to"
        ))),
        None => Ok(()),
    }
}

pub(crate) fn ensure(service: &Service, spec: WorkloadIdentitySpec) -> Result<(), SpecError> {
    let body =
        json!({"name": spec.name, "allowedResourceOauth2ReturnUrls": spec.allowed_return_urls});
    model::check("CreateWorkloadIdentity", &body)?;
    check_return_urls(&spec.allowed_return_urls)?;
    let now = service.now();
    service.store.change(now, |transaction| {
        let there = WorkloadIdentity::look_up(transaction, &spec.name)?;
        let identity = WorkloadIdentity {
            return_urls: spec.allowed_return_urls,
            created: there.map_or(now, |identity| identity.created),
            updated: now,
        };
        identity.keep(transaction, &spec.name)
    })?;
    Ok(())
}

pub(crate) fn create(service: &Service, input: Described) -> Result<Value, Refusal> {
    let urls = input
        .allowed_resource_oauth2_return_urls
        .unwrap_or_default();
    check_return_urls(&urls)?;
    let now = service.now();
    let identity = service.store.change(now, |transaction| {
        if WorkloadIdentity::look_up(transaction, &input.name)?.is_some() {
            return Err(Refusal::new(
                service.behaviour().taken_name,
                format!("Workload identity '{}' already exists", input.name),
            ));
        }
        let identity = WorkloadIdentity {
            return_urls: urls,
            created: now,
            updated: now,
        };
        identity.keep(transaction, &input.name)?;
        Ok(identity)
    })?;
    Ok(json!({
        "name": input.name,
        "workloadIdentityArn": arn(service, &input.name),
        "allowedResourceOauth2ReturnUrls": identity.return_urls,
    }))
}

pub(crate) fn get(service: &Service, input: &Named) -> Result<Value, Refusal> {
    let identity = service
        .store
        .read(|connection| WorkloadIdentity::find(connection, &input.name))?;
    Ok(identity.described(service, &input.name))
}

/// Replaces the list of return URLs, if the request has one.
pub(crate) fn update(service: &Service, input: Described) -> Result<Value, Refusal> {
    let urls = input.allowed_resource_oauth2_return_urls;
    check_return_urls(urls.as_deref().unwrap_or_default())?;
    let now = service.now();
    let identity = service.store.change(now, |transaction| {
        let mut identity = WorkloadIdentity::find(transaction, &input.name)?;
        if let Some(urls) = urls {
            identity.return_urls = urls;
        }
        identity.updated = now;
        identity.keep(transaction, &input.name)?;
        Ok(identity)
    })?;
    Ok(identity.described(service, &input.name))
}

pub(crate) fn delete(service: &Service, input: &Named) -> Result<Value, Refusal> {
    service.store.change(service.now(), |transaction| {
        WorkloadIdentity::find(transaction, &input.name)?;
        transaction.execute(
            "DELETE FROM workload_identities WHERE name = ?1",
            [&input.name],
        )?;
        Ok(Value::Null)
    })
}

pub(crate) fn list(service: &Service, input: &Page) -> Result<Value, Refusal> {
    let mut names = service.store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT name FROM workload_identities WHERE name > ?1 ORDER BY name LIMIT ?2",
        )?;
        let names = statement.query_map(params![input.after(), input.size() + 1], |row| {
            row.get::<_, String>(0)
        })?;
        Ok(names.collect::<Result<Vec<_>, _>>()?)
    })?;
    let more = names.len() > input.size();
    names.truncate(input.size());
    let identities: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "workloadIdentityArn": arn(service, name)}))
        .collect();
    let mut answer = json!({"workloadIdentities": identities});
    if more {
        answer["nextToken"] = json!(names.last());
    }
    Ok(answer)
}
