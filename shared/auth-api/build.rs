//! Turns `openapi.yaml`, `calls.yaml` and `user-pool.yaml` into JSON, because reading YAML takes
//! twenty times as long. It also reads each once, as every start will.

use std::{env, error::Error, fs, path::Path};

use serde::de::Error as _;

#[path = "src/calls.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the library's module, of which a build script only uses the reading"
)]
mod calls;
#[path = "src/contract/mod.rs"]
#[expect(
    clippy::struct_field_names,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the library's module, of which a build script only uses the reading"
)]
mod contract;
#[path = "src/in_order.rs"]
mod in_order;
#[path = "src/user_pool.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the library's module, of which a build script only uses the reading"
)]
mod user_pool;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src");
    convert("openapi", contract::Contract::read)?;
    convert("calls", calls::Calls::read)?;
    // Any number works for those that the description leaves open.
    convert("user-pool", |json| {
        user_pool::UserPool::read(json, |_| Some(0))
    })
}

/// Writes the file as JSON, if `read` accepts it.
fn convert<T, E: Error>(
    name: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<(), Box<dyn Error>> {
    let file = format!("{name}.yaml");
    println!("cargo::rerun-if-changed={file}");
    let yaml = fs::read_to_string(&file)?;
    let mut json = Vec::new();
    serde_saphyr::with_deserializer_from_str(&yaml, |document| {
        serde_transcode::transcode(document, &mut serde_json::Serializer::new(&mut json))
            .map_err(serde_saphyr::Error::custom)
    })?;
    let json = String::from_utf8(json)?;
    if let Err(error) = read(&json) {
        let source = error.source().map(|source| format!(": {source}"));
        return Err(format!("{file}: {error}{}", source.unwrap_or_default()).into());
    }
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join(format!("{name}.json")),
        json,
    )?;
    Ok(())
}
