//! Random operations, and crashes at every point of writing.

use std::io::Write;

use intent_router::Pattern;
use proptest::{collection::vec, prelude::*};

use super::*;

/// How far the writing of a snapshot comes.
#[derive(Clone, Copy, Debug)]
enum Upto {
    Begun,
    HalfDrawn,
    Drawn,
    Published,
    Done,
}

#[derive(Clone, Debug)]
enum Op {
    Ask(usize),
    Change(usize, usize),
    Pass(u64),
    Alive,
    /// A snapshot, during which a user's records may change.
    Write(Upto, Option<usize>),
    /// The machine ends the process, and starts another some time later.
    Kill {
        down: u64,
        /// Records that were changed and removed from the cache only.
        unanswered: Option<usize>,
        /// Bytes of an event that was being written.
        torn: usize,
    },
    Stop(u64),
    /// The machine loses what it has not written to the disk, and boots again.
    PowerCut {
        down: u64,
        /// The process had stopped in order before.
        stopped: bool,
        /// Records that were changed last, with an answer to the invalidation.
        late: Option<usize>,
        /// How much of what was not forced to the disk is there, in percent.
        written: u64,
    },
    /// The wall clock is set back while no process runs.
    SetBack(u64),
}

const USERS: [&str; 4] = ["a", "b", "c", "d"];

fn op() -> impl Strategy<Value = Op> {
    let user = || 0..USERS.len();
    let upto = prop_oneof![
        1 => Just(Upto::Begun),
        1 => Just(Upto::HalfDrawn),
        1 => Just(Upto::Drawn),
        1 => Just(Upto::Published),
        4 => Just(Upto::Done),
    ];
    let down = || prop_oneof![4 => 0u64..20, 1 => 50u64..70, 1 => 250u64..400];
    let kill = (down(), prop::option::of(user()), 0usize..40);
    let power_cut = (down(), any::<bool>(), prop::option::of(user()), 0u64..=100);
    prop_oneof![
        8 => user().prop_map(Op::Ask),
        4 => (user(), 0usize..5).prop_map(|(user, how)| Op::Change(user, how)),
        4 => prop_oneof![0u64..30, 100u64..200].prop_map(Op::Pass),
        1 => Just(Op::Alive),
        4 => (upto, prop::option::of(user())).prop_map(|(upto, user)| Op::Write(upto, user)),
        4 => kill.prop_map(|(down, unanswered, torn)| Op::Kill { down, unanswered, torn }),
        2 => down().prop_map(Op::Stop),
        3 => power_cut.prop_map(|(down, stopped, late, written)| {
            Op::PowerCut { down, stopped, late, written }
        }),
        1 => (1u64..100).prop_map(Op::SetBack),
    ]
}

fn selector(user: &str, how: usize) -> Selector {
    match how {
        0 => everything_of(user),
        1 => Selector::Tag(format!("claim:{user}")),
        2 => Selector::Pattern(Pattern::new(&format!("*/{user}/*"))),
        3 => Selector::Class("live_data".to_owned()),
        _ => Selector::All,
    }
}

/// Writes a snapshot so far.
fn write(world: &mut World, process: &Process, upto: Upto, meanwhile: Option<usize>) {
    let snapshots = &process.snapshots;
    let begun = snapshots.begin().unwrap();
    let change = |world: &mut World| {
        if let Some(user) = meanwhile {
            world.change(process, USERS[user], everything_of(USERS[user]));
        }
    };
    match upto {
        Upto::Begun => return change(world),
        Upto::HalfDrawn => {
            snapshots.draw(&begun, &process.router).unwrap();
            let file = world.folder.path().join("snapshot.new");
            let text = fs::read(&file).unwrap();
            fs::write(&file, &text[..text.len() / 2]).unwrap();
            return change(world);
        }
        Upto::Drawn | Upto::Published | Upto::Done => {}
    }
    snapshots.draw(&begun, &process.router).unwrap();
    change(world);
    let mut state = snapshots.state();
    if !matches!(upto, Upto::Drawn) {
        snapshots.publish(&state, &begun).unwrap();
    }
    if matches!(upto, Upto::Done) {
        snapshots.shorten(&mut state, &begun).unwrap();
    }
}

