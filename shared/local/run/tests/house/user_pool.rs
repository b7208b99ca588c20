//! The user pool has one description: Terraform uses all of it, and repeats none of it.

use std::fs;

use auth_api::{AppClient, Contract, UserPool};
use serde_json::Value;

use crate::root;

#[test]
fn terraform_makes_everything_of_the_pool_from_its_description() {
    let described = UserPool::described(|_| Some(30)).unwrap();
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let pool = read("terraform/modules/user-pool/main.tf");
    let agentcore = read("terraform/modules/agentcore/main.tf");
    let reads = |terraform: &str, member: &str| {
        let reads = terraform.contains(&format!(".{member}"));
        assert!(reads, "terraform leaves out {member} of user-pool.yaml");
    };
    names(&described.pool().into(), &mut |member| reads(&pool, member));
    for client in [AppClient::Operations, AppClient::Public] {
        names(&described.client(client).into(), &mut |member| {
            reads(&pool, member);
        });
    }
    names(
        &described.client(AppClient::AgentCore).into(),
        &mut |member| reads(&agentcore, member),
    );
}

#[test]
fn refresh_tokens_of_every_client_that_rotates_them_have_the_same_grace() {
    let described = UserPool::described(|name| match name {
        "REFRESH_GRACE_SECONDS" => Some(60),
        _ => Some(30),
    })
    .unwrap();
    for client in [AppClient::Operations, AppClient::Public] {
        let client = Value::from(described.client(client));
        assert_eq!(client["RefreshTokenRotation"]["Feature"], "ENABLED");
        assert_eq!(
            client["RefreshTokenRotation"]["RetryGracePeriodSeconds"],
            60
        );
        // With this flow, Cognito exchanges refresh tokens without rotating them.
        let flows = client["ExplicitAuthFlows"].as_array().unwrap();
        assert!(!flows.contains(&"ALLOW_REFRESH_TOKEN_AUTH".into()));
    }
}

/// A module that gives an answer up comes again with the token that it has. The grace has room for
/// that, twice.
#[test]
fn the_browser_module_gives_up_well_within_the_grace() {
    let module = fs::read_to_string(root().join("shared/auth-browser/keeper.js")).unwrap();
    let timeout = module
        .lines()
        .find_map(|line| line.strip_prefix("const REFRESH_TIMEOUT_MS = "))
        .expect("the module says when it gives up");
    let timeout_ms: u64 = timeout
        .trim_end_matches(';')
        .replace('_', "")
        .parse()
        .unwrap();
    let settings = Contract::embedded().settings();
    let grace = settings
        .iter()
        .find(|setting| setting.name == "REFRESH_GRACE_SECONDS")
        .expect("the grace is a setting");
    let grace_seconds: u64 = grace.default.as_deref().unwrap().parse().unwrap();
    assert!(3 * timeout_ms <= grace_seconds * 1000);
}

/// The names of all members, however deep.
fn names(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                see(name);
                names(member, see);
            }
        }
        Value::Array(several) => several.iter().for_each(|one| names(one, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
