//! Triggers: functions that a pool calls through the Lambda Invoke API, and the changes that they
//! may make.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower_service::Service as _;

use crate::refusal::{Exception, Refusal};

/// The longest answer of a function; Lambda's own limit is 6 MB.
const LONGEST_ANSWER: usize = 6 * 1_024 * 1_024;

/// A function that does not answer is called three times in all (developer guide, "Customizing user
/// pool workflows with Lambda triggers").
const TRIES: usize = 3;

/// Lambda's final refusals.
const REFUSALS: [StatusCode; 2] = [StatusCode::NOT_FOUND, StatusCode::TOO_MANY_REQUESTS];

/// What `RequestResponse` asks of the Invoke API: the function's own answer.
const INVOCATION_TYPE: (&str, &str) = ("x-amz-invocation-type", "RequestResponse");

const FUNCTION_ERROR: &str = "x-amz-function-error";

/// An Invoke API in this process, as long as it runs.
pub(crate) type InProcess = Box<dyn Fn() -> Option<Router> + Send + Sync>;

type Failure = Box<dyn Error + Send + Sync>;

/// Calls a pool's functions. Accepts only a complete, well-formed answer in time.
pub(crate) struct Functions {
    http: reqwest::Client,
    base: Option<String>,
    in_process: OnceLock<InProcess>,
    limit: Duration,
}

impl Functions {
    pub(crate) fn new(base: Option<String>, limit: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base,
            in_process: OnceLock::new(),
            limit,
        })
    }

    /// Calls the functions from now on without a socket.
    pub(crate) fn call_in_process(&self, lambda: InProcess) {
        // A second Invoke API would have the same functions.
        let _known = self.in_process.set(lambda);
    }

    /// The event as the function returned it. Any other answer is an exception: a sign-in never
    /// continues without it.
    pub(crate) async fn invoke(
        &self,
        trigger: &str,
        arn: &str,
        event: &Value,
    ) -> Result<Value, Refusal> {
        let unexpected = |what: &str| {
            Refusal::new(
                Exception::UnexpectedLambda,
                format!("{trigger} invocation failed due to error {what}."),
            )
        };
        if self.base.is_none() && self.in_process.get().is_none() {
            return Err(unexpected("ResourceNotFoundException"));
        }
        let path = format!("/2015-03-31/functions/{arn}/invocations");
        let mut called = Err("");
        for _ in 0..TRIES {
            called = self.call(trigger, &path, event).await;
            if called.is_ok() {
                break;
            }
        }
        let Called {
            status,
            failed,
            body,
        } = called.map_err(unexpected)?;
        if !status.is_success() {
            return Err(unexpected(if status.as_u16() == 404 {
                "ResourceNotFoundException"
            } else {
                "TooManyRequestsException"
            }));
        }
        let answer: Result<Value, _> = serde_json::from_slice(&body);
        if failed {
            let text = answer
                .ok()
                .and_then(|answer| answer["errorMessage"].as_str().map(str::to_owned))
                .unwrap_or_else(|| "null".to_owned());
            return Err(Refusal::new(
                Exception::UserLambdaValidation,
                format!("{trigger} failed with error {text}."),
            ));
        }
        match answer {
            Ok(answer) if answer.is_object() && answer["response"].is_object() => Ok(answer),
            Ok(_) | Err(_) => Err(unrecognizable()),
        }
    }

    /// One call. The error is one after which the next call may do better, by its name.
    async fn call(&self, trigger: &str, path: &str, event: &Value) -> Result<Called, &'static str> {
        let call = async {
            match self.in_process.get() {
                Some(lambda) => called_here(lambda(), path, event).await,
                None => self.called_there(path, event).await,
            }
        };
        match tokio::time::timeout(self.limit, call).await {
            Ok(Ok(called)) if called.status.is_success() || REFUSALS.contains(&called.status) => {
                Ok(called)
            }
            Ok(Ok(_)) => Err("ServiceException"),
            Ok(Err(cause)) => {
                tracing::warn!(
                    trigger,
                    cause = &*cause as &dyn Error,
                    "a function could not be reached"
                );
                Err("ServiceException")
            }
            Err(_) => Err("TimeoutException"),
        }
    }

    async fn called_there(&self, path: &str, event: &Value) -> Result<Called, Failure> {
        let base = self.base.as_deref().unwrap_or_default();
        let address = format!("{}{path}", base.trim_end_matches('/'));
        let (name, value) = INVOCATION_TYPE;
        let sending = self.http.post(address).header(name, value).json(event);
        let mut response = sending.send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_ANSWER {
                break;
            }
        }
        Ok(Called {
            status: response.status(),
            failed: response.headers().contains_key(FUNCTION_ERROR),
            body,
        })
    }
}

async fn called_here(lambda: Option<Router>, path: &str, event: &Value) -> Result<Called, Failure> {
    let mut lambda = lambda.ok_or("the functions have ended")?;
    let (name, value) = INVOCATION_TYPE;
    let request = Request::post(path)
        .header(name, value)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(event.to_string()))?;
    let Ok(response) = lambda.call(request).await;
    let (head, body) = response.into_parts();
    Ok(Called {
        status: head.status,
        failed: head.headers.contains_key(FUNCTION_ERROR),
        body: to_bytes(body, LONGEST_ANSWER).await?.to_vec(),
    })
}

/// The Invoke API's answer.
struct Called {
    status: StatusCode,
    /// Whether the function ended in an error of its own.
    failed: bool,
    body: Vec<u8>,
}

