//! The connector under every SDK client of the functions. It records each call, and applies armed
//! faults.
//!
//! The function's name comes from the client: each function has its own. The request id and the
//! counter come from a task-local around each invocation, because an SDK client does not know its
//! caller.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth_domain::Timestamp;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::in_process::InProcess;
use crate::control::faults::{FaultKind, Faults, Try};
use crate::control::journal::Journal;
use crate::world::clock::WorldClock;

/// The number of calls that are kept: some minutes of a load test.
const REMEMBERED: usize = 20_000;

/// One call that a function made.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsCall {
    /// Grows with every call.
    pub id: u64,
    /// When it was made, by the world's clock.
    pub at: Timestamp,
    /// The invocation that made it: the Lambda request id. Empty outside an invocation.
    pub request_id: String,
    /// The function that made it.
    pub function: String,
    /// The service as its endpoint is called: `cognito-idp`, `dynamodb`, …
    pub service: &'static str,
    /// The operation.
    pub action: String,
    /// The target of the call: the tables (with `/index/…` for an index; commas between several),
    /// pool, app client, workload identity, credential provider, secret or key. Empty without a
    /// target.
    pub resource: String,
    /// Whether IAM decides about it. Cognito takes some calls by a client's secret or a token.
    #[serde(skip)]
    pub is_signed: bool,
    /// The items of a transaction: for each, its table and the action that IAM has to allow.
    #[serde(skip)]
    pub transacted: Vec<(String, String)>,
    /// Whether its answer signs a user in at Cognito: it has tokens.
    #[serde(skip)]
    pub signs_in: bool,
    /// The address of the person behind the request, if the call passes it to AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The HTTP status; `None` if no answer arrived.
    pub status: Option<u16>,
    /// How long it took.
    pub ms: f64,
    /// Its start, among the starts and ends of all calls.
    pub began: u64,
    /// Its end, among the same: a call that began later may have waited for this one.
    pub ended: u64,
}

impl AwsCall {
    /// How many of some calls may have waited for one another: the longest chain in which each
    /// began after the one before it had ended.
    #[must_use]
    pub fn depth<'a>(calls: impl IntoIterator<Item = &'a Self>) -> usize {
        let mut calls: Vec<&Self> = calls.into_iter().collect();
        calls.sort_by_key(|call| call.ended);
        let (mut depth, mut last_end) = (0, None);
        for call in calls {
            if last_end.is_none_or(|end| call.began > end) {
                depth += 1;
                last_end = Some(call.ended);
            }
        }
        depth
    }
}

tokio::task_local! {
    /// The invocation that the current task serves.
    pub(crate) static INVOCATION: Arc<Invocation>;
}

/// The link between an invocation and its AWS calls.
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) calls: AtomicU32,
}

/// A call as it is kept: what many calls have in common, they share.
#[derive(Clone)]
struct Made {
    at: Timestamp,
    invocation: Option<Arc<Invocation>>,
    function: &'static str,
    target: Arc<Target>,
    is_signed: bool,
    signs_in: bool,
    ip_address: Option<Box<str>>,
    status: Option<u16>,
    ms: f64,
    began: u64,
    ended: u64,
}

impl Made {
    fn request_id(&self) -> &str {
        let invocation = self.invocation.as_deref();
        invocation.map_or("", |invocation| &invocation.request_id)
    }

    fn shown(self, id: u64) -> AwsCall {
        AwsCall {
            id,
            at: self.at,
            request_id: self.request_id().to_owned(),
            function: self.function.to_owned(),
            service: self.target.service.name(),
            action: self.target.action.clone(),
            resource: self.target.resource.clone(),
            is_signed: self.is_signed,
            transacted: self.target.transacted.clone(),
            signs_in: self.signs_in,
            ip_address: self.ip_address.map(String::from),
            status: self.status,
            ms: self.ms,
            began: self.began,
            ended: self.ended,
        }
    }
}

/// Every AWS call of a world, and the faults armed against them.
pub(crate) struct AwsCalls {
    made: Journal<Made>,
    /// The targets of earlier calls, each once: there are few, and many calls of each.
    targets: Mutex<BTreeSet<Arc<Target>>>,
    pub(crate) faults: Faults,
    clock: WorldClock,
    moments: AtomicU64,
    stand_ins: SharedHttpConnector,
}

