//! Turns `openapi.yaml` into JSON, because reading YAML takes twenty times as long, and reads it once as every start will.

use std::{env, error::Error, fs, path::Path};

use serde::de::Error as _;

#[path = "src/contract.rs"]
#[expect(
    clippy::struct_field_names,
    dead_code,
    unreachable_pub,
    reason = "the library's module, of which a build script only uses the reading"
)]
mod contract;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=openapi.yaml");
    println!("cargo::rerun-if-changed=src/contract.rs");

    let yaml = fs::read_to_string("openapi.yaml")?;
    let mut json = Vec::new();
    serde_saphyr::with_deserializer_from_str(&yaml, |document| {
        serde_transcode::transcode(document, &mut serde_json::Serializer::new(&mut json))
            .map_err(serde_saphyr::Error::custom)
    })?;
    let json = String::from_utf8(json)?;
    if let Err(error) = contract::Contract::read(&json) {
        let source = error.source().map(|source| format!(": {source}"));
        return Err(format!("openapi.yaml: {error}{}", source.unwrap_or_default()).into());
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("openapi.json"), json)?;
    Ok(())
}
