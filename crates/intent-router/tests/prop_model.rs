//! The router against a naive model: a list of what was answered when.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{
    CacheOutcome, CacheUse, Freshness, Pattern, Request, Reuse, Routed, Selector, Source,
    UserContext,
};
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

/// The windows of the class of answers, in seconds.
#[derive(Clone, Copy, Debug)]
struct Windows {
    revalidate: u64,
    error: u64,
    negative: Option<u64>,
}

impl Windows {
    fn freshness(self) -> Freshness {
        let seconds = Duration::from_secs;
        let mut freshness = Freshness::ttl(seconds(TTL))
            .with_stale_while_revalidate(seconds(self.revalidate))
            .with_stale_if_error(seconds(self.error));
        freshness.negative_ttl = self.negative.map(seconds);
        freshness
    }
}

fn windows() -> impl Strategy<Value = Windows> {
    let span = || prop_oneof![Just(0), Just(50), Just(100)];
    let negative = prop_oneof![Just(None), Just(Some(20)), Just(Some(400))];
    (span(), span(), negative).prop_map(|(revalidate, error, negative)| Windows {
        revalidate,
        error,
        negative,
    })
}

/// What happens after a stale answer was served and before it is refreshed.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Write(usize),
    InvalidateUser(usize),
    SwitchOff,
    /// It is not refreshed.
    Drop,
}

#[derive(Clone, Debug)]
enum Op {
    Ask(usize, usize, usize, Between),
    /// The same, taking nothing stale.
    AskStrictly(usize, usize, usize),
    Advance(u64),
    /// The database changes and nobody says so.
    Write(usize),
    /// A member leaves, or comes back, and nobody says so.
    Know(usize, bool),
    /// The records cannot be read from now on, or can again.
    Fail(bool),
    InvalidateUser(usize),
    InvalidateRole(usize),
    InvalidateIntent(usize),
    InvalidatePattern(usize, usize),
    InvalidateAll,
    Switch(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let between = prop_oneof![
        4 => Just(Between::Nothing),
        1 => (0..3usize).prop_map(Between::Write),
        1 => (0..3usize).prop_map(Between::InvalidateUser),
        1 => Just(Between::SwitchOff),
        1 => Just(Between::Drop),
    ];
    let spans = [1, 20, 21, 50, 51, 100, 101, TTL - 1, TTL, TTL + 1];
    let ask = (0..3usize, 0..2usize, 0..3usize);
    prop_oneof![
        12 => (ask.clone(), between).prop_map(|((u, r, m), b)| Op::Ask(u, r, m, b)),
        2 => ask.prop_map(|(u, r, m)| Op::AskStrictly(u, r, m)),
        5 => prop::sample::select(spans.to_vec()).prop_map(Op::Advance),
        3 => (0..3usize).prop_map(Op::Write),
        2 => (0..3usize, any::<bool>()).prop_map(|(u, known)| Op::Know(u, known)),
        2 => any::<bool>().prop_map(Op::Fail),
        1 => (0..3usize).prop_map(Op::InvalidateUser),
        1 => (0..2usize).prop_map(Op::InvalidateRole),
        1 => (0..3usize).prop_map(Op::InvalidateIntent),
        1 => (0..3usize, 0..2usize).prop_map(|(u, r)| Op::InvalidatePattern(u, r)),
        1 => Just(Op::InvalidateAll),
        1 => any::<bool>().prop_map(Op::Switch),
    ]
}

/// What the source says: the version of the records; `None` where there is no
/// such member.
type Content = Option<u64>;

/// How an answer came about, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Hit,
    Stale { failed: bool },
    Source,
}

/// One stored answer of the model.
#[derive(Clone, Copy)]
struct Stored {
    who: (usize, usize),
    message: usize,
    content: Content,
    at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Fresh,
    Stale,
    OnError,
    Gone,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    hits: u64,
    misses: u64,
    stale: u64,
    negative: u64,
    failed: u64,
    invalidations: u64,
    live: usize,
}

struct Model {
    windows: Windows,
    stored: Vec<Stored>,
    /// Whose membership was read at this moment: it is stored for no longer.
    members: Vec<(usize, usize)>,
    versions: [u64; 3],
    known: [bool; 3],
    failing: bool,
    now: u64,
    on: bool,
    counts: Counts,
}

impl Model {
    fn phase(&self, stored: &Stored) -> Phase {
        let age = self.now - stored.at;
        if stored.content.is_none() {
            let kept = self.windows.negative.is_some_and(|most| age <= most);
            return if kept { Phase::Fresh } else { Phase::Gone };
        }
        match age.saturating_sub(TTL) {
            0 => Phase::Fresh,
            over if over <= self.windows.revalidate => Phase::Stale,
            over if over <= self.windows.error => Phase::OnError,
            _ => Phase::Gone,
        }
    }

