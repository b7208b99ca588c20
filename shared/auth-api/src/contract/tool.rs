//! An operation as an agent's tool.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Its results, those of failures among them.
    pub output_schema: ToolSchema,
}

/// The part of JSON Schema that an `AgentCore` Gateway accepts for a tool, and nothing else. It
/// serializes in its original form.
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
    /// An array's items.
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
