//! The allowed imports between packages, as in `ARCHITECTURE.md`.

use cargo_metadata::{DependencyKind, Package};

use crate::{folder, hold, is_function, workspace};

/// Our packages that a package may import; `None` for all.
fn may_import(package: &Package) -> Option<&'static [&'static str]> {
    if is_function(package) {
        return Some(&["auth-domain", "auth-aws", "auth-lambda", "auth-flows"]);
    }
    match package.name.as_str() {
        "auth-local" => None,
        "auth-aws" | "auth-lambda" => Some(&["auth-domain"]),
        "auth-flows" => Some(&["auth-domain", "auth-aws", "auth-lambda"]),
        // Stand-ins share the kit, which knows no service, and no code that ships. So they cannot
        // share our mistakes.
        "cognito-local" | "agentcore-local" | "aws-local" => Some(&["local-kit"]),
        "contract-checker" => Some(&["auth-api"]),
        // The domain, the contract, the browser module and the kit.
        _ => Some(&[]),
    }
}

#[test]
fn imports_follow_the_drawing() {
    let workspace = workspace();
    let packages = workspace.workspace_packages();
    let mut broken = Vec::new();
    for package in &packages {
        let Some(allowed) = may_import(package) else {
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let ours = packages.iter().any(|package| package.name.as_str() == name);
            let itself = package.name.as_str() == name;
            if ours && !itself && !allowed.contains(&name) {
                broken.push(format!("{} imports {name}", folder(package)));
            }
        }
    }
    hold(
        "The drawing in ARCHITECTURE.md does not have these imports. What two operations share is vocabulary (auth-domain), \
         an adapter (auth-aws), a door (auth-lambda) or a decision (auth-flows): move it there, or leave it twice.",
        &broken,
    );
}

#[test]
fn only_the_adapters_know_the_aws_sdk_and_only_the_doors_know_lambdas_events() {
    let workspace = workspace();
    let mut broken = Vec::new();
    for package in workspace.workspace_packages() {
        for dependency in &package.dependencies {
            let owner = match dependency.name.as_str() {
                // Tests check the stand-ins and the whole with AWS's own clients.
                sdk if sdk.starts_with("aws-sdk-")
                    && dependency.kind != DependencyKind::Development =>
                {
                    "auth-aws"
                }
                "aws_lambda_events" => "auth-lambda",
                _ => continue,
            };
            if package.name.as_str() != owner {
                broken.push(format!(
                    "{} imports {}: it belongs to {owner}",
                    folder(package),
                    dependency.name
                ));
            }
        }
    }
    hold(
        "AWS's types stop in auth-aws and auth-lambda: give the capability a method there, in words of the domain.",
        &broken,
    );
}