    fn remove(&mut self, which: impl Fn(&Stored) -> bool) -> usize {
        let (removed, left) = std::mem::take(&mut self.stored)
            .into_iter()
            .filter(|stored| self.phase(stored) != Phase::Gone)
            .partition(|stored| which(stored));
        self.stored = left;
        let removed: Vec<Stored> = removed;
        self.counts.invalidations += removed.len() as u64;
        removed.len()
    }

    fn invalidate_user(&mut self, user: usize) -> usize {
        self.members.retain(|who| who.0 != user);
        self.remove(|stored| stored.who.0 == user)
    }

    fn find(&self, who: (usize, usize), message: usize) -> Option<Stored> {
        let same = |stored: &&Stored| stored.who == who && stored.message == message;
        self.stored.iter().find(same).copied()
    }

    /// What the source says, by way of the stored memberships where they may be used.
    fn source(&mut self, who: (usize, usize), with_members: bool) -> Result<Content, ()> {
        if !(with_members && self.members.contains(&who)) {
            if !self.known[who.0] {
                return Ok(None);
            }
            if with_members {
                self.members.push(who);
            }
        }
        if self.failing {
            return Err(());
        }
        Ok(Some(self.versions[who.0]))
    }

    /// Asks the source and stores what it says, unless that may be outdated.
    fn fill(&mut self, who: (usize, usize), message: usize, store: bool) -> Result<Content, ()> {
        let made = self.source(who, true);
        let Ok(content) = made else {
            self.counts.failed += 1;
            return made;
        };
        if store {
            self.stored
                .retain(|stored| stored.who != who || stored.message != message);
            if content.is_some() || self.windows.negative.is_some() {
                let at = self.now;
                self.stored.push(Stored {
                    who,
                    message,
                    content,
                    at,
                });
            }
        }
        made
    }

    /// What must be answered, and how; `None` for an error.
    fn ask(
        &mut self,
        who: (usize, usize),
        message: usize,
        strictly: bool,
    ) -> Option<(Content, How)> {
        if !self.on {
            let content = self.source(who, false).ok()?;
            return Some((content, How::Source));
        }
        let found = self.find(who, message);
        let phase = found.map_or(Phase::Gone, |found| self.phase(&found));
        if let Some(found) = found
            && (phase == Phase::Fresh || (phase == Phase::Stale && !strictly))
        {
            self.counts.hits += 1;
            self.counts.negative += u64::from(found.content.is_none());
            self.counts.stale += u64::from(phase == Phase::Stale);
            let how = match phase {
                Phase::Fresh => How::Hit,
                _ => How::Stale { failed: false },
            };
            return Some((found.content, how));
        }
        self.counts.misses += 1;
        if let Ok(content) = self.fill(who, message, true) {
            return Some((content, How::Source));
        }
        let stand_in = found.filter(|_| phase != Phase::Gone && !strictly)?;
        Some((stand_in.content, How::Stale { failed: true }))
    }

    fn counts(&mut self) -> &Counts {
        let live = |stored: &&Stored| self.phase(stored) != Phase::Gone;
        self.counts.live = self.stored.iter().filter(live).count();
        &self.counts
    }
}

/// What was answered, and how.
fn told(routed: &Routed, who: (usize, usize), message: usize) -> (Content, How) {
    let response = routed.answer.response().unwrap();
    assert_eq!(response.intent, MESSAGES[message].0);
    let content = match response.source {
        Source::Fallback => {
            assert_eq!(response.data["reason"], "no_such_member");
            None
        }
        _ => {
            assert_eq!(response.data["user"], USERS[who.0]);
            assert_eq!(response.data["role"], ROLES[who.1]);
            response.data["version"].as_u64()
        }
    };
    let how = match routed.cache {
        CacheOutcome::Hit { .. } => How::Hit,
        CacheOutcome::Stale { failed, .. } => How::Stale { failed },
        _ => How::Source,
    };
    (content, how)
}