/// Runs the operations, and returns how many starts were warm and how many answers of
/// former processes were served.
fn run(ops: &[Op]) -> (usize, usize) {
    let mut world = World::new();
    let mut process = world.start();
    let (mut warm, mut kept) = (0, 0);
    let again = |world: &World| {
        let process = world.start();
        let hits = USERS
            .iter()
            .filter(|user| world.ask(&process, user))
            .count();
        assert!(process.is_warm || hits == 0);
        (usize::from(process.is_warm), hits, process)
    };
    for op in ops {
        let (is_warm, hits);
        match *op {
            Op::Ask(user) => drop(world.ask(&process, USERS[user])),
            Op::Change(user, how) => {
                world.change(&process, USERS[user], selector(USERS[user], how));
            }
            Op::Pass(time) => world.pass(Some(&process), seconds(time)),
            Op::Alive => process.snapshots.alive().unwrap(),
            Op::Write(upto, meanwhile) => write(&mut world, &process, upto, meanwhile),
            Op::Kill {
                down,
                unanswered,
                torn,
            } => {
                if let Some(user) = unanswered {
                    world.write(USERS[user]);
                    process
                        .router
                        .cache()
                        .invalidate(&everything_of(USERS[user]));
                }
                drop(process);
                let line = "0123456789abcdef0123456789abcdef {\"seq\":7,\"stamp\"";
                let mut journal = fs::OpenOptions::new()
                    .append(true)
                    .open(world.journal())
                    .unwrap();
                journal.write_all(&line.as_bytes()[..torn]).unwrap();
                world.pass(None, seconds(down));
                (is_warm, hits, process) = again(&world);
                warm += is_warm;
                kept += hits;
            }
            Op::Stop(down) => {
                process.snapshots.stop(&process.router).unwrap();
                drop(process);
                world.pass(None, seconds(down));
                (is_warm, hits, process) = again(&world);
                assert_eq!(is_warm == 1, seconds(down) <= MAX_DOWN);
                warm += is_warm;
                kept += hits;
            }
            Op::PowerCut {
                down,
                stopped,
                late,
                written,
            } => {
                if stopped {
                    process.snapshots.stop(&process.router).unwrap();
                }
                if let Some(user) = late {
                    world.change(&process, USERS[user], everything_of(USERS[user]));
                }
                drop(process);
                world.cut_power(written);
                world.pass(None, seconds(down));
                (is_warm, hits, process) = again(&world);
                assert!(stopped || is_warm == 0);
                warm += is_warm;
                kept += hits;
            }
            Op::SetBack(by) => {
                process.snapshots.alive().unwrap();
                drop(process);
                world.wall.fetch_sub(by * 1_000_000_000, Ordering::Relaxed);
                (is_warm, _, process) = again(&world);
                assert_eq!(is_warm, 0, "an unknown age was taken for a known one");
            }
        }
    }
    (warm, kept)
}

/// Every case waits for the disk some dozen times.
fn fewer() -> ProptestConfig {
    ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(8),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fewer())]

    #[test]
    fn prop_no_crash_brings_back_what_was_invalidated_or_makes_it_younger(
        ops in vec(op(), 1..60),
    ) {
        run(&ops);
    }
}

/// The random operations reach what they are for.
#[test]
fn answers_outlive_crashes_often() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut warm, mut kept) = (0, 0);
    for _ in 0..40 {
        let ops = vec(op(), 40..60).new_tree(&mut runner).unwrap().current();
        let (starts, hits) = run(&ops);
        warm += starts;
        kept += hits;
    }
    assert!(warm > 40 && kept > 40, "{warm} warm starts, {kept} answers");
}
