//! What Latchkey reads of its `OpenAPI` document: operations, triggers, settings, routes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

use crate::in_order::in_order;

/// The operations, triggers and settings of one `OpenAPI` document.
#[derive(Debug)]
pub struct Contract {
    operations: Vec<Operation>,
    triggers: Vec<Trigger>,
    settings: Vec<Setting>,
    unrouted: Unrouted,
    text: String,
    json: Value,
}

/// Why a document is not a contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// Not JSON, a part missing, a key or a value that is not known here.
    #[error("the document does not have the shape of a contract")]
    Shape(#[from] serde_json::Error),
    /// Parts that contradict each other; says which and how.
    #[error("{place}: {reason}")]
    Contradiction {
        /// The operation, trigger, setting or path.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Contract {
    /// Reads an `OpenAPI` document in JSON.
    ///
    /// Keys that are not known are refused wherever functions, routes or settings are described: a misspelt one would otherwise
    /// be a grant or a limit that silently is not there.
    pub fn read(json: &str) -> Result<Self, ContractError> {
        let document: Document = serde_json::from_str(json)?;
        let settings: Vec<Setting> = document
            .settings
            .into_iter()
            .map(|(name, setting)| setting.named(name))
            .collect::<Result<_, _>>()?;
        let mut operations = Vec::new();
        for (path, item) in document.paths {
            for (method, operation) in item.into_methods() {
                operations.push(operation.at(method, &path)?);
            }
        }
        let triggers: Vec<Trigger> = document
            .triggers
            .into_iter()
            .map(|(id, trigger)| trigger.named(id))
            .collect::<Result<_, _>>()?;

        let contract = Self {
            operations,
            triggers,
            settings,
            unrouted: document.unrouted,
            text: json.to_owned(),
            json: serde_json::from_str(json)?,
        };
        contract.agrees_with_itself()?;
        Ok(contract)
    }

    /// Every operation, in the document's order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of this operationId or kebab-case name.
    #[must_use]
    pub fn operation(&self, id_or_name: &str) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|operation| operation.operation_id == id_or_name || operation.name == id_or_name)
    }

    /// The functions that Cognito calls.
    #[must_use]
    pub fn triggers(&self) -> &[Trigger] {
        &self.triggers
    }

    /// Everything that functions read from their environment, in the document's order.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// What the gateway answers where [`Contract::route`] finds nothing.
    #[must_use]
    pub fn unrouted(&self) -> &Unrouted {
        &self.unrouted
    }

    /// The whole document as text, its keys in their own order.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.text
    }

    /// The whole document, its maps sorted by key.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// Chooses the operation as an API Gateway HTTP API does: whole segments, letter case and a trailing slash count, a literal
    /// segment wins over a parameter, and a parameter takes one segment that is not empty, percent-decoded after the choice.
    ///
    /// `path` is the raw path of the request, without stage and query.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<Routed<'_>> {
        let method: Method = method.parse().ok()?;
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let operation = self
            .operations
            .iter()
            .filter(|operation| operation.method == method && operation.takes(&segments))
            .min_by_key(|operation| {
                let parameters = operation.segments.iter().map(Segment::is_parameter);
                parameters.collect::<Vec<_>>()
            })?;
        let path_parameters = operation
            .segments
            .iter()
            .zip(segments)
            .filter_map(|(segment, text)| match segment {
                Segment::Literal(_) => None,
                Segment::Parameter(name) => {
                    let value = percent_decode_str(text).decode_utf8_lossy();
                    Some((name.clone(), value.into_owned()))
                }
            })
            .collect();
        Some(Routed {
            operation,
            path_parameters,
        })
    }

    fn agrees_with_itself(&self) -> Result<(), ContractError> {
        let settings: BTreeSet<&str> = self.settings.iter().map(|one| one.name.as_str()).collect();
        let mut names = BTreeSet::new();
        let mut routes = BTreeSet::new();
        let mut tools = BTreeSet::new();
        let functions = self
            .operations
            .iter()
            .map(|operation| (&operation.operation_id, &operation.environment))
            .chain(
                self.triggers
                    .iter()
                    .map(|trigger| (&trigger.operation_id, &trigger.environment)),
            );
        for (id, environment) in functions {
            if !names.insert(kebab_case(id)) {
                return Err(contradiction(id, "the name is taken"));
            }
            if let Some(unknown) = environment
                .iter()
                .find(|name| !settings.contains(name.as_str()))
            {
                let reason = format!("{unknown} is not in x-latchkey-settings");
                return Err(contradiction(id, reason));
            }
        }
        for operation in &self.operations {
            let shape: Vec<Option<&str>> =
                operation.segments.iter().map(Segment::literal).collect();
            if !routes.insert((operation.method, shape)) {
                let reason = "another operation has the same route";
                return Err(contradiction(&operation.operation_id, reason));
            }
            if let Some(tool) = &operation.tool
                && !tools.insert(&tool.name)
            {
                let reason = "another operation has the same tool";
                return Err(contradiction(&operation.operation_id, reason));
            }
        }
        Ok(())
    }
}

