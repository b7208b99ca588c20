//! Routes: the operation that a request reaches, and the callers that the gateway admits.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, de::IgnoredAny};

use super::error::{ContractError, contradiction};
use super::function::{Function, FunctionKind};
use super::name::{camel_case, kebab_case};
use super::resource::Grant;
use super::tool::Tool;

/// An operation and its route.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In camelCase, such as `verifyOtp`.
    pub operation_id: String,
    /// The operationId in kebab-case: crate, binary, zip, and the function's name after its prefix.
    pub name: String,
    /// The method of its route.
    pub method: Method,
    /// The path of its route in the document, such as `/auth/session/{sessionId}`.
    pub path: String,
    /// The path's segments.
    pub segments: Vec<Segment>,
    /// Its callers.
    pub security: Security,
    /// The route's throttle at the gateway.
    pub throttle: Throttle,
    /// The agent's tool for this operation, if there is one.
    pub tool: Option<Tool>,
    /// The groups that the docs page shows it in.
    pub tags: Vec<String>,
    /// One line for lists.
    pub summary: String,
}

impl Operation {
    pub(super) fn takes(&self, segments: &[&str]) -> bool {
        self.segments.len() == segments.len()
            && self
                .segments
                .iter()
                .zip(segments)
                .all(|(segment, text)| match segment {
                    Segment::Literal(literal) => literal == text,
                    Segment::Parameter(_) => !text.is_empty(),
                })
    }
}

/// The choice of [`Contract::route`](super::Contract::route).
#[derive(Debug, Clone)]
pub struct Routed<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The percent-decoded path: an event's raw path.
    pub path: String,
    /// Its path parameters, percent-decoded twice.
    pub path_parameters: BTreeMap<String, String>,
}

/// The method of a route. A route takes its own method only: no HEAD for GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are RFC 9110's")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method as in a request line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or(UnknownMethod)
    }
}

/// A method that no route can have.
#[derive(Debug, thiserror::Error)]
#[error("no route can have this method")]
pub struct UnknownMethod;

/// A part of a path between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Matches itself.
    Literal(String),
    /// Matches any non-empty segment, and has this name.
    Parameter(String),
}

impl Segment {
    pub(super) fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }

    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Parameter(_) => None,
        }
    }
}

/// The callers that the gateway admits to an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// Anyone.
    Public,
    /// Holders of an access token, or of the operation's alternative to it. The gateway has no
    /// authorizer there, and the operation itself checks the token.
    OptionalJwt,
    /// Holders of an access token with one of these scopes, by API Gateway's JWT authorizer.
    Jwt {
        /// The route's authorization scopes; never empty.
        scopes: Vec<String>,
    },
    /// Principals that sign with AWS Signature Version 4 and may invoke the route.
    Iam,
}

/// A route's throttle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Throttle {
    /// Requests a second that it admits lastingly.
    pub rate_per_second: u32,
    /// The number of requests that it admits at once.
    pub burst: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathItem {
    get: Option<OperationItem>,
    post: Option<OperationItem>,
    put: Option<OperationItem>,
    patch: Option<OperationItem>,
    delete: Option<OperationItem>,
}

impl PathItem {
    pub(super) fn into_methods(self) -> impl Iterator<Item = (Method, OperationItem)> {
        [
            (Method::Get, self.get),
            (Method::Post, self.post),
            (Method::Put, self.put),
            (Method::Patch, self.patch),
            (Method::Delete, self.delete),
        ]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation?)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct OperationItem {
    operation_id: String,
    tags: Vec<String>,
    summary: String,
    #[serde(rename = "description")]
    _description: IgnoredAny,
    security: Vec<BTreeMap<String, Vec<String>>>,
    #[serde(rename = "parameters")]
    _parameters: Option<IgnoredAny>,
    #[serde(rename = "requestBody")]
    _request_body: Option<IgnoredAny>,
    #[serde(rename = "responses")]
    _responses: IgnoredAny,
    #[serde(rename = "x-latchkey")]
    function: RoutedFunctionItem,
}

impl OperationItem {
    /// The operation at this route, and its function.
    pub(super) fn at(
        self,
        method: Method,
        path: &str,
    ) -> Result<(Operation, Function), ContractError> {
        let id = camel_case(self.operation_id)?;
        let segments = path
            .strip_prefix('/')
            .ok_or_else(|| contradiction(path, "a path begins with a slash"))?
            .split('/')
            .map(|text| segment(path, text))
            .collect::<Result<_, _>>()?;
        let security = security(&self.security).ok_or_else(|| {
            let reason = "security is none, cognitoJwt with scopes, iam, or one scheme or none ({}); nothing else has a gateway authorizer";
            contradiction(&id, reason)
        })?;
        let operation = Operation {
            name: kebab_case(&id),
            operation_id: id,
            method,
            path: path.to_owned(),
            segments,
            security,
            throttle: self.function.throttle,
            tool: self.function.tool,
            tags: self.tags,
            summary: self.summary.clone(),
        };
        let function = Function {
            operation_id: operation.operation_id.clone(),
            name: operation.name.clone(),
            kind: FunctionKind::Route,
            summary: self.summary,
            memory_mb: self.function.memory_mb,
            timeout_seconds: self.function.timeout_seconds,
            grants: self.function.grants,
            environment: self.function.environment,
        };
        Ok((operation, function))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RoutedFunctionItem {
    memory_mb: u32,
    timeout_seconds: u32,
    throttle: Throttle,
    grants: Vec<Grant>,
    environment: Vec<String>,
    tool: Option<Tool>,
}

fn security(alternatives: &[BTreeMap<String, Vec<String>>]) -> Option<Security> {
    match alternatives {
        [] => Some(Security::Public),
        [_, nothing] if nothing.is_empty() => Some(Security::OptionalJwt),
        [schemes] => {
            let (scheme, scopes) = schemes.first_key_value()?;
            match (scheme.as_str(), scopes.as_slice()) {
                _ if schemes.len() > 1 => None,
                ("cognitoJwt", [_, ..]) => Some(Security::Jwt {
                    scopes: scopes.clone(),
                }),
                ("iam", []) => Some(Security::Iam),
                _ => None,
            }
        }
        [_, _, ..] => None,
    }
}

fn segment(path: &str, text: &str) -> Result<Segment, ContractError> {
    if let Some(name) = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        return Ok(Segment::Parameter(name.to_owned()));
    }
    if text.is_empty() || text.contains(['{', '}', '%']) {
        let reason = "a segment is a literal or one whole {parameter}";
        return Err(contradiction(path, reason));
    }
    Ok(Segment::Literal(text.to_owned()))
}
