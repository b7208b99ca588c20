//! The upload of an import job's file. In AWS this is a pre-signed URL of S3.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::put;
use data_encoding::HEXLOWER;
use ring::hmac;
use rusqlite::params;
use serde::Deserialize;

use crate::import_job::{ImportJob, Status, UPLOAD_LIMIT};
use crate::service::Service;

/// The largest file (developer guide, "Quotas": 100 MB).
const LONGEST_FILE: usize = 100_000_000;

/// Cognito signs its URLs with this header, so an upload without it is refused.
const ENCRYPTION: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");

/// Scripts and command lines send files; no page does, so there is no CORS.
pub(crate) fn endpoint() -> Router<Arc<Service>> {
    Router::new().route("/_import/{job}", put(upload))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    signature: String,
}

impl Service {
    /// The URL that takes the job's file. It is all the proof that an upload needs.
    pub(crate) fn upload_url(&self, job: &ImportJob) -> String {
        let base = self.options.public_url.trim_end_matches('/');
        let signature = HEXLOWER.encode(hmac::sign(&self.upload_key(), job.id.as_bytes()).as_ref());
        format!("{base}/_import/{}?Signature={signature}", job.id)
    }

    fn upload_key(&self) -> hmac::Key {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.session_key);
        let own = hmac::sign(&key, b"uploads of import jobs");
        hmac::Key::new(hmac::HMAC_SHA256, own.as_ref())
    }

    fn is_signed(&self, job: &str, signature: &str, headers: &HeaderMap) -> bool {
        let (name, value) = ENCRYPTION;
        let tag = HEXLOWER.decode(signature.as_bytes()).unwrap_or_default();
        headers.get(name).is_some_and(|given| given == value)
            && hmac::verify(&self.upload_key(), job.as_bytes(), &tag).is_ok()
    }
}

async fn upload(
    State(service): State<Arc<Service>>,
    Path(job): Path<String>,
    Query(Signed { signature }): Query<Signed>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !service.is_signed(&job, &signature, &parts.headers) {
        return refusal(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let Ok(file) = to_bytes(body, LONGEST_FILE).await else {
        return refusal(StatusCode::BAD_REQUEST, "EntityTooLarge");
    };
    let now = service.now();
    let kept = service.store.change(now, |transaction| {
        let open = ImportJob::look_for(transaction, &job, now)?
            .filter(|job| job.status == Status::Created && now < job.created + UPLOAD_LIMIT);
        let Some(job) = open else {
            return Ok(false);
        };
        transaction.execute(
            "UPDATE import_jobs SET file = ?2 WHERE id = ?1",
            params![job.id, file.as_ref()],
        )?;
        Ok(true)
    });
    match kept {
        Ok(true) => Response::new(Body::empty()),
        Ok(false) => refusal(StatusCode::FORBIDDEN, "AccessDenied"),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    }
}

/// As S3 refuses.
fn refusal(status: StatusCode, code: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>"
    )));
    *response.status_mut() = status;
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, xml);
    response
}
