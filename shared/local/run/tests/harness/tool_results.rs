//! Results of tools, checked against the agents' schema.

use auth_api::{Contract, ToolSchema, ToolSchemaKind};
use serde_json::Value;

/// Fails unless a function's result fits its tool's schema exactly, without further members.
pub(crate) fn assert_described(function: &str, result: &Value) {
    let operation = Contract::embedded().operation(function);
    if let Some(tool) = operation.and_then(|operation| operation.tool.as_ref()) {
        let misfits = misfits(&tool.output_schema, result, &tool.name);
        assert_eq!(misfits, Vec::<String>::new(), "{result}");
    }
}

fn misfits(schema: &ToolSchema, value: &Value, place: &str) -> Vec<String> {
    let fits = match schema.kind {
        ToolSchemaKind::String => value.is_string(),
        ToolSchemaKind::Number => value.is_number(),
        ToolSchemaKind::Integer => value.is_i64() || value.is_u64(),
        ToolSchemaKind::Boolean => value.is_boolean(),
        ToolSchemaKind::Object => value.is_object(),
        ToolSchemaKind::Array => value.is_array(),
    };
    if !fits {
        return vec![format!("{place} is no {:?}", schema.kind)];
    }
    let members = value.as_object().into_iter().flatten();
    let members = members.flat_map(|(name, member)| {
        let place = format!("{place}.{name}");
        match schema.properties.get(name) {
            Some(schema) => misfits(schema, member, &place),
            // An object without properties holds anything.
            None if schema.properties.is_empty() => Vec::new(),
            None => vec![format!("{place} is not described")],
        }
    });
    let missing = schema.required.iter().filter(|name| value[*name].is_null());
    let missing = missing.map(|name| format!("{place}.{name} is missing"));
    let entries = value.as_array().into_iter().flatten();
    let entries = entries.flat_map(|entry| {
        let held = schema.items.iter();
        held.flat_map(move |schema| misfits(schema, entry, &format!("{place}[]")))
    });
    members.chain(missing).chain(entries).collect()
}