impl AwsCalls {
    pub(crate) fn new(clock: WorldClock, stand_ins: InProcess) -> Arc<Self> {
        Arc::new(Self {
            made: Journal::new(REMEMBERED),
            targets: Mutex::default(),
            faults: Faults::default(),
            clock,
            moments: AtomicU64::new(1),
            stand_ins: SharedHttpConnector::new(stand_ins),
        })
    }

    /// The calls after number `since`, oldest first.
    pub(crate) fn since(&self, since: u64) -> Vec<AwsCall> {
        let made = self.made.since(since).into_iter();
        made.map(|(id, call)| call.shown(id)).collect()
    }

    /// The calls of one invocation, oldest first.
    pub(crate) fn of(&self, request_id: &str) -> Vec<AwsCall> {
        let made = self.made.since(0).into_iter();
        made.filter(|(_, call)| call.request_id() == request_id)
            .map(|(id, call)| call.shown(id))
            .collect()
    }

    /// The number of the newest call so far.
    pub(crate) fn last(&self) -> u64 {
        self.made.last()
    }

    /// Forgets the calls after number `last`.
    pub(crate) fn rewind(&self, last: u64) {
        self.made.rewind(last);
    }

    /// Forgets every call.
    pub(crate) fn clear(&self) {
        self.made.clear();
    }

    /// The target as earlier calls have it.
    fn shared(&self, target: Target) -> Arc<Target> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = targets.get(&target) {
            return known.clone();
        }
        let new = Arc::new(target);
        // A URL of another service may be another one at every call.
        if new.service != Service::Other {
            targets.insert(new.clone());
        }
        new
    }

    /// The next of the moments at which a call begins or ends.
    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    /// The HTTP client for one function's SDK clients.
    pub(crate) fn client_of(self: &Arc<Self>, function: &'static str) -> SharedHttpClient {
        SharedHttpClient::new(WatchedClient {
            function,
            calls: self.clone(),
        })
    }

    /// Sends one try of a call, unless an armed fault strikes it.
    async fn carry_out(
        &self,
        function: &str,
        target: &Target,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let attempt = Try {
            function,
            service: target.service.name(),
            action: &target.action,
            call: request
                .headers()
                .get("amz-sdk-invocation-id")
                .unwrap_or_default(),
        };
        let Some(fault) = self.faults.strike(&attempt) else {
            return self.stand_ins.call(request).await;
        };
        match fault.kind {
            FaultKind::Throttle => Ok(target.refusal(Refusal::Throttled)),
            FaultKind::Internal => Ok(target.refusal(Refusal::Internal)),
            FaultKind::Denied => Ok(target.refusal(Refusal::Denied)),
            FaultKind::Lost => {
                self.stand_ins.call(request).await?;
                Err(ConnectorError::io(
                    "the connection was closed before the answer arrived".into(),
                ))
            }
            FaultKind::Delay => {
                tokio::time::sleep(Duration::from_millis(fault.ms.unwrap_or(0))).await;
                self.stand_ins.call(request).await
            }
        }
    }
}

#[derive(Clone)]
struct WatchedClient {
    function: &'static str,
    calls: Arc<AwsCalls>,
}

impl fmt::Debug for WatchedClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("WatchedClient")
            .field(&self.function)
            .finish()
    }
}

impl HttpClient for WatchedClient {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for WatchedClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (function, calls) = (self.function, self.calls.clone());
        HttpConnectorFuture::new(async move {
            let (target, ip_address) = Target::of(&request);
            let target = calls.shared(target);
            let is_signed = request.headers().get("authorization").is_some();
            let at = calls.clock.now();
            let (started, began) = (Instant::now(), calls.moment());
            let answer = calls.carry_out(function, &target, request).await;
            let signs_in = target.may_sign_in() && answer.as_ref().is_ok_and(has_tokens);
            let invocation = INVOCATION.try_with(|invocation| {
                invocation.calls.fetch_add(1, Ordering::Relaxed);
                invocation.clone()
            });
            calls.made.add(|_| Made {
                at,
                invocation: invocation.ok(),
                function,
                target,
                is_signed,
                signs_in,
                ip_address,
                status: answer.as_ref().ok().map(|answer| answer.status().as_u16()),
                ms: (started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0,
                began,
                ended: calls.moment(),
            });
            answer
        })
    }
}

