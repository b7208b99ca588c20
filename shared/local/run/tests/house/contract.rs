//! One name everywhere, and one list of operations.

use std::{collections::BTreeSet, fs, path::Path};

use auth_api::{Calls, Contract, Security};
use auth_domain::{GuestName, OtpCode};
use auth_local::{Options, World};
use regex::Regex;
use serde_json::Value;

use crate::{entries, files, folder, hold, is_function, root, workspace};

/// The functions that the contract lists, in kebab-case.
fn listed() -> BTreeSet<String> {
    let functions = Contract::embedded().functions().iter();
    functions.map(|function| function.name.clone()).collect()
}

#[test]
fn folder_crate_and_binary_have_one_name() {
    let mut broken = Vec::new();
    for package in workspace().workspace_packages() {
        let folder = folder(package);
        let name = package.name.as_str();
        let is_local = folder.starts_with("shared/local/");
        if !is_local && !folder.ends_with(&format!("/{name}")) {
            broken.push(format!("{folder} holds the crate {name}"));
        }
        let binaries: Vec<_> = package
            .targets
            .iter()
            .filter(|target| target.is_bin())
            .collect();
        if is_function(package) && (binaries.len() != 1 || binaries[0].name != name) {
            broken.push(format!(
                "{folder} has no binary {name}, or another one beside it"
            ));
        }
    }
    hold(
        "Folder, crate and binary are called as the operationId in kebab-case.",
        &broken,
    );
}

#[test]
fn the_contract_and_the_crates_list_the_same_functions() {
    let listed = listed();
    let crates: BTreeSet<String> = entries(&root().join("crates"))
        .into_iter()
        .filter(|name| root().join("crates").join(name).is_dir())
        .collect();
    let no_crate = listed.difference(&crates).map(|name| {
        format!("{name} has no crate: make crates/{name}, or take it out of shared/auth-api/openapi.yaml")
    });
    let not_listed = crates.difference(&listed).map(|name| {
        format!("crates/{name} is not listed: add its path or trigger to shared/auth-api/openapi.yaml, or remove the folder")
    });
    let broken: Vec<String> = no_crate.chain(not_listed).collect();
    hold("The contract is the one list.", &broken);
}

#[test]
fn each_function_is_named_wherever_it_has_to_be() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let lists = [
        "Cargo.toml",
        "shared/local/run/Cargo.toml",
        "shared/local/run/src/functions/mod.rs",
        "README.md",
    ]
    .map(|path| (path, read(path)));
    let cases = Calls::embedded().cases();
    let mut broken = Vec::new();
    for name in listed() {
        let [dependency, taken, mounted, shown] = [
            format!("{name} = {{ path = \"crates/{name}\" }}"),
            format!("\n{name}.workspace = true"),
            format!("(\"{name}\", "),
            format!("(crates/{name})"),
        ];
        for ((path, text), line) in lists.iter().zip([dependency, taken, mounted, shown]) {
            if !text.contains(&line) {
                broken.push(format!("{path} lacks {}", line.trim()));
            }
        }
        for file in ["Cargo.toml", "src/main.rs", "src/lib.rs"] {
            if !root().join("crates").join(&name).join(file).is_file() {
                broken.push(format!("crates/{name}/{file} is missing"));
            }
        }
        if !cases.iter().any(|case| case.function == name) {
            broken.push(format!("shared/auth-api/calls.yaml lacks {name}"));
        }
    }
    hold(
        "scripts/new-operation writes all of this, and scripts/generate the README's table.",
        &broken,
    );
}

#[tokio::test]
async fn the_local_run_mounts_what_the_contract_lists() {
    let world = World::start(Options::default()).await.unwrap();
    let mounted: BTreeSet<String> = world.functions().map(str::to_owned).collect();
    world.shutdown().await;
    assert_eq!(
        mounted,
        listed(),
        "mount it in shared/local/run/src/functions/mod.rs"
    );
}

#[test]
fn main_is_a_list_of_parts() {
    let mut broken = Vec::new();
    for package in workspace()
        .workspace_packages()
        .into_iter()
        .filter(|one| is_function(one))
    {
        let path = format!("{}/src/main.rs", folder(package));
        let source = fs::read_to_string(root().join(&path)).unwrap();
        let Some((_, body)) = source.split_once("async fn main()") else {
            broken.push(format!("{path} has no async main"));
            continue;
        };
        let body = body
            .split_once('{')
            .unwrap()
            .1
            .trim_end()
            .trim_end_matches('}');
        let statements = body
            .split(';')
            .filter(|part| !part.trim().is_empty())
            .count();
        let decides = ["if ", "match ", "loop ", "while ", "for "]
            .iter()
            .any(|word| body.contains(word));
        if statements > 3 || decides || body.contains('}') {
            broken.push(path);
        }
    }
    hold(
        "A function's main.rs has three statements at most: start the log, build the platform, serve. The rest belongs into lib.rs.",
        &broken,
    );
}

