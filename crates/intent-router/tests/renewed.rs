//! Routers that follow one another over one cache: requests of both at once, in
//! an order that the test decides.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};

use intent_router::{
    Ask, BoxFuture, CacheOutcome, CacheService, Catalogue, Deadline, Detection, Detector, Found,
    LiveData, Owner, Principal, Records, Request, RouteError, Routed, Router, Selector,
    SourceError, UserContext,
};
use proptest::prelude::*;
use serde_json::json;
use support::{now, poll_once};

/// A business in one state: which of three definitions each of its two intents
/// has, and which of them a question is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Edition {
    definitions: [u8; 2],
    swapped: bool,
}

const NAMES: [&str; 2] = ["first", "second"];

impl Edition {
    fn catalogue(self) -> Catalogue {
        let intent = |i: usize| {
            let definition = self.definitions[i];
            format!(
                "[[intent]]\nname = '{}'\nkind = 'live_data'\nphrases = ['a']\n\
                 [[intent.query]]\nname = 'it'\nsql = 'SELECT {definition}'\n",
                NAMES[i]
            )
        };
        Catalogue::parse(&(intent(0) + &intent(1))).unwrap()
    }

    /// Which of the intents a message is about.
    fn meant(self, message: &str) -> usize {
        usize::from((message == "second") != self.swapped)
    }
}

/// A detector whose findings are worth keeping.
struct Meant {
    edition: Edition,
    asked: AtomicU32,
}

impl Detector for Meant {
    fn detect(&self, message: &str) -> Detection {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Detection {
            intent: NAMES[self.edition.meant(message)].to_owned(),
            confidence: 0.5,
        }
    }

    fn is_costly(&self) -> bool {
        true
    }
}

/// What all sources read, and whether they answer.
#[derive(Default)]
struct Database {
    version: AtomicU64,
    calls: AtomicU32,
    held: AtomicBool,
}

/// A source whose queries were prepared for an edition.
struct Prepared {
    edition: Edition,
    database: Arc<Database>,
}

/// Pending once, and as long as the database is held.
struct Slow<'a>(&'a AtomicBool, bool);

impl Future for Slow<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.1, true) && !self.0.load(Ordering::SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl LiveData for Prepared {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
        _: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async { Ok(Found::new(true, 1)) })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        self.database.calls.fetch_add(1, Ordering::SeqCst);
        let i = NAMES.iter().position(|name| *name == ask.intent.name);
        let data = json!({
            "asked": ask.intent.queries[0].sql,
            "prepared": format!("SELECT {}", self.edition.definitions[i.unwrap()]),
            "version": self.database.version.load(Ordering::SeqCst),
        });
        Box::pin(async move {
            Slow(&self.database.held, false).await;
            Ok(Found::new(Records::new(data, vec![]), 1))
        })
    }
}

struct Business {
    router: Router,
    edition: Edition,
    detector: Arc<Meant>,
    database: Arc<Database>,
}

type Parts = (Arc<Catalogue>, Arc<Meant>, Arc<Prepared>);

fn parts(edition: Edition, database: &Arc<Database>) -> Parts {
    let detector = Meant {
        edition,
        asked: AtomicU32::new(0),
    };
    let source = Prepared {
        edition,
        database: Arc::clone(database),
    };
    let catalogue = Arc::new(edition.catalogue());
    (catalogue, Arc::new(detector), Arc::new(source))
}

impl Business {
    fn open(edition: Edition) -> Self {
        let database = Arc::new(Database::default());
        let (catalogue, detector, source) = parts(edition, &database);
        let cache = Arc::new(CacheService::builder().build().unwrap());
        let router = Router::new(catalogue, detector.clone(), source, cache).unwrap();
        Self {
            router,
            edition,
            detector,
            database,
        }
    }

    fn change(&mut self, edition: Edition) {
        let (catalogue, detector, source) = parts(edition, &self.database);
        self.router = self
            .router
            .renewed(catalogue, detector.clone(), source)
            .unwrap();
        (self.edition, self.detector) = (edition, detector);
    }

    /// A question to the router of now, not yet asked.
    fn question(&self, message: &str) -> Question {
        let router = self.router.clone();
        let request = Request::new(message, UserContext::new("BEN-000001", "beneficiary"));
        Box::pin(async move { router.route(&request).await })
    }

    fn ask(&self, message: &str) -> Routed {
        let mut question = self.question(message);
        (0..10)
            .find_map(|_| match poll_once(question.as_mut()) {
                Poll::Ready(routed) => routed.ok(),
                Poll::Pending => None,
            })
            .expect("an answer")
    }

    fn calls(&self) -> u32 {
        self.database.calls.load(Ordering::SeqCst)
    }
}