/// An operation, and where and how it is reached.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In camelCase, such as `verifyOtp`.
    pub operation_id: String,
    /// The operationId in kebab-case: crate, binary, zip, and the function's name after its prefix.
    pub name: String,
    /// The method of its route.
    pub method: Method,
    /// The path of its route as the document has it, such as `/auth/session/{sessionId}`.
    pub path: String,
    /// The path's segments.
    pub segments: Vec<Segment>,
    /// Who may call it.
    pub security: Security,
    /// The function's memory, which sets its share of a processor too.
    pub memory_mb: u32,
    /// When Lambda gives the function up.
    pub timeout_seconds: u32,
    /// The route's throttle at the gateway.
    pub throttle: Throttle,
    /// All that the function may do in AWS.
    pub grants: Vec<Grant>,
    /// The names of the settings that it reads.
    pub environment: Vec<String>,
    /// The tool that an agent sees, where there is one.
    pub tool: Option<Tool>,
    /// The groups that the docs page shows it in.
    pub tags: Vec<String>,
    /// One line for lists.
    pub summary: String,
}

impl Operation {
    fn takes(&self, segments: &[&str]) -> bool {
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

/// What [`Contract::route`] chose.
#[derive(Debug, Clone)]
pub struct Routed<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Its path parameters, percent-decoded.
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
    /// As it stands in a request line.
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
    /// Matches anything but nothing, and has this name.
    Parameter(String),
}

impl Segment {
    fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }

    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Parameter(_) => None,
        }
    }
}

/// Whom the gateway lets call an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// Anyone. Where a token may be brought and need not be, the gateway has no authorizer, and the operation itself looks at it.
    Public,
    /// Who holds an access token with one of these scopes, as API Gateway's JWT authorizer sees it.
    Jwt {
        /// The route's authorization scopes; never empty.
        scopes: Vec<String>,
    },
    /// Who signs with AWS Signature Version 4 and may invoke the route.
    Iam,
}

/// A route's throttle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Throttle {
    /// Requests a second that it admits lastingly.
    pub rate_per_second: u32,
    /// Requests that it admits at once.
    pub burst: u32,
}

/// One action on one resource, such as `guests:GetItem`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Grant {
    resource: Resource,
    action: String,
}

impl Grant {
    /// What it is granted on.
    #[must_use]
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// The action without its service, such as `Query`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }
}

impl TryFrom<String> for Grant {
    type Error = MalformedGrant;

    fn try_from(text: String) -> Result<Self, MalformedGrant> {
        let parsed = text.split_once(':').and_then(|(resource, action)| {
            let resource = Resource::ALL
                .into_iter()
                .find(|one| one.as_str() == resource)?;
            let well_formed = action.starts_with(|first: char| first.is_ascii_uppercase())
                && action.chars().all(|one| one.is_ascii_alphanumeric())
                && !action.starts_with("Transact");
            well_formed.then(|| Self {
                resource,
                action: action.to_owned(),
            })
        });
        parsed.ok_or(MalformedGrant(text))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.resource.as_str(), self.action)
    }
}

