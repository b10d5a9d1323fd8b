//! The vectors are those of the Python libraries, by the lines that
//! `reference.py` wrote.
//!
//! The model is nobody's to commit, so the tests are ignored by `cargo test`
//! alone; `cargo xtask check --only sentences` finds the model and runs them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;

use sentence_encoder::BertEncoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    text: String,
    numbers: Vec<Vec<f32>>,
}

/// The dimensions of each part that the lines hold.
const DIMENSIONS: [usize; 5] = [0, 97, 194, 291, 383];

fn lines() -> Vec<Line> {
    include_str!("reference.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn open() -> BertEncoder {
    let folder = env::var_os("SENTENCE_MODEL").expect(
        "set SENTENCE_MODEL to the model's folder, or run `cargo xtask check --only sentences`",
    );
    BertEncoder::open(folder).unwrap()
}

#[test]
#[ignore = "needs a sentence model: cargo xtask check --only sentences"]
fn vectors_are_those_of_the_python_libraries() {
    let encoder = open();
    let lines = lines();
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    let together = encoder.encode_all(&texts).unwrap();
    for (line, of_many) in lines.iter().zip(&together) {
        let alone = encoder.encode(&line.text).unwrap();
        for vector in [&alone, of_many] {
            assert_eq!(vector.len(), encoder.dimensions());
            let parts = vector.chunks(384);
            assert_eq!(parts.len(), line.numbers.len());
            for (part, numbers) in parts.zip(&line.numbers) {
                for (dimension, expect) in DIMENSIONS.iter().zip(numbers) {
                    let found = part[*dimension];
                    let text = &line.text;
                    assert!((found - expect).abs() < 1e-5, "{text}: {found} {expect}");
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a sentence model: cargo xtask check --only sentences"]
fn a_megabyte_is_the_vector_of_its_beginning() {
    let encoder = open();
    let beginning = encoder.encode(&"card ".repeat(200)).unwrap();
    assert_eq!(encoder.encode(&"card ".repeat(200_000)).unwrap(), beginning);
}
