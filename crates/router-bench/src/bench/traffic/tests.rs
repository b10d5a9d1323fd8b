use std::collections::{HashMap, HashSet};

use super::Traffic;
use crate::bench::description::traffic_help;
use crate::bench::intents::MIX;
use crate::bench::options::{Options, TrafficError};
use crate::bench::population::Population;
use crate::bench::test_support::{intent, standard, traffic};

fn requests(traffic: &Traffic) -> Vec<(String, String)> {
    (0..traffic.len())
        .map(|at| traffic.request(at))
        .map(|request| (request.user_id, request.message.to_owned()))
        .collect()
}

#[test]
fn the_same_declaration_makes_the_same_requests() {
    let first = requests(&traffic(Options::default()));
    assert_eq!(first, requests(&traffic(Options::default())));
    let other = Options {
        seed: 2,
        ..Options::default()
    };
    assert_ne!(first, requests(&traffic(other)));
}

#[test]
fn the_first_requests_are_pinned() {
    // Published figures name a command: what it does must not drift. These were
    // computed by a second implementation, in Python.
    let first: Vec<_> = requests(&traffic(Options::default()))
        .into_iter()
        .take(4)
        .collect();
    let expected = [
        ("BEN-000016", "account_info #2?"),
        ("BEN-000008", "payment_history #2?"),
        ("BEN-000098", "payment_history #0?"),
        ("BEN-000060", "payment_status #1?"),
    ];
    assert_eq!(
        first,
        expected.map(|(user, said)| (user.into(), said.into()))
    );
}

#[test]
fn the_documented_shares_of_repeats_hold() {
    // The sensitivity table of docs/bench.md, from the same second
    // implementation.
    let default = Options::default;
    let cases = [
        (default(), 4_102, 79.5, 83.6),
        (
            Options {
                users: 50,
                ..default()
            },
            1_619,
            91.9,
            94.1,
        ),
        (
            Options {
                users: 1_000,
                ..default()
            },
            7_446,
            62.8,
            68.6,
        ),
        (
            Options {
                users: 2_000,
                ..default()
            },
            8_618,
            56.9,
            63.2,
        ),
        (
            Options {
                skew: 0.0,
                ..default()
            },
            5_688,
            71.6,
            78.2,
        ),
        (
            Options {
                skew: 0.8,
                ..default()
            },
            4_741,
            76.3,
            81.3,
        ),
        (
            Options {
                skew: 1.2,
                ..default()
            },
            3_378,
            83.1,
            86.4,
        ),
        (
            Options {
                wordings: 1,
                ..default()
            },
            1_958,
            90.2,
            92.7,
        ),
        (
            Options {
                wordings: 5,
                ..default()
            },
            5_465,
            72.7,
            77.7,
        ),
        (
            Options {
                wordings: 10,
                ..default()
            },
            7_436,
            62.8,
            69.0,
        ),
        (
            Options {
                requests: 5_000,
                ..default()
            },
            1_945,
            61.1,
            67.5,
        ),
        (
            Options {
                requests: 100_000,
                ..default()
            },
            6_412,
            93.6,
            95.4,
        ),
        (
            Options {
                seed: 2,
                ..default()
            },
            4_086,
            79.6,
            83.6,
        ),
    ];
    for (options, questions, repeated, ceiling) in cases {
        let declared = traffic(options.clone()).description();
        let shown = |value: f64| (value * 10.0).round() / 10.0;
        assert_eq!(
            (
                declared.distinct_questions,
                shown(declared.repeated_percent),
                shown(declared.ceiling_percent)
            ),
            (questions, repeated, ceiling),
            "{options:?}"
        );
    }
}

#[test]
fn reordering_a_catalogue_of_listed_intents_changes_nothing() {
    let mut reversed = standard();
    reversed.reverse();
    let reordered =
        Traffic::new(Options::default(), Population::default(), reversed).expect("in bounds");
    assert_eq!(requests(&traffic(Options::default())), requests(&reordered));
}

