//! The router against a naive model: a list of what was answered when.

mod support;

use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{CacheOutcome, Pattern, Request, Selector, UserContext};
use proptest::prelude::*;
use support::{bench, now};

const USERS: [&str; 3] = ["BEN-000001", "BEN-000002", "EMP-0001"];
const ROLES: [&str; 2] = ["beneficiary", "employer"];
const MESSAGES: [(&str, &str); 3] = [
    ("claim_status", "what is my claim status?"),
    ("claim_status", "claim status please"),
    ("payment_history", "show my payment history"),
];
const TTL: u64 = 300;

#[derive(Clone, Debug)]
enum Op {
    Ask(usize, usize, usize),
    Advance(u64),
    /// The database changes and nobody says so.
    Write(usize),
    InvalidateUser(usize),
    InvalidateRole(usize),
    InvalidateIntent(usize),
    InvalidatePattern(usize, usize),
    InvalidateAll,
    Switch(bool),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (0..3usize, 0..2usize, 0..3usize).prop_map(|(u, r, m)| Op::Ask(u, r, m)),
        3 => prop_oneof![Just(1), Just(TTL - 1), Just(TTL), Just(TTL + 1)].prop_map(Op::Advance),
        3 => (0..3usize).prop_map(Op::Write),
        1 => (0..3usize).prop_map(Op::InvalidateUser),
        1 => (0..2usize).prop_map(Op::InvalidateRole),
        1 => (0..3usize).prop_map(Op::InvalidateIntent),
        1 => (0..3usize, 0..2usize).prop_map(|(u, r)| Op::InvalidatePattern(u, r)),
        1 => Just(Op::InvalidateAll),
        1 => any::<bool>().prop_map(Op::Switch),
    ]
}

/// One stored answer of the model.
struct Stored {
    who: (usize, usize),
    message: usize,
    version: u64,
    at: u64,
}

#[derive(Default)]
struct Model {
    stored: Vec<Stored>,
    versions: [u64; 3],
    now: u64,
    on: bool,
    hits: u64,
    misses: u64,
    invalidations: u64,
}

impl Model {
    fn remove(&mut self, which: impl Fn(&Stored) -> bool) -> usize {
        let now = self.now;
        self.stored.retain(|s| now - s.at <= TTL);
        let before = self.stored.len();
        self.stored.retain(|s| !which(s));
        let removed = before - self.stored.len();
        self.invalidations += removed as u64;
        removed
    }

    /// What must be answered: the version, and whether from the cache.
    fn ask(&mut self, who: (usize, usize), message: usize) -> (u64, bool) {
        let version = self.versions[who.0];
        if !self.on {
            return (version, false);
        }
        let now = self.now;
        let same = |s: &Stored| s.who == who && s.message == message;
        if let Some(found) = self.stored.iter().find(|s| same(s) && now - s.at <= TTL) {
            self.hits += 1;
            return (found.version, true);
        }
        self.misses += 1;
        self.stored.retain(|s| !same(s));
        self.stored.push(Stored {
            who,
            message,
            version,
            at: now,
        });
        (version, false)
    }
}

proptest! {
    #[test]
    fn prop_router_answers_as_the_model_does(ops in prop::collection::vec(op(), 1..60)) {
        let bench = bench();
        let cache = bench.router.cache();
        let mut model = Model { on: true, ..Model::default() };
        for op in ops {
            let removed = |selector| Some(cache.invalidate(&selector));
            let text = CanonicalJson::string;
            let (got, expect) = match op {
                Op::Ask(u, r, m) => {
                    let context = UserContext::new(USERS[u], ROLES[r]);
                    let request = Request::new(MESSAGES[m].1, context);
                    let routed = now(bench.router.route(&request)).unwrap();
                    let data = &routed.answer.response().unwrap().data;
                    prop_assert_eq!(&data["user"], USERS[u]);
                    prop_assert_eq!(&data["role"], ROLES[r]);
                    prop_assert_eq!(routed.answer.intent(), MESSAGES[m].0);
                    let hit = matches!(routed.cache, CacheOutcome::Hit { .. });
                    let version = data["version"].as_u64().unwrap();
                    prop_assert_eq!((version, hit), model.ask((u, r), m));
                    (None, None)
                }
                Op::Advance(seconds) => {
                    bench.clock.advance(Duration::from_secs(seconds));
                    model.now += seconds;
                    (None, None)
                }
                Op::Write(u) => {
                    bench.source.write(USERS[u]);
                    model.versions[u] += 1;
                    (None, None)
                }
                Op::InvalidateUser(u) => {
                    (removed(Selector::User(text(USERS[u]))), Some(model.remove(|s| s.who.0 == u)))
                }
                Op::InvalidateRole(r) => {
                    (removed(Selector::Role(text(ROLES[r]))), Some(model.remove(|s| s.who.1 == r)))
                }
                Op::InvalidateIntent(m) => {
                    let intent = MESSAGES[m].0;
                    let of_intent = |s: &Stored| MESSAGES[s.message].0 == intent;
                    (removed(Selector::Intent(intent.to_owned())), Some(model.remove(of_intent)))
                }
                Op::InvalidatePattern(u, r) => {
                    let pattern = Pattern::new(&format!("*/{}/{}", USERS[u], ROLES[r]));
                    (removed(Selector::Pattern(pattern)), Some(model.remove(|s| s.who == (u, r))))
                }
                Op::InvalidateAll => (removed(Selector::All), Some(model.remove(|_| true))),
                Op::Switch(on) => {
                    cache.set_enabled(on);
                    model.on = on;
                    (None, None)
                }
            };
            prop_assert_eq!(got, expect);
            let stats = cache.stats();
            prop_assert_eq!(stats.hits, model.hits);
            prop_assert_eq!(stats.misses, model.misses);
            prop_assert_eq!(stats.total_requests(), model.hits + model.misses);
            prop_assert_eq!(stats.invalidations, model.invalidations);
            let live = model.stored.iter().filter(|s| model.now - s.at <= TTL).count();
            prop_assert_eq!(stats.entries, live);
        }
    }
}