fn has_tokens(answer: &HttpResponse) -> bool {
    let body = answer.body().bytes().unwrap_or_default();
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    fields["AuthenticationResult"]["AccessToken"].is_string()
}

/// The operation and the resource of a call.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    service: Service,
    action: String,
    resource: String,
    transacted: Vec<(String, String)>,
}

/// The members of a request's body that name its target, and the person's address.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Members {
    user_pool_id: Option<String>,
    client_id: Option<String>,
    context_data: Option<Context>,
    user_context_data: Option<Context>,
    table_name: Option<String>,
    index_name: Option<String>,
    transact_items: Option<Vec<BTreeMap<String, TransactItem>>>,
    #[expect(
        clippy::zero_sized_map_values,
        reason = "an object of JSON, whose names alone are read"
    )]
    request_items: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(rename = "workloadName")]
    workload_name: Option<String>,
    #[serde(rename = "resourceCredentialProviderName")]
    credential_provider: Option<String>,
    secret_id: Option<String>,
    key_id: Option<String>,
    from_email_address: Option<String>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "IpAddress")]
    ip_address: Option<Box<str>>,
}

#[derive(Deserialize)]
struct TransactItem {
    #[serde(rename = "TableName")]
    table_name: Option<String>,
}

impl Target {
    /// Whether the call is a step of a sign-in at Cognito.
    fn may_sign_in(&self) -> bool {
        ["AdminInitiateAuth", "AdminRespondToAuthChallenge"].contains(&self.action.as_str())
    }

    /// The target, and the person's address in a call to Cognito.
    fn of(request: &HttpRequest) -> (Self, Option<Box<str>>) {
        let mut members: Members = request
            .body()
            .bytes()
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_default();
        let by_header = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.split_once('.'));
        let Some((prefix, action)) = by_header else {
            return (Self::by_path(request, members), None);
        };
        let contexts = [
            members.context_data.take(),
            members.user_context_data.take(),
        ];
        let mut contexts = contexts.into_iter().flatten();
        let ip_address = contexts.find_map(|context| context.ip_address);
        let service = Service::by_target(prefix);
        let transacted = transacted(members.transact_items.take());
        let target = Self {
            service,
            action: action.to_owned(),
            resource: service.resource(members, &transacted),
            transacted,
        };
        (target, ip_address)
    }

    /// For services with paths for operations.
    fn by_path(request: &HttpRequest, members: Members) -> Self {
        let path = path(request.uri());
        let (service, action) = match (request.method(), path) {
            ("POST", "/v2/email/outbound-emails") => (Service::Ses, "SendEmail"),
            ("POST", "/identities/oauth2/token") => (Service::AgentCore, "GetResourceOauth2Token"),
            ("POST", path) if path.starts_with(IDENTITIES) => {
                (Service::AgentCore, &path[IDENTITIES.len()..])
            }
            ("GET", path) if path.ends_with(SIGNING_KEYS) => {
                let pool = path[..path.len() - SIGNING_KEYS.len()].trim_start_matches('/');
                return Self {
                    service: Service::SigningKeys,
                    action: "GetSigningKeys".to_owned(),
                    resource: pool.to_owned(),
                    transacted: Vec::new(),
                };
            }
            (method, _) => {
                return Self {
                    service: Service::Other,
                    action: format!("{method} {}", request.uri()),
                    resource: String::new(),
                    transacted: Vec::new(),
                };
            }
        };
        Self {
            service,
            action: action.to_owned(),
            resource: service.resource(members, &[]),
            transacted: Vec::new(),
        }
    }
}

/// The identity operations of AgentCore that are called by their own names.
const IDENTITIES: &str = "/identities/";

/// The path of a user pool's signing keys.
const SIGNING_KEYS: &str = "/.well-known/jwks.json";

