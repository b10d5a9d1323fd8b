//! The cost of a key, compared with its two MD5 digests alone.
//!
//! `cargo bench -p cache-keys --bench key [-- --quick]`
//!
//! Each case is timed in rounds that alternate between the key and the parts
//! of its cost, so that whatever else the machine does falls on all of them
//! alike; the figures are medians over the rounds, the ratio the median of the
//! rounds' own ratios. `check` is SipHash alone; `rest`, what remains of the
//! key's cost, is negative where the processor runs the check and the digests at once.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hash::Hasher;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cache_keys::{CanonicalJson, Field, KeyParts, KeyScheme, Md5Scheme, canonical_text};
use md5::{Digest, Md5};
use siphasher::sip128::{Hasher128, SipHasher13};

/// The budget for the typical request.
const BUDGET: f64 = 1.15;

struct Plan {
    rounds: usize,
    round: Duration,
}

fn main() {
    // `cargo bench` says `--bench`; `cargo test --all-targets`, which does not,
    // only wants to see that it runs.
    let has = |name| std::env::args().any(|arg| arg == name);
    let quick = has("--quick") || !has("--bench");
    let plan = if quick {
        Plan {
            rounds: 31,
            round: Duration::from_micros(300),
        }
    } else {
        Plan {
            rounds: 301,
            round: Duration::from_millis(1),
        }
    };

    println!(
        "{:<34}{:>9}{:>9}{:>9}{:>9}{:>8}",
        "nanoseconds (median)", "digests", "check", "rest", "key", "ratio"
    );
    let typical = "What is the status of my claim CLM-2025-000123?";
    let ascii = ("BEN-000001", "beneficiary");
    let ratio = measure(&plan, "typical: 47-byte message", ascii, typical);
    for size in [0, 24, 30, 60, 100, 1000] {
        let message: String = typical.chars().cycle().take(size).collect();
        measure(&plan, &format!("{size}-byte message"), ascii, &message);
    }
    measure(
        &plan,
        "ids that are not ASCII",
        ("Bénéficiaire-№1", "bénéficiaire"),
        typical,
    );
    measure(
        &plan,
        "ids that need escapes",
        ("DOMAIN\\user", "\"owner\""),
        typical,
    );
    measure(
        &plan,
        "ids of 200 bytes",
        (&"BEN-0".repeat(40), "beneficiary"),
        typical,
    );

    let verdict = if ratio <= BUDGET { "within" } else { "above" };
    println!("key / two MD5 digests, typical request: {ratio:.3} ({verdict} {BUDGET})");
}

/// Prints a line and returns the ratio of the key to its two digests.
fn measure(plan: &Plan, name: &str, (user_id, user_role): (&str, &str), message: &str) -> f64 {
    let parts = KeyParts {
        intent: "claim_status",
        user_id: Field::Str(user_id),
        user_role: Field::Str(user_role),
        message,
    };
    let scheme = Md5Scheme::default();
    let text = canonical_text(&parts).expect("strings can be written");
    assert!(CanonicalJson::parse(&text).is_ok_and(|json| json.as_str() == text));

    let sip = SipHasher13::new_with_key(&[7; 16]);
    let mut digests = || {
        if !message.is_empty() {
            black_box(Md5::digest(black_box(message)));
        }
        black_box(Md5::digest(black_box(&text)));
    };
    let mut check = || {
        let mut sip = black_box(sip);
        sip.write_u64(message.len() as u64);
        sip.write(black_box(message.as_bytes()));
        sip.write(black_box(text.as_bytes()));
        black_box(sip.finish128());
    };
    let mut key = || {
        black_box(scheme.key(black_box(&parts)).is_ok());
    };

    let iterations = calibrate(plan.round, &mut key);
    let mut times = [const { Vec::new() }; 3];
    let mut ratios = Vec::new();
    for _ in 0..plan.rounds {
        let base = time(iterations, &mut digests);
        let whole = time(iterations, &mut key);
        ratios.push(whole / base);
        times[0].push(base);
        times[1].push(time(iterations, &mut check));
        times[2].push(whole);
    }
    let [base, check, whole] = times.map(median);
    let ratio = median(ratios);
    println!(
        "{name:<34}{base:>9.1}{check:>9.1}{:>9.1}{whole:>9.1}{ratio:>8.3}",
        whole - base - check
    );
    ratio
}

/// How often `work` runs in about `round`.
fn calibrate(round: Duration, work: &mut impl FnMut()) -> u32 {
    let mut iterations = 64;
    loop {
        let nanoseconds = time(iterations, work) * f64::from(iterations);
        if nanoseconds >= round.as_nanos() as f64 || iterations >= 1 << 24 {
            return iterations;
        }
        iterations *= 2;
    }
}

/// Nanoseconds for one run of `work`.
fn time(iterations: u32, work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..iterations {
        work();
    }
    start.elapsed().as_nanos() as f64 / f64::from(iterations)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