/// Not `<resource>:<Action>` with a resource that is known, or a transaction, for which IAM has no action.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is not a grant: want <resource>:<Action> with a resource known to auth-api, and for a transaction the actions that it is made of"
)]
pub struct MalformedGrant(String);

/// What a function may be granted actions on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The table of guest records.
    Guests,
    /// The table of sign-ins under way and of limits.
    Challenges,
    /// The table of authorizations that agents have begun for people.
    Sessions,
    /// The Cognito user pool.
    UserPool,
    /// The secret that holds the keys.
    Secrets,
    /// The KMS key that seals what must be read again.
    SealingKey,
    /// The verified sender of mails.
    Mail,
    /// Who the agent is to `AgentCore`, and on whose behalf it asks.
    WorkloadIdentity,
    /// Where `AgentCore` keeps people's tokens, and the provider that they come from.
    TokenVault,
}

impl Resource {
    const ALL: [Self; 9] = [
        Self::Guests,
        Self::Challenges,
        Self::Sessions,
        Self::UserPool,
        Self::Secrets,
        Self::SealingKey,
        Self::Mail,
        Self::WorkloadIdentity,
        Self::TokenVault,
    ];

    /// As grants write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guests => "guests",
            Self::Challenges => "challenges",
            Self::Sessions => "sessions",
            Self::UserPool => "user-pool",
            Self::Secrets => "secrets",
            Self::SealingKey => "sealing-key",
            Self::Mail => "mail",
            Self::WorkloadIdentity => "workload-identity",
            Self::TokenVault => "token-vault",
        }
    }
}

/// An operation as an agent's tool.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tool {
    /// In `snake_case`; fixed, because agents call it already.
    pub name: String,
    /// For the model that chooses the tool.
    pub description: String,
    /// Its arguments.
    pub input_schema: ToolSchema,
}

/// The part of JSON Schema that an `AgentCore` Gateway takes for a tool, and nothing else. Serialises as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolSchema {
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: ToolSchemaKind,
    /// For the model that fills it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An object's fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, ToolSchema>,
    /// Which of them must be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// What an array holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<ToolSchema>>,
}

/// The types that an `AgentCore` Gateway knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are JSON Schema's")]
pub enum ToolSchemaKind {
    String,
    Number,
    Integer,
    Boolean,
    Object,
    Array,
}

/// A function that Cognito calls.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// In camelCase, such as `preTokenGeneration`.
    pub operation_id: String,
    /// In kebab-case, as an operation's.
    pub name: String,
    /// When Cognito calls it, and with which version of the event.
    pub kind: TriggerKind,
    /// One line for lists.
    pub summary: String,
    /// The function's memory.
    pub memory_mb: u32,
    /// When Lambda gives the function up. Cognito gives up after five seconds.
    pub timeout_seconds: u32,
    /// All that the function may do in AWS.
    pub grants: Vec<Grant>,
    /// The names of the settings that it reads.
    pub environment: Vec<String>,
}

/// The triggers that Latchkey uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TriggerKind {
    /// When a user begins to sign in; an error refuses that.
    PreAuthentication,
    /// Before tokens are made; the second version of the event can change access tokens.
    PreTokenGenerationV2,
}

/// Something that functions read from their environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: String,
    /// What its text must be.
    pub kind: SettingKind,
    /// The value where nothing else is configured, as the environment would have it; `none` where the setting is optional and off.
    pub default: Option<String>,
    /// The values that it may have.
    pub bounds: Bounds,
    /// Who makes it, so that nobody configures it there.
    pub made_by: Vec<Maker>,
    /// What a number counts.
    pub unit: Option<String>,
    /// What it is for.
    pub meaning: String,
}