/// The path of a URI.
fn path(uri: &str) -> &str {
    let behind_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = behind_scheme
        .find('/')
        .map_or("/", |begin| &behind_scheme[begin..]);
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// The services that functions call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Service {
    CognitoIdp,
    /// A public document of Cognito's: no IAM action.
    SigningKeys,
    DynamoDb,
    AgentCore,
    SecretsManager,
    Kms,
    Ses,
    Other,
}

impl Service {
    fn by_target(prefix: &str) -> Self {
        match prefix {
            "AWSCognitoIdentityProviderService" => Self::CognitoIdp,
            "DynamoDB_20120810" => Self::DynamoDb,
            "secretsmanager" => Self::SecretsManager,
            "TrentService" => Self::Kms,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CognitoIdp | Self::SigningKeys => "cognito-idp",
            Self::DynamoDb => "dynamodb",
            Self::AgentCore => "bedrock-agentcore",
            Self::SecretsManager => "secretsmanager",
            Self::Kms => "kms",
            Self::Ses => "ses",
            Self::Other => "other",
        }
    }

    fn resource(self, members: Members, transacted: &[(String, String)]) -> String {
        let named = match self {
            Self::CognitoIdp => members.user_pool_id.or(members.client_id),
            Self::DynamoDb => {
                return match (
                    members.table_name,
                    members.index_name,
                    members.request_items,
                ) {
                    (Some(table), Some(index), _) => format!("{table}/index/{index}"),
                    (Some(table), None, _) => table,
                    (None, _, Some(batch)) => batch.into_keys().collect::<Vec<_>>().join(","),
                    (None, _, None) => tables_of_transaction(transacted),
                };
            }
            Self::AgentCore => members.workload_name.or(members.credential_provider),
            Self::SecretsManager => members.secret_id,
            Self::Kms => members.key_id,
            Self::Ses => members.from_email_address,
            Self::SigningKeys | Self::Other => None,
        };
        named.unwrap_or_default()
    }
}

/// The kinds of a service's refusal by a fault.
#[derive(Clone, Copy)]
enum Refusal {
    Throttled,
    Internal,
    Denied,
}

impl Target {
    /// The refusal as the service itself words it.
    fn refusal(&self, refusal: Refusal) -> HttpResponse {
        let (status, error) = match (refusal, self.service) {
            (Refusal::Throttled, Service::CognitoIdp) => (400, "TooManyRequestsException"),
            (Refusal::Throttled, Service::DynamoDb) => (
                400,
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            ),
            (Refusal::Throttled, Service::Ses | Service::SigningKeys) => {
                (429, "TooManyRequestsException")
            }
            (Refusal::Throttled, Service::AgentCore) => (429, "ThrottlingException"),
            (Refusal::Throttled, Service::SecretsManager | Service::Kms | Service::Other) => {
                (400, "ThrottlingException")
            }
            (Refusal::Internal, Service::CognitoIdp | Service::SigningKeys) => {
                (500, "InternalErrorException")
            }
            (Refusal::Internal, Service::DynamoDb) => {
                (500, "com.amazonaws.dynamodb.v20120810#InternalServerError")
            }
            (Refusal::Internal, Service::AgentCore) => (500, "InternalServerException"),
            (Refusal::Internal, Service::SecretsManager) => (500, "InternalServiceError"),
            (Refusal::Internal, Service::Kms) => (500, "KMSInternalException"),
            (Refusal::Internal, Service::Ses | Service::Other) => {
                (500, "InternalServiceErrorException")
            }
            (Refusal::Denied, Service::DynamoDb) => {
                (400, "com.amazon.coral.service#AccessDeniedException")
            }
            (Refusal::Denied, Service::CognitoIdp | Service::SecretsManager | Service::Kms) => {
                (400, "AccessDeniedException")
            }
            (
                Refusal::Denied,
                Service::AgentCore | Service::SigningKeys | Service::Ses | Service::Other,
            ) => (403, "AccessDeniedException"),
        };
        let message = match refusal {
            Refusal::Throttled => "Rate exceeded".to_owned(),
            Refusal::Internal => "Internal error".to_owned(),
            Refusal::Denied => format!(
                "not authorized to perform: {}:{}",
                self.service.name(),
                self.action
            ),
        };
        // REST and JSON names the error in a header, JSON 1.x in the body too.
        let (content_type, body) = match self.service {
            Service::AgentCore | Service::Ses | Service::SigningKeys => {
                ("application/json", json!({ "message": message }))
            }
            Service::CognitoIdp
            | Service::DynamoDb
            | Service::SecretsManager
            | Service::Kms
            | Service::Other => (
                "application/x-amz-json-1.1",
                json!({ "__type": error, "message": message }),
            ),
        };
        #[expect(clippy::expect_used, reason = "the statuses above are in range")]
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
        let headers = response.headers_mut();
        headers.insert("content-type", content_type);
        headers.insert("x-amzn-errortype", error);
        headers.insert("x-amzn-requestid", "00000000-0000-4000-8000-000000000000");
        response
    }
}