type Question = Pin<Box<dyn Future<Output = Result<Routed, RouteError>>>>;

/// What an answer says: intent, definition, state of the database.
#[track_caller]
fn told(routed: &Routed) -> (String, u8, u64) {
    let response = routed.answer.response().unwrap();
    let data = &response.data;
    // One set: the intent that was asked about and the query that was prepared.
    assert_eq!(data["asked"], data["prepared"]);
    let definition = data["asked"]
        .as_str()
        .unwrap()
        .trim_start_matches("SELECT ");
    let version = data["version"].as_u64().unwrap();
    (response.intent, definition.parse().unwrap(), version)
}

fn edition(first: u8, second: u8) -> Edition {
    Edition {
        definitions: [first, second],
        swapped: false,
    }
}

#[test]
fn a_changed_intent_is_answered_anew_and_an_unchanged_one_is_not() {
    let mut business = Business::open(edition(0, 0));
    for message in NAMES {
        business.ask(message);
    }
    business.change(edition(1, 0));
    let first = business.ask("first");
    assert!(support::is_stored_miss(&first));
    assert_eq!(told(&first).1, 1);
    assert!(support::is_hit(&business.ask("first")));
    assert!(support::is_hit(&business.ask("second")));
    // What was kept under the first definition is of use again.
    business.change(edition(0, 0));
    let first = business.ask("first");
    assert!(support::is_hit(&first));
    assert_eq!(told(&first).1, 0);
    assert_eq!(business.calls(), 3);
    // And was in reach of invalidations all the time.
    let cache = business.router.cache();
    assert_eq!(cache.invalidate(&Selector::Intent("first".to_owned())), 2);
}

#[test]
fn the_key_stays_the_same() {
    let mut business = Business::open(edition(0, 0));
    let before = business.ask("first").key.unwrap();
    business.change(edition(1, 0));
    let after = business.ask("first").key.unwrap();
    assert_eq!(before, after);
    let cache = business.router.cache();
    assert_eq!(cache.invalidate(&Selector::Key(before)), 2);
}