/// What the text of a setting must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Text that is not empty.
    String,
    /// A whole number that is not negative.
    Integer,
    /// An absolute URL.
    Url,
}

/// The values that a setting may have, beyond its kind. [`NONE`] is one more where it is the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounds {
    /// Any of its kind.
    Any,
    /// The whole numbers between these two, and they themselves.
    Between(u64, u64),
    /// One of these words.
    OneOf(Vec<String>),
}

/// Who can make the value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// A deployment.
    Terraform,
    /// `cargo run`.
    Local,
}

/// The value of a setting that is optional and not set: a variable is never missing, so that a forgotten one shows.
pub const NONE: &str = "none";

/// Why a value is not one of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct UnfitValue(String);

impl Setting {
    /// Whether the setting may have this value, given as the environment has it. An error never repeats the value.
    pub fn check(&self, value: &str) -> Result<(), UnfitValue> {
        let optional = self.default.as_deref() == Some(NONE);
        if optional && value == NONE {
            return Ok(());
        }
        let (fits, mut wanted) = match (&self.bounds, self.kind) {
            (Bounds::OneOf(words), _) => (
                words.iter().any(|word| word == value),
                format!("one of {}", words.join(", ")),
            ),
            (Bounds::Between(least, most), _) => (
                is_plain_number(value)
                    && value
                        .parse()
                        .is_ok_and(|number: u64| (*least..=*most).contains(&number)),
                format!("a whole number from {least} to {most}"),
            ),
            (Bounds::Any, SettingKind::Integer) => {
                (is_plain_number(value), "a whole number".to_owned())
            }
            (Bounds::Any, SettingKind::Url) => (
                value
                    .split_once("://")
                    .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()),
                "an absolute URL".to_owned(),
            ),
            (Bounds::Any, SettingKind::String) => {
                (!value.is_empty(), "text that is not empty".to_owned())
            }
        };
        if fits {
            return Ok(());
        }
        if optional {
            wanted.push_str(", or none");
        }
        Err(UnfitValue(wanted))
    }
}

