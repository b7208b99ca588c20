//! The parts of the `OpenAPI` document that Latchkey reads: routes, functions, resources, settings.

mod error;
mod function;
mod name;
mod resource;
mod route;
mod setting;
mod tool;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

pub use self::error::ContractError;
use self::error::contradiction;
use self::function::FunctionItem;
pub use self::function::{Function, FunctionKind, TriggerKind};
use self::resource::ResourceItem;
pub use self::resource::{Grant, Index, MalformedGrant, Resource, Table};
use self::route::PathItem;
pub use self::route::{Method, Operation, Routed, Security, Segment, Throttle, UnknownMethod};
use self::setting::SettingItem;
pub use self::setting::{Bounds, Maker, NONE, Setting, SettingKind, UnfitValue};
pub use self::tool::{Tool, ToolSchema, ToolSchemaKind};
use crate::in_order::in_order;

/// The operations, functions, resources and settings of one `OpenAPI` document.
#[derive(Debug)]
pub struct Contract {
    operations: Vec<Operation>,
    functions: Vec<Function>,
    resources: Vec<Resource>,
    settings: Vec<Setting>,
    unrouted: Unrouted,
    cors: Cors,
    text: String,
    /// Read when it is first asked for: the tree of its values takes 2 MB.
    json: OnceLock<Value>,
}

impl Contract {
    /// Reads an `OpenAPI` document in JSON.
    ///
    /// Unknown keys are refused in descriptions of functions, routes and settings: a misspelt key
    /// would otherwise be a grant or a limit that is silently missing.
    pub fn read(json: &str) -> Result<Self, ContractError> {
        let document: Document = serde_json::from_str(json)?;
        let settings: Vec<Setting> = document
            .settings
            .into_iter()
            .map(|(name, setting)| setting.named(name))
            .collect::<Result<_, _>>()?;
        let mut operations = Vec::new();
        let mut functions = Vec::new();
        for (path, item) in document.paths {
            for (method, operation) in item.into_methods() {
                let (operation, function) = operation.at(method, &path)?;
                operations.push(operation);
                functions.push(function);
            }
        }
        for (id, function) in document.functions {
            functions.push(function.named(id)?);
        }
        let resources = document.resources.into_iter();
        let resources = resources.map(|(name, resource)| resource.named(name));

        let contract = Self {
            operations,
            functions,
            resources: resources.collect(),
            settings,
            unrouted: document.unrouted,
            cors: document.cors,
            text: json.to_owned(),
            json: OnceLock::new(),
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

    /// Every function: those of operations first, then those that no route leads to.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The function of this operationId or kebab-case name.
    #[must_use]
    pub fn function(&self, id_or_name: &str) -> Option<&Function> {
        self.functions
            .iter()
            .find(|function| function.operation_id == id_or_name || function.name == id_or_name)
    }

    /// All resources of grants, in the document's order.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resources that are tables.
    pub fn tables(&self) -> impl Iterator<Item = (&Resource, &Table)> {
        self.resources
            .iter()
            .filter_map(|resource| Some((resource, resource.table.as_ref()?)))
    }

    /// All settings of the functions' environments, in the document's order.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The gateway's answer if [`Contract::route`] finds no route.
    #[must_use]
    pub fn unrouted(&self) -> &Unrouted {
        &self.unrouted
    }

    /// The headers that front ends on other origins may send and read.
    #[must_use]
    pub fn cors(&self) -> &Cors {
        &self.cors
    }

    /// The whole document as text, its keys in their own order.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.text
    }

    /// The whole document, its maps sorted by key.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        // The contract itself was read from this text, so it is JSON.
        let read = || serde_json::from_str(&self.text).unwrap_or_default();
        self.json.get_or_init(read)
    }

    /// Chooses the operation as an API Gateway HTTP API does. The path is percent-decoded first,
    /// and ends at a decoded question mark. So `%2F` separates segments, and `%6de` is `me`. Then
    /// whole segments, letter case and a trailing slash count, and a literal segment wins over a
    /// parameter. A parameter takes one non-empty segment, which is decoded once more. A plus stays
    /// a plus.
    ///
    /// `path` is the path of the request line, without stage and query.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<Routed<'_>> {
        let method: Method = method.parse().ok()?;
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let path = decoded.split('?').next().unwrap_or_default();
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
            .zip(&segments)
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
            path: path.to_owned(),
            path_parameters,
        })
    }

    fn agrees_with_itself(&self) -> Result<(), ContractError> {
        let settings: BTreeSet<&str> = self.settings.iter().map(|one| one.name.as_str()).collect();
        for (resource, table) in self.tables() {
            if !settings.contains(table.setting.as_str()) {
                let reason = format!("{} is not in x-latchkey-settings", table.setting);
                return Err(contradiction(&resource.name, reason));
            }
        }
        let mut names = BTreeSet::new();
        let mut triggers = BTreeSet::new();
        for function in &self.functions {
            let id = &function.operation_id;
            if !names.insert(&function.name) {
                return Err(contradiction(id, "the name is taken"));
            }
            if let FunctionKind::Trigger(kind) = function.kind
                && !triggers.insert(kind)
            {
                return Err(contradiction(id, "another function is the same trigger"));
            }
            let mut environment = function.environment.iter();
            if let Some(unknown) = environment.find(|name| !settings.contains(name.as_str())) {
                let reason = format!("{unknown} is not in x-latchkey-settings");
                return Err(contradiction(id, reason));
            }
            if let Some(unknown) = function.grants.iter().find(|grant| !self.takes(grant)) {
                let reason = format!("{unknown} is not an action of x-latchkey-resources");
                return Err(contradiction(id, reason));
            }
        }
        let mut routes = BTreeSet::new();
        let mut tools = BTreeSet::new();
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

    fn takes(&self, grant: &Grant) -> bool {
        self.resources.iter().any(|resource| {
            resource.name == grant.resource()
                && resource
                    .actions
                    .iter()
                    .any(|action| action == grant.action())
        })
    }
}

/// The gateway's answer without a route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrouted {
    /// The HTTP status.
    pub status: u16,
    /// `message` in its JSON body.
    pub message: String,
}

/// The gateway's CORS answer. An allowed origin may send credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cors {
    /// The methods of requests.
    pub allow_methods: Vec<String>,
    /// The headers of requests, besides those that every page may send.
    pub allow_headers: Vec<String>,
    /// The headers of answers, besides those that every page may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may cache this.
    pub max_age_seconds: u32,
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
    #[serde(rename = "x-latchkey-cors")]
    cors: Cors,
    #[serde(rename = "x-latchkey-functions", deserialize_with = "in_order")]
    functions: Vec<(String, FunctionItem)>,
    #[serde(rename = "x-latchkey-resources", deserialize_with = "in_order")]
    resources: Vec<(String, ResourceItem)>,
    #[serde(rename = "x-latchkey-settings", deserialize_with = "in_order")]
    settings: Vec<(String, SettingItem)>,
}
