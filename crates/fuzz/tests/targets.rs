//! Each target on its seeds, and on some noise.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

/// Runs a target on its seeds, each whole and cut short, and on noise.
fn check(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(name);
    let mut seeds = 0;
    for file in fs::read_dir(folder).unwrap() {
        let seed = fs::read(file.unwrap().path()).unwrap();
        (0..=seed.len()).for_each(|end| target(&seed[..end]));
        seeds += 1;
    }
    assert!(seeds > 0, "{name} has no seeds");
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..2_000 {
        let noise: Vec<_> = (0..round % 512).map(|_| random.u8(..)).collect();
        target(&noise);
    }
}

#[test]
fn json_holds() {
    check("json", fuzz::json);
}

#[test]
fn key_holds() {
    check("key", fuzz::key);
}

#[test]
fn store_holds() {
    check("store", fuzz::store);
}

#[test]
fn message_holds() {
    check("message", fuzz::message);
}

#[test]
fn model_holds() {
    check("model", fuzz::model);
    let seed = include_bytes!("../seeds/model/tiny");
    let read = intent_router::LinearModel::from_bytes(seed);
    assert!(read.is_ok(), "train the seed again: {read:?}");
}
