//! CloudFront forwards exactly the fields that the doors read.

use std::{collections::BTreeSet, fs};

use crate::{files, hold, root};

/// CloudFront takes no more header fields in an origin request policy (its quota).
const MOST_HEADERS: usize = 10;

/// Headers that reach the doors by another way than the policy's list.
const OTHERWISE: [&str; 3] = [
    "authorization",   // by the cache policy
    "host",            // API Gateway's own, which CloudFront has to set
    "x-origin-verify", // CloudFront adds it
];

/// Headers of a preflight, which API Gateway reads and no door.
const OF_PREFLIGHTS: [&str; 2] = [
    "access-control-request-headers",
    "access-control-request-method",
];

/// How a request's fields may be read: by `text("name")`, or by these.
const READS: [&str; 3] = [
    ".get(name)",         // in `text`
    ".get(ORIGIN_PROOF)", // CloudFront adds it
    ",",                  // its media type, by `is_of_type`
];

#[test]
fn the_doors_read_fields_where_this_test_sees_them() {
    let mut broken = Vec::new();
    for file in files(&root().join("shared/auth-lambda/src"), ".rs") {
        let mut text = fs::read_to_string(&file).unwrap();
        text.retain(|sign| !sign.is_whitespace());
        let is_door = file.ends_with("http_door.rs");
        let reads = text.split("request.headers").skip(1);
        let odd = reads.filter(|rest| !is_door || !READS.iter().any(|read| rest.starts_with(read)));
        broken.extend(odd.map(|_| file.display().to_string()));
    }
    hold(
        "Request fields are read in http_door.rs by `text(\"name\")`, so that CloudFront's policy can be held against them.",
        &broken,
    );
}

#[test]
fn cloudfront_forwards_exactly_what_the_doors_read() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let doors = read("shared/auth-lambda/src/http_door.rs");
    let quoted = |text: &str, before: &str| -> Vec<String> {
        let parts = text.split(before).skip(1);
        parts
            .filter_map(|rest| rest.split_once('"'))
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect()
    };
    let mut wanted: BTreeSet<String> = quoted(&doors, "text(\"").into_iter().collect();
    assert!(
        wanted.contains("sec-fetch-site"),
        "the doors are read as they are written"
    );
    wanted.insert("content-type".to_owned());
    wanted.retain(|name| !OTHERWISE.contains(&name.as_str()));
    wanted.extend(OF_PREFLIGHTS.map(str::to_owned));

    let edge = read("terraform/modules/edge/main.tf");
    let (_, policy) = edge
        .split_once("resource \"aws_cloudfront_origin_request_policy\" \"api\"")
        .unwrap();
    let (_, items) = policy.split_once("items = [").unwrap();
    let (items, _) = items.split_once(']').unwrap();
    let forwarded: BTreeSet<String> = items
        .split(',')
        .map(|item| item.trim().trim_matches('"').to_ascii_lowercase())
        .collect();
    let mut broken: Vec<String> = wanted
        .symmetric_difference(&forwarded)
        .map(|name| format!("{name} is on one side only"))
        .collect();
    if forwarded.len() > MOST_HEADERS {
        broken.push(format!("the policy has {} headers", forwarded.len()));
    }
    hold(
        "terraform/modules/edge forwards what shared/auth-lambda/src/http_door.rs reads, and nothing else.",
        &broken,
    );
}
