//! The operations on import jobs.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::import_job::{ImportJob, Status, columns_of};
use crate::password_hash::Algorithm;
use crate::pool::Pool;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;

/// The most jobs of one page, whatever the caller asks for (API reference,
/// `UserImportJobsListType`).
const PAGE: i64 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PoolInput {
    user_pool_id: String,
}

/// `GetCSVHeader`. Jobs with a hashing algorithm have the column `password_hash` too.
pub(super) fn csv_header(service: &Service, input: &PoolInput) -> Result<Value, Refusal> {
    let pool = service
        .store
        .read(|connection| Pool::find(connection, &input.user_pool_id))?;
    Ok(json!({"UserPoolId": pool.id, "CSVHeader": columns_of(&pool.settings)}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateInput {
    user_pool_id: String,
    job_name: String,
    cloud_watch_logs_role_arn: String,
    password_hashing_algorithm: Option<Algorithm>,
}

pub(super) fn create(service: &Service, input: &CreateInput) -> Result<Value, Refusal> {
    let job = service.store.change(service.now(), |transaction| {
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        let job = ImportJob::new(
            service,
            &pool,
            &input.job_name,
            &input.cloud_watch_logs_role_arn,
            input.password_hashing_algorithm,
        );
        job.insert(transaction)?;
        Ok(job)
    })?;
    Ok(answer(service, &job))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct JobInput {
    user_pool_id: String,
    job_id: String,
}

pub(super) fn describe(service: &Service, input: &JobInput) -> Result<Value, Refusal> {
    let now = service.now();
    let job = service
        .store
        .read(|connection| ImportJob::find(connection, &input.user_pool_id, &input.job_id, now))?;
    Ok(answer(service, &job))
}

/// `StartUserImportJob`: the answer comes before the first user is there.
pub(super) fn start(service: &Arc<Service>, input: &JobInput) -> Result<Value, Refusal> {
    let now = service.now();
    let (job, file) = service.store.change(now, |transaction| {
        let mut job = ImportJob::find(transaction, &input.user_pool_id, &input.job_id, now)?;
        let pool = Pool::find(transaction, &input.user_pool_id)?;
        if job.status != Status::Created {
            return Err(unmet("The user import job is not in the status Created."));
        }
        if pool.settings.auto_verified_attributes.is_empty() {
            return Err(unmet("The user pool has no auto verified attributes."));
        }
        if ImportJob::any_is_active(transaction)? {
            return Err(unmet("Another user import job is active."));
        }
        let file: Option<Vec<u8>> = transaction.query_row(
            "SELECT file FROM import_jobs WHERE id = ?1",
            [&job.id],
            |row| row.get(0),
        )?;
        let file = file.ok_or_else(|| unmet("No CSV file was uploaded."))?;
        transaction.execute(
            "UPDATE import_jobs SET file = NULL WHERE id = ?1",
            [&job.id],
        )?;
        job.status = Status::Pending;
        job.started = Some(now);
        job.save(transaction)?;
        Ok((job, file))
    })?;
    let answer = answer(service, &job);
    let service = Arc::clone(service);
    tokio::task::spawn_blocking(move || job.run(&service, &file));
    Ok(answer)
}

pub(super) fn stop(service: &Service, input: &JobInput) -> Result<Value, Refusal> {
    let now = service.now();
    let job = service.store.change(now, |transaction| {
        let mut job = ImportJob::find(transaction, &input.user_pool_id, &input.job_id, now)?;
        if !job.status.is_active() {
            return Err(unmet("The user import job is not active."));
        }
        job.status = Status::Stopping;
        job.save(transaction)?;
        Ok(job)
    })?;
    Ok(answer(service, &job))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    user_pool_id: String,
    max_results: i64,
    pagination_token: Option<String>,
}

/// `ListUserImportJobs`, the last created first; the token is the last row of the page before.
pub(super) fn list(service: &Service, input: &ListInput) -> Result<Value, Refusal> {
    let before = match &input.pagination_token {
        None => i64::MAX,
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)))
            .ok_or_else(|| Refusal::invalid("Invalid pagination token."))?,
    };
    let most = input.max_results.clamp(1, PAGE);
    let now = service.now();
    service.store.read(|connection| {
        Pool::find(connection, &input.user_pool_id)?;
        let rows: Vec<(i64, String)> = connection
            .prepare_cached(
                "SELECT rowid, id FROM import_jobs WHERE pool = ?1 AND rowid < ?2
                 ORDER BY rowid DESC LIMIT ?3",
            )?
            .query_map(params![input.user_pool_id, before, most + 1], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        let page = usize::try_from(most).unwrap_or(usize::MAX);
        let shown = rows
            .iter()
            .take(page)
            .map(|(_, id)| {
                let job = ImportJob::find(connection, &input.user_pool_id, id, now)?;
                Ok(job.shown(service))
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        let mut answer = json!({"UserImportJobs": shown});
        if rows.len() > page
            && let Some((last, _)) = rows.get(page - 1)
        {
            answer["PaginationToken"] = json!(URL_SAFE_NO_PAD.encode(last.to_be_bytes()));
        }
        Ok(answer)
    })
}

fn answer(service: &Service, job: &ImportJob) -> Value {
    json!({"UserImportJob": job.shown(service)})
}

fn unmet(message: &'static str) -> Refusal {
    Refusal::new(Exception::PreconditionNotMet, message)
}