#[test]
fn a_request_under_way_ends_with_what_it_began_with() {
    let mut business = Business::open(edition(0, 0));
    business.database.held.store(true, Ordering::SeqCst);
    let mut early = business.question("first");
    assert!(poll_once(early.as_mut()).is_pending());
    business.change(edition(1, 0));
    // It waits for no fill of another definition: it begins one.
    let mut late = business.question("first");
    assert!(poll_once(late.as_mut()).is_pending());
    assert_eq!(business.calls(), 2);
    business.database.held.store(false, Ordering::SeqCst);

    let late = now(late).unwrap();
    assert!(matches!(
        late.cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
    assert_eq!(told(&late).1, 1);
    // The older one is stored last, and still answers nobody of now.
    let early = now(early).unwrap();
    assert!(matches!(
        early.cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
    assert_eq!(told(&early).1, 0);
    let after = business.ask("first");
    assert!(support::is_hit(&after));
    assert_eq!(told(&after).1, 1);
}

#[test]
fn what_is_the_same_for_both_is_made_once() {
    let mut business = Business::open(edition(0, 0));
    let mut early = business.question("first");
    assert!(poll_once(early.as_mut()).is_pending());
    business.change(edition(0, 1));
    let mut late = business.question("first");
    assert!(poll_once(late.as_mut()).is_pending());
    assert!(now(early).is_ok());
    assert_eq!(now(late).unwrap().cache, CacheOutcome::Collapsed);
    assert_eq!(business.calls(), 1);
}

#[test]
fn a_detection_of_another_detector_is_not_used() {
    let mut business = Business::open(edition(0, 0));
    assert_eq!(told(&business.ask("first")).0, "first");
    business.ask("first");
    assert_eq!(business.detector.asked.load(Ordering::SeqCst), 1);
    business.change(Edition {
        swapped: true,
        ..edition(0, 0)
    });
    assert_eq!(told(&business.ask("first")).0, "second");
    assert_eq!(business.detector.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_intent_that_is_gone_is_unknown_and_a_new_class_is_defined() {
    let business = Business::open(edition(0, 0));
    let catalogue = Catalogue::parse(
        "[[intent]]\nname = 'third'\nkind = 'live_data'\nclass = 'quick'\nphrases = ['third']",
    )
    .unwrap();
    let detector = Arc::new(intent_router::KeywordDetector::new(&catalogue));
    let (_, _, source) = parts(business.edition, &business.database);
    assert!(business.router.cache().classes().get("quick").is_none());
    let next = business
        .router
        .renewed(Arc::new(catalogue), detector, source)
        .unwrap();
    assert!(business.router.cache().classes().get("quick").is_some());
    let mut request = Request::new("?", UserContext::new("BEN-000001", "beneficiary"));
    request.forced_intent = Some("first".to_owned());
    let routed = now(next.route(&request)).unwrap();
    assert_eq!(routed.answer.intent(), "unknown");
    // The router before it still knows it.
    assert_eq!(business.router.detect(&request).intent, "first");
}

#[test]
fn an_answer_is_found_where_the_router_says_that_it_keeps_it() {
    let business = Business::open(edition(2, 0));
    let stored = business.ask("first");
    let who = Principal::identify(&UserContext::new("BEN-000001", "beneficiary"));
    let owner = Owner::Person(who.unwrap());
    let request = Request::new("first", UserContext::new("BEN-000001", "beneficiary"));
    let context = business.router.resolve(&request).unwrap().unwrap();
    let entry = business.router.cache().identity(&context).unwrap();
    assert_eq!(Some(entry.digest()), stored.key);
    let cache = business.router.cache();
    let class = intent_router::classes::LIVE_DATA;
    assert!(cache.get(&entry, class).is_some());
    let undefined = cache.entry_key("first", owner, "first").unwrap();
    assert_eq!(undefined.digest(), entry.digest());
    assert!(cache.get(&undefined, class).is_none());
}

#[derive(Clone, Debug)]
enum Op {
    Begin(usize),
    /// One of those under way goes on.
    Go(usize),
    /// One of them is given up.
    Drop(usize),
    Change(Edition),
    Write,
    Invalidate,
}

fn op() -> impl Strategy<Value = Op> {
    let change = (0..3u8, 0..3u8, any::<bool>()).prop_map(|(first, second, swapped)| {
        Op::Change(Edition {
            definitions: [first, second],
            swapped,
        })
    });
    prop_oneof![
        4 => (0..2usize).prop_map(Op::Begin),
        8 => any::<usize>().prop_map(Op::Go),
        1 => any::<usize>().prop_map(Op::Drop),
        2 => change,
        1 => Just(Op::Write),
        1 => Just(Op::Invalidate),
    ]
}

/// A request under way: what it may be told.
struct UnderWay {
    question: Question,
    intent: &'static str,
    definition: u8,
    /// The state of the database at the last invalidation before it began.
    oldest: u64,
}

impl UnderWay {
    /// Goes on; returns whether it ended.
    fn go(&mut self) -> Result<bool, TestCaseError> {
        let Poll::Ready(routed) = poll_once(self.question.as_mut()) else {
            return Ok(false);
        };
        let (intent, definition, version) = told(&routed.unwrap());
        prop_assert_eq!(intent, self.intent);
        prop_assert_eq!(definition, self.definition);
        prop_assert!(version >= self.oldest, "{} < {}", version, self.oldest);
        Ok(true)
    }
}

proptest! {
    /// Whatever happens in which order: every request is answered by one whole
    /// set, the one that it began with, and by nothing of before an
    /// invalidation.
    #[test]
    fn prop_no_request_meets_another_set(ops in prop::collection::vec(op(), 1..120)) {
        let mut business = Business::open(Edition::default());
        let mut under_way: Vec<UnderWay> = Vec::new();
        let mut oldest = 0;
        for op in ops {
            let pick = |n: usize| (!under_way.is_empty()).then(|| n % under_way.len());
            match op {
                Op::Begin(message) => {
                    let edition = business.edition;
                    let meant = edition.meant(NAMES[message]);
                    let mut begun = UnderWay {
                        question: business.question(NAMES[message]),
                        intent: NAMES[meant],
                        definition: edition.definitions[meant],
                        oldest,
                    };
                    if !begun.go()? {
                        under_way.push(begun);
                    }
                }
                Op::Go(n) => {
                    if let Some(n) = pick(n)
                        && under_way[n].go()?
                    {
                        under_way.remove(n);
                    }
                }
                Op::Drop(n) => {
                    if let Some(n) = pick(n) {
                        under_way.remove(n);
                    }
                }
                Op::Change(edition) => business.change(edition),
                Op::Write => {
                    business.database.version.fetch_add(1, Ordering::SeqCst);
                }
                Op::Invalidate => {
                    business.router.cache().invalidate(&Selector::All);
                    oldest = business.database.version.load(Ordering::SeqCst);
                }
            }
        }
        // None is lost: each ends, in as many rounds as hand-overs can take.
        for _ in 0..=3 * under_way.len() {
            let mut left = Vec::new();
            for mut one in under_way {
                if !one.go()? {
                    left.push(one);
                }
            }
            under_way = left;
        }
        prop_assert_eq!(under_way.len(), 0);
    }
}