proptest! {
    #[test]
    fn prop_router_answers_as_the_model_does(
        windows in windows(),
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let mut bench = bench();
        let begun = Arc::new(Mutex::new(Vec::new()));
        let refreshes = Arc::clone(&begun);
        let spawn = Arc::new(move |refresh| refreshes.lock().unwrap().push(refresh));
        bench.router = bench.router.with_spawn(spawn);
        let cache = bench.router.cache();
        let classes = cache.classes();
        classes.set_freshness(intent_router::classes::LIVE_DATA, windows.freshness());
        classes.set_freshness(intent_router::classes::USER_CONTEXT, Freshness::ttl(Duration::ZERO));
        let mut model = Model {
            windows,
            stored: Vec::new(),
            members: Vec::new(),
            versions: [0; 3],
            known: [true; 3],
            failing: false,
            now: 0,
            on: true,
            counts: Counts::default(),
        };
        for op in ops {
            let removed = |selector| Some(cache.invalidate(&selector));
            let text = CanonicalJson::string;
            let request = |u: usize, r: usize, m: usize| {
                Request::new(MESSAGES[m].1, UserContext::new(USERS[u], ROLES[r]))
            };
            let (got, expect) = match op {
                Op::Ask(u, r, m, between) => {
                    let routed = now(bench.router.route(&request(u, r, m))).ok();
                    let expect = model.ask((u, r), m, false);
                    prop_assert_eq!(routed.map(|routed| told(&routed, (u, r), m)), expect);
                    let due = matches!(expect, Some((_, How::Stale { failed: false })));
                    let mut refreshes = std::mem::take(&mut *begun.lock().unwrap());
                    prop_assert_eq!(refreshes.len(), usize::from(due));
                    if let Some(refresh) = refreshes.pop() {
                        let mut overtaken = false;
                        match between {
                            Between::Nothing | Between::Drop => {}
                            Between::Write(u) => {
                                bench.source.write(USERS[u]);
                                model.versions[u] += 1;
                            }
                            Between::InvalidateUser(other) => {
                                let removed = removed(Selector::User(text(USERS[other])));
                                prop_assert_eq!(removed, Some(model.invalidate_user(other)));
                                overtaken = other == u;
                            }
                            Between::SwitchOff => cache.set_enabled(false),
                        }
                        match between {
                            Between::Drop => drop(refresh),
                            Between::SwitchOff => {
                                prop_assert_eq!(now(refresh).calls, 0);
                                cache.set_enabled(true);
                            }
                            _ => {
                                let refreshed = now(refresh);
                                let made = model.fill((u, r), m, !overtaken);
                                prop_assert_eq!(refreshed.failure.is_some(), made.is_err());
                                let kept = match made {
                                    Ok(content) => content.is_some() || windows.negative.is_some(),
                                    Err(()) => false,
                                };
                                prop_assert_eq!(refreshed.stored, kept && !overtaken);
                            }
                        }
                    }
                    (None, None)
                }
                Op::AskStrictly(u, r, m) => {
                    let mut request = request(u, r, m);
                    request.cache_use = CacheUse::Allowed(Reuse::MaxAge(Duration::MAX));
                    let routed = now(bench.router.route(&request)).ok();
                    let expect = model.ask((u, r), m, true);
                    prop_assert_eq!(routed.map(|routed| told(&routed, (u, r), m)), expect);
                    prop_assert!(begun.lock().unwrap().is_empty());
                    (None, None)
                }
                Op::Advance(seconds) => {
                    bench.clock.advance(Duration::from_secs(seconds));
                    model.now += seconds;
                    model.members.clear();
                    (None, None)
                }
                Op::Write(u) => {
                    bench.source.write(USERS[u]);
                    model.versions[u] += 1;
                    (None, None)
                }
                Op::Know(u, known) => {
                    if known {
                        bench.source.remember(USERS[u]);
                    } else {
                        bench.source.forget(USERS[u]);
                    }
                    model.known[u] = known;
                    (None, None)
                }
                Op::Fail(failing) => {
                    bench.source.failing.store(failing, Ordering::SeqCst);
                    model.failing = failing;
                    (None, None)
                }
                Op::InvalidateUser(u) => {
                    (removed(Selector::User(text(USERS[u]))), Some(model.invalidate_user(u)))
                }
                Op::InvalidateRole(r) => {
                    model.members.retain(|who| who.1 != r);
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
                Op::InvalidateAll => {
                    model.members.clear();
                    (removed(Selector::All), Some(model.remove(|_| true)))
                }
                Op::Switch(on) => {
                    cache.set_enabled(on);
                    model.on = on;
                    (None, None)
                }
            };
            prop_assert_eq!(got, expect);
            let stats = cache.stats();
            prop_assert_eq!(stats.total_requests(), stats.hits + stats.misses);
            let counts = Counts {
                hits: stats.hits,
                misses: stats.misses,
                stale: stats.stale,
                negative: stats.negative,
                failed: stats.failed_fills,
                invalidations: stats.invalidations,
                live: stats.entries,
            };
            prop_assert_eq!(&counts, model.counts());
        }
    }
}