#[test]
fn intents_come_in_their_shares_and_wordings_alike() {
    let options = Options {
        requests: 100_000,
        ..Options::default()
    };
    let traffic = traffic(options);
    let mut seen: HashMap<String, f64> = HashMap::new();
    for index in 0..traffic.len() {
        *seen
            .entry(traffic.request(index).message.into())
            .or_default() += 1.0;
    }
    let total: u32 = MIX.iter().map(|(_, weight)| weight).sum();
    assert_eq!(total, 100, "the mix is stated in parts of 100");
    let mut chi_square = 0.0;
    for (name, weight) in MIX {
        for wording in 0..3 {
            let expected = 100_000.0 * f64::from(weight) / 100.0 / 3.0;
            let observed = seen.remove(&format!("{name} #{wording}?")).unwrap_or(0.0);
            chi_square += (observed - expected).powi(2) / expected;
        }
    }
    assert!(seen.is_empty(), "only the first three wordings are in use");
    // The 0.999 quantile of chi-square with 35 degrees of freedom.
    assert!(chi_square < 66.62, "chi-square {chi_square}");
}

#[test]
fn the_declaration_counts_what_a_naive_count_finds() {
    for (users, requests, wordings) in [(1, 1, 1), (3, 500, 2), (200, 5_000, 3)] {
        let traffic = traffic(Options {
            users,
            requests,
            wordings,
            ..Options::default()
        });
        let all = self::requests(&traffic);
        let mut repeats = 0;
        let mut seen = HashSet::new();
        for request in &all {
            if !seen.insert(request) {
                repeats += 1;
            }
        }
        let declared = traffic.description();
        assert_eq!(declared.distinct_questions, seen.len());
        assert_eq!(
            declared.repeated_percent,
            f64::from(repeats) * 100.0 / requests as f64
        );
        assert!(declared.ceiling_percent >= declared.repeated_percent);
    }
}

#[test]
fn intents_without_examples_and_unlisted_ones() {
    let asked = vec![
        intent("own_intent", 2, false),
        intent("silent", 0, false),
        intent("greeting", 9, true),
    ];
    let traffic =
        Traffic::new(Options::default(), Population::default(), asked).expect("in bounds");
    let shares: Vec<(String, u32, usize)> = traffic
        .description()
        .intents
        .into_iter()
        .map(|intent| (intent.name, intent.weight, intent.wordings.len()))
        .collect();
    assert_eq!(
        shares,
        [("greeting".into(), 4, 3), ("own_intent".into(), 1, 2)]
    );
}

#[test]
fn impossible_declarations_are_refused() {
    let refusal = |options: Options| {
        Traffic::new(options, Population::default(), standard())
            .expect_err("out of bounds")
            .to_string()
    };
    let default = Options::default;
    let cases = [
        (
            refusal(Options {
                users: 0,
                ..default()
            }),
            "users must be from 1 to 1000000, not 0",
        ),
        (
            refusal(Options {
                requests: 10_000_001,
                ..default()
            }),
            "requests must be from 1 to 10000000, not 10000001",
        ),
        (
            refusal(Options {
                concurrency: 0,
                ..default()
            }),
            "concurrency must be from 1 to 1024, not 0",
        ),
        (
            refusal(Options {
                wordings: 0,
                ..default()
            }),
            "phrasings must be from 1 to 65535, not 0",
        ),
        (
            refusal(Options {
                skew: f64::NAN,
                ..default()
            }),
            "skew must be from 0 to 10, not NaN",
        ),
        (
            refusal(Options {
                skew: -1.0,
                ..default()
            }),
            "skew must be from 0 to 10, not -1",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
    let nothing = Traffic::new(
        default(),
        Population::default(),
        vec![intent("a", 0, false)],
    );
    assert_eq!(nothing.err(), Some(TrafficError::NothingToAsk));
}

#[test]
fn the_help_states_the_defaults_and_the_mix() {
    let help = traffic_help();
    for (name, weight) in MIX {
        assert!(help.contains(&format!("{name} {weight}")), "{name}");
    }
    for part in ["default 200", "default 1", "20000", "first 2000"] {
        assert!(help.contains(part), "{part} in {help}");
    }
}

#[test]
fn the_declaration_reads_as_sentences() {
    let options = Options {
        users: 1_000,
        warm_up: 50_000,
        ..Options::default()
    };
    let sentences = traffic(options).description().to_string();
    for part in [
        "20,000 requests of 1,000 users (BEN-000001 to BEN-001000, role beneficiary)",
        "claim_status 24, payment_status 20",
        "first 20,000 requests without cache",
        "7,446 different questions: 62.8 % of the requests repeat",
        "would hit 68.6 %",
    ] {
        assert!(sentences.contains(part), "{part} in {sentences}");
    }
}