fn unrecognizable() -> Refusal {
    Refusal::new(
        Exception::InvalidLambdaResponse,
        "Unrecognizable lambda output",
    )
}

/// The requested changes of a pre token generation trigger (version 2 of its event).
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overrides {
    id_token_generation: Option<TokenOverrides>,
    access_token_generation: Option<TokenOverrides>,
    group_override_details: Option<GroupOverrides>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenOverrides {
    claims_to_add_or_override: Option<Map<String, Value>>,
    claims_to_suppress: Option<Vec<String>>,
    scopes_to_add: Option<Vec<String>>,
    scopes_to_suppress: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupOverrides {
    groups_to_override: Option<Vec<String>>,
    iam_roles_to_override: Option<Vec<String>>,
    preferred_role: Option<String>,
}

/// Claims that no trigger changes in either token (developer guide, "Pre token generation Lambda
/// trigger").
const PROTECTED: [&str; 14] = [
    "acr",
    "amr",
    "at_hash",
    "auth_time",
    "azp",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "sub",
    "token_use",
];
const PROTECTED_IN_ID: [&str; 3] = ["identities", "aud", "cognito:username"];
const PROTECTED_IN_ACCESS: [&str; 6] = [
    "username",
    "client_id",
    "scope",
    "device_key",
    "event_id",
    "version",
];

/// A trigger can remove scopes of this prefix, but not add them.
const RESERVED_SCOPES: &str = "aws.cognito";

impl Overrides {
    /// Reads `response.claimsAndScopeOverrideDetails`. An absent one changes nothing.
    pub(crate) fn read(answer: &Value) -> Result<Self, Refusal> {
        let details = &answer["response"]["claimsAndScopeOverrideDetails"];
        let overrides: Option<Self> =
            serde_json::from_value(details.clone()).map_err(|_| unrecognizable())?;
        let overrides = overrides.unwrap_or_default();
        let scopes = overrides
            .access_token_generation
            .iter()
            .flat_map(|token| token.scopes_to_add.iter().flatten());
        for scope in scopes {
            // A blank would turn one scope into two, and the second could be a reserved one.
            if scope.is_empty() || scope.chars().any(char::is_whitespace) {
                return Err(unrecognizable());
            }
        }
        Ok(overrides)
    }

    pub(crate) fn apply_to_id(&self, claims: &mut Map<String, Value>) {
        if let Some(groups) = &self.group_override_details {
            groups.apply(claims);
            if let Some(roles) = groups
                .iam_roles_to_override
                .as_ref()
                .filter(|roles| !roles.is_empty())
            {
                claims.insert("cognito:roles".to_owned(), json!(roles));
            }
            if let Some(role) = &groups.preferred_role {
                claims.insert("cognito:preferred_role".to_owned(), json!(role));
            }
        }
        if let Some(token) = &self.id_token_generation {
            token.apply(claims, &PROTECTED_IN_ID);
        }
    }

    pub(crate) fn apply_to_access(
        &self,
        claims: &mut Map<String, Value>,
        scopes: &mut Vec<String>,
    ) {
        if let Some(groups) = &self.group_override_details {
            groups.apply(claims);
        }
        let Some(token) = &self.access_token_generation else {
            return;
        };
        token.apply(claims, &PROTECTED_IN_ACCESS);
        for scope in token.scopes_to_add.iter().flatten() {
            if !scope.starts_with(RESERVED_SCOPES) && !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        if let Some(suppressed) = &token.scopes_to_suppress {
            scopes.retain(|scope| !suppressed.contains(scope));
        }
    }
}

impl TokenOverrides {
    /// A claim that is both given and suppressed is suppressed.
    fn apply(&self, claims: &mut Map<String, Value>, protected: &[&str]) {
        let open = |name: &str| !PROTECTED.contains(&name) && !protected.contains(&name);
        for (name, value) in self.claims_to_add_or_override.iter().flatten() {
            if open(name) {
                claims.insert(name.clone(), value.clone());
            }
        }
        for name in self.claims_to_suppress.iter().flatten() {
            if open(name) {
                claims.remove(name);
            }
        }
    }
}

impl GroupOverrides {
    fn apply(&self, claims: &mut Map<String, Value>) {
        match &self.groups_to_override {
            Some(groups) if !groups.is_empty() => {
                claims.insert("cognito:groups".to_owned(), json!(groups));
            }
            Some(_) | None => {
                claims.remove("cognito:groups");
            }
        }
    }
}

/// The members that every trigger's event has.
pub(crate) struct Occasion<'a> {
    pub(crate) version: &'a str,
    pub(crate) source: &'a str,
    pub(crate) region: &'a str,
    pub(crate) pool: &'a str,
    pub(crate) client: &'a str,
    pub(crate) username: &'a str,
}

impl Occasion<'_> {
    pub(crate) fn event(&self, request: &Value, response: &Value) -> Value {
        json!({
            "version": self.version,
            "triggerSource": self.source,
            "region": self.region,
            "userPoolId": self.pool,
            "userName": self.username,
            "callerContext": {
                "awsSdkVersion": "aws-sdk-unknown-unknown",
                "clientId": self.client,
            },
            "request": request,
            "response": response,
        })
    }
}

/// `clientMetadata` and `validationData` of a request; absent if the caller sent none.
pub(crate) type Metadata = BTreeMap<String, String>;