/// The items of a transaction, in order: the table and the action of each.
fn transacted(items: Option<Vec<BTreeMap<String, TransactItem>>>) -> Vec<(String, String)> {
    let items = items.into_iter().flatten().flatten();
    items
        .filter_map(|(kind, item)| Some((item.table_name?, format!("{kind}Item"))))
        .collect()
}

/// The tables of a transaction, each once, in order.
fn tables_of_transaction(transacted: &[(String, String)]) -> String {
    let mut tables: Vec<&str> = Vec::new();
    for (table, _) in transacted {
        if !tables.contains(&table.as_str()) {
            tables.push(table);
        }
    }
    tables.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &str, path: &str, body: &Value) -> (&'static str, String, String) {
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        request.set_method(method).unwrap();
        request
            .set_uri(format!("http://127.0.0.1:8790{path}"))
            .unwrap();
        let (target, _) = Target::of(&request);
        (target.service.name(), target.action, target.resource)
    }

    #[test]
    fn calls_are_known_by_their_paths_where_they_have_no_target() {
        let workload = json!({ "workloadName": "agent" });
        for (path, body, action, resource) in [
            (
                "GetWorkloadAccessToken",
                &workload,
                "GetWorkloadAccessToken",
                "agent",
            ),
            (
                "GetWorkloadAccessTokenForUserId",
                &workload,
                "GetWorkloadAccessTokenForUserId",
                "agent",
            ),
            (
                "oauth2/token",
                &json!({ "resourceCredentialProviderName": "pool" }),
                "GetResourceOauth2Token",
                "pool",
            ),
            (
                "CompleteResourceTokenAuth",
                &json!({ "sessionUri": "urn:x" }),
                "CompleteResourceTokenAuth",
                "",
            ),
        ] {
            assert_eq!(
                target("POST", &format!("/identities/{path}"), body),
                ("bedrock-agentcore", action.to_owned(), resource.to_owned())
            );
        }
        assert_eq!(
            target("GET", "/eu-west-1_Pool/.well-known/jwks.json", &Value::Null),
            (
                "cognito-idp",
                "GetSigningKeys".to_owned(),
                "eu-west-1_Pool".to_owned()
            )
        );
        let (service, action, _) = target(
            "GET",
            "/identities/oauth2/authorize?request_uri=x",
            &Value::Null,
        );
        assert_eq!(service, "other", "no function may open this address");
        assert!(action.starts_with("GET http"), "{action}");
    }

    #[test]
    fn refusals_are_worded_as_the_service_words_them() {
        for (refusal, status, error) in [
            (Refusal::Throttled, 429, "ThrottlingException"),
            (Refusal::Internal, 500, "InternalServerException"),
            (Refusal::Denied, 403, "AccessDeniedException"),
        ] {
            let target = Target {
                service: Service::AgentCore,
                action: "GetWorkloadAccessToken".to_owned(),
                resource: "agent".to_owned(),
                transacted: Vec::new(),
            };
            let answer = target.refusal(refusal);
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers().get("x-amzn-errortype"), Some(error));
            let body: Value = serde_json::from_slice(answer.body().bytes().unwrap()).unwrap();
            assert!(
                body["message"].is_string() && body["__type"].is_null(),
                "{body}"
            );
        }
    }
}
