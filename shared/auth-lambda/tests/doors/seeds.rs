//! The fuzz target's seeds, replayed.

use std::{fs, path::Path};

use crate::harness::hold_against_everything;

#[tokio::test]
async fn every_seed_is_answered_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/http_event");
    let mut seeds = 0;
    for seed in fs::read_dir(folder).unwrap() {
        hold_against_everything(&fs::read(seed.unwrap().path()).unwrap()).await;
        seeds += 1;
    }
    assert!(seeds > 0, "there are no seeds");
}

/// Each seed, truncated at each byte and with each byte replaced in turn: the damage of a
/// transmission error.
#[tokio::test]
async fn every_damaged_seed_is_answered_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/http_event");
    for seed in fs::read_dir(folder).unwrap() {
        let seed = fs::read(seed.unwrap().path()).unwrap();
        for at in 0..seed.len().min(400) {
            hold_against_everything(&seed[..at]).await;
            let mut damaged = seed.clone();
            for byte in [0, b'"', b'\\', b'{', 0xff] {
                damaged[at] = byte;
                hold_against_everything(&damaged).await;
            }
        }
    }
}