/// Digits and nothing else: no sign, no space.
fn is_plain_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the gateway answers where there is no route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrouted {
    /// The HTTP status.
    pub status: u16,
    /// `message` in its JSON body.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "openapi")]
    _openapi: IgnoredAny,
    #[serde(rename = "info")]
    _info: IgnoredAny,
    #[serde(rename = "servers")]
    _servers: IgnoredAny,
    #[serde(rename = "tags")]
    _tags: IgnoredAny,
    #[serde(rename = "security")]
    _security: IgnoredAny,
    #[serde(deserialize_with = "in_order")]
    paths: Vec<(String, PathItem)>,
    #[serde(rename = "components")]
    _components: IgnoredAny,
    #[serde(rename = "x-latchkey-unrouted")]
    unrouted: Unrouted,
    #[serde(rename = "x-latchkey-triggers", deserialize_with = "in_order")]
    triggers: Vec<(String, TriggerItem)>,
    #[serde(rename = "x-latchkey-settings", deserialize_with = "in_order")]
    settings: Vec<(String, SettingItem)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathItem {
    get: Option<OperationItem>,
    post: Option<OperationItem>,
    put: Option<OperationItem>,
    patch: Option<OperationItem>,
    delete: Option<OperationItem>,
}

impl PathItem {
    fn into_methods(self) -> impl Iterator<Item = (Method, OperationItem)> {
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
struct OperationItem {
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
    function: FunctionItem,
}

impl OperationItem {
    fn at(self, method: Method, path: &str) -> Result<Operation, ContractError> {
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
        Ok(Operation {
            name: kebab_case(&id),
            operation_id: id,
            method,
            path: path.to_owned(),
            segments,
            security,
            memory_mb: self.function.memory_mb,
            timeout_seconds: self.function.timeout_seconds,
            throttle: self.function.throttle,
            grants: self.function.grants,
            environment: self.function.environment,
            tool: self.function.tool,
            tags: self.tags,
            summary: self.summary,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FunctionItem {
    memory_mb: u32,
    timeout_seconds: u32,
    throttle: Throttle,
    grants: Vec<Grant>,
    environment: Vec<String>,
    tool: Option<Tool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TriggerItem {
    kind: TriggerKind,
    summary: String,
    memory_mb: u32,
    timeout_seconds: u32,
    grants: Vec<Grant>,
    environment: Vec<String>,
}

impl TriggerItem {
    fn named(self, id: String) -> Result<Trigger, ContractError> {
        let id = camel_case(id)?;
        Ok(Trigger {
            name: kebab_case(&id),
            operation_id: id,
            kind: self.kind,
            summary: self.summary,
            memory_mb: self.memory_mb,
            timeout_seconds: self.timeout_seconds,
            grants: self.grants,
            environment: self.environment,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingItem {
    #[serde(rename = "type")]
    kind: SettingKind,
    default: Option<SettingDefault>,
    minimum: Option<u64>,
    maximum: Option<u64>,
    #[serde(rename = "enum")]
    words: Option<Vec<String>>,
    #[serde(rename = "madeBy", default)]
    made_by: Vec<Maker>,
    unit: Option<String>,
    meaning: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SettingDefault {
    Integer(u64),
    Text(String),
}

impl SettingItem {
    fn named(self, name: String) -> Result<Setting, ContractError> {
        let bounds = match (self.kind, self.minimum, self.maximum, self.words) {
            (SettingKind::Integer, Some(least), Some(most), None) if least <= most => {
                Bounds::Between(least, most)
            }
            (SettingKind::String, None, None, Some(words)) if !words.is_empty() => {
                Bounds::OneOf(words)
            }
            (SettingKind::String | SettingKind::Url, None, None, None) => Bounds::Any,
            _ => {
                let reason = "a number has a minimum and a maximum, text may have an enum, and nothing else has bounds";
                return Err(contradiction(&name, reason));
            }
        };
        let is_number = matches!(self.default, Some(SettingDefault::Integer(_)));
        let setting = Setting {
            kind: self.kind,
            default: self.default.map(|default| match default {
                SettingDefault::Integer(number) => number.to_string(),
                SettingDefault::Text(text) => text,
            }),
            bounds,
            made_by: self.made_by,
            unit: self.unit,
            meaning: self.meaning,
            name,
        };
        if setting.default.is_none() && setting.made_by.is_empty() {
            let reason = "without a default, somebody must make it";
            return Err(contradiction(&setting.name, reason));
        }
        if let Some(default) = &setting.default {
            let fits = if default == NONE {
                !is_number
            } else {
                is_number == (setting.kind == SettingKind::Integer)
            };
            if !fits {
                return Err(contradiction(
                    &setting.name,
                    "the default is not of its type",
                ));
            }
            if let Err(unfit) = setting.check(default) {
                return Err(contradiction(&setting.name, format!("the default {unfit}")));
            }
        }
        Ok(setting)
    }
}

fn security(alternatives: &[BTreeMap<String, Vec<String>>]) -> Option<Security> {
    match alternatives {
        [] => Some(Security::Public),
        [_, nothing] if nothing.is_empty() => Some(Security::Public),
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

fn camel_case(id: String) -> Result<String, ContractError> {
    let well_formed = id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|one| one.is_ascii_alphanumeric());
    if well_formed {
        Ok(id)
    } else {
        Err(contradiction(&id, "an operationId is in camelCase"))
    }
}

/// The one rule that names crates, binaries, zips and functions.
fn kebab_case(camel_case: &str) -> String {
    let mut name = String::with_capacity(camel_case.len() + 4);
    for letter in camel_case.chars() {
        if letter.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn contradiction(place: &str, reason: impl Into<String>) -> ContractError {
    ContractError::Contradiction {
        place: place.to_owned(),
        reason: reason.into(),
    }
}