#[test]
fn every_function_has_events_for_the_console_and_its_tests() {
    let contract = Contract::embedded();
    let mut broken = Vec::new();
    for name in listed() {
        let folder = root().join("crates").join(&name).join("events");
        let mut wanted = Vec::new();
        if let Some(operation) = contract.operation(&name) {
            wanted.extend(["http.json", "direct.json"]);
            wanted.extend(operation.tool.as_ref().map(|_| "tool.json"));
        }
        for file in wanted {
            if !folder.join(file).is_file() {
                broken.push(format!("crates/{name}/events/{file} is missing"));
            }
        }
        let events = files(&folder, ".json");
        if events.is_empty() {
            broken.push(format!("crates/{name}/events is empty"));
        }
        for event in events {
            if let Err(what) = check_event(&event, contract, &name) {
                broken.push(format!(
                    "{}: {what}",
                    event.strip_prefix(root()).unwrap().display()
                ));
            }
        }
    }
    hold(
        "An operation has events/http.json and events/direct.json, a tool tool.json too, a trigger at least one event.",
        &broken,
    );
}

#[test]
fn an_operation_lets_in_whom_its_route_lets_in() {
    let mut broken = Vec::new();
    for operation in Contract::embedded().operations() {
        let wanted: &[&str] = match operation.security {
            Security::Public => &["Public"],
            Security::OptionalJwt => &["CallerOrProof", "Public"],
            Security::Jwt { .. } => &["Caller"],
            Security::Iam if operation.path.starts_with("/admin/") => &["Operator"],
            Security::Iam => &["Agent"],
        };
        let file = format!("crates/{}/src/lib.rs", operation.name);
        let source = fs::read_to_string(root().join(&file)).unwrap_or_default();
        let said =
            |access: &&str| source.contains(&format!("const ACCESS: Access = Access::{access};"));
        if !wanted.iter().any(said) {
            broken.push(format!("{file}: its route says Access::{}", wanted[0]));
        }
    }
    hold(
        "ACCESS in the operation's lib.rs says what `security` says at its path in shared/auth-api/openapi.yaml.",
        &broken,
    );
}

/// Reads an event. If it came over HTTP, compares its route with the contract.
fn check_event(path: &Path, contract: &Contract, name: &str) -> Result<(), String> {
    let event: Value = serde_json::from_str(&fs::read_to_string(path).unwrap())
        .map_err(|error| error.to_string())?;
    if !event.is_object() {
        return Err("is no JSON object".to_owned());
    }
    let (Some(operation), Some(route_key)) = (contract.operation(name), event["routeKey"].as_str())
    else {
        return Ok(());
    };
    let route = format!("{} {}", operation.method.as_str(), operation.path);
    if route_key == route {
        Ok(())
    } else {
        Err(format!(
            "its routeKey is {route_key}, the contract's {route}"
        ))
    }
}

/// The contract spells the ranges out, because generators of clients know no Unicode properties.
#[test]
fn names_and_codes_fit_the_contracts_patterns_where_they_parse() {
    let schemas = &Contract::embedded().as_json()["components"]["schemas"];
    let pattern = |name: &str| Regex::new(schemas[name]["pattern"].as_str().unwrap()).unwrap();
    let (name, code) = (pattern("Name"), pattern("OtpCode"));
    let planes = ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}');
    let mut broken = Vec::new();
    for one in planes {
        for text in [String::from(one), format!("A{one}a")] {
            if GuestName::parse(&text).is_ok() != name.is_match(&text) {
                broken.push(format!("a name of {}", text.escape_unicode()));
            }
        }
        for text in [format!("12{one}345"), format!("123{one}456")] {
            if OtpCode::parse(&text).is_ok() != code.is_match(&text) {
                broken.push(format!("a code of {}", text.escape_unicode()));
            }
        }
    }
    hold(
        "make the patterns of Name and OtpCode and auth-domain's tables of characters one rule",
        &broken,
    );
}

#[test]
fn the_acts_of_operators_are_only_ever_put_and_no_agent_performs_one() {
    let contract = Contract::embedded();
    let mut broken = Vec::new();
    let audit = contract.resources().iter().find(|one| one.name == "audit");
    if audit.is_none_or(|audit| audit.actions != ["PutItem"]) {
        broken.push("a grant may do more to the audit table than to put".to_owned());
    }
    for function in contract.functions() {
        let name = &function.name;
        let operation = contract.operation(name);
        let act = operation.filter(|operation| operation.path.starts_with("/admin/"));
        let grants = function.grants.iter();
        let records = grants.filter(|grant| grant.resource() == "audit").count() == 1;
        if records != act.is_some() {
            broken.push(format!(
                "{name} records acts, and is none, or the other way round"
            ));
        }
        if act.is_some_and(|act| act.security != Security::Iam || act.tool.is_some()) {
            broken.push(format!("{name} is open to others than operators"));
        }
    }
    hold(
        "Operators act by IAM alone, and nothing changes what is recorded of it.",
        &broken,
    );
}
