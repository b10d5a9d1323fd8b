//! Pairs of questions, asked of one router.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use intent_router::{
    CacheOutcome, CacheService, Catalogue, Date, Detector, Intent, KeyMode, KeywordDetector,
    Reading, Request, Router, UserContext,
};

use crate::support::{FakeSource, now};

/// 20 November 2025, the day of the demo data.
const TODAY: u64 = 1_763_596_800;

pub(crate) struct Pairs {
    router: Router,
    pub(crate) detector: KeywordDetector,
    /// How many pairs there were of each kind, and how many of them began with
    /// a message that is keyed by its slots; the others cannot share.
    pub(crate) counts: BTreeMap<&'static str, (usize, usize)>,
    pub(crate) shared: Vec<(String, String)>,
    pub(crate) users: usize,
}

impl Pairs {
    pub(crate) fn new() -> Self {
        Self::of(Catalogue::built_in().clone())
    }

    pub(crate) fn of(catalogue: Catalogue) -> Self {
        let catalogue = Arc::new(catalogue);
        let detector = KeywordDetector::new(&catalogue);
        let cache = Arc::new(CacheService::builder().build().unwrap());
        let router = Router::new(
            catalogue,
            Arc::new(detector.clone()),
            Arc::new(FakeSource::default()),
            cache,
        );
        let clock = || UNIX_EPOCH + Duration::from_secs(TODAY);
        Self {
            router: router.unwrap().with_wall_clock(Arc::new(clock)),
            detector,
            counts: BTreeMap::new(),
            shared: Vec::new(),
            users: 0,
        }
    }

    /// Whether a new user who asks both in turn gets one entry for both, with
    /// the intent forced to `intent` if given.
    pub(crate) fn share(&mut self, first: &str, second: &str, intent: Option<&str>) -> bool {
        self.users += 1;
        let user = format!("BEN-{:06}", self.users);
        let ask = |message: &str| {
            let mut request = Request::new(message, UserContext::new(&user, "beneficiary"));
            request.forced_intent = intent.map(str::to_owned);
            now(self.router.route(&request)).unwrap()
        };
        let (first, second) = (ask(first), ask(second));
        let shared = first.key.is_some() && first.key == second.key;
        // Everybody shares the answers about nobody, so a hit may be another's.
        let hit = matches!(second.cache, CacheOutcome::Hit { .. });
        assert!(!shared || hit && first.answer.json() == second.answer.json());
        shared
    }

    /// Counts a pair that must not share, and keeps it in `shared` if it does.
    /// Both messages are asked with the intent forced, and every fourth pair also
    /// as it is detected.
    pub(crate) fn apart(&mut self, kind: &'static str, intent: &Intent, first: &str, second: &str) {
        if first == second {
            return;
        }
        let by_slots = reading(intent, &self.detector, first).guard().is_none();
        let count = self.counts.entry(kind).or_default();
        count.0 += 1;
        count.1 += usize::from(by_slots);
        let is_detected = self.detector.detect(first).intent == intent.name;
        let as_detected =
            is_detected && count.0.is_multiple_of(4) && self.share(first, second, None);
        if as_detected || self.share(first, second, Some(&intent.name)) {
            self.shared.push((first.to_owned(), second.to_owned()));
        }
    }
}

/// What the built-in catalogue reads of a message of an intent.
pub(crate) fn reading(intent: &Intent, detector: &KeywordDetector, message: &str) -> Reading {
    let today = Date::from_unix_seconds(TODAY as i64);
    let confidence = detector.detect(message).confidence;
    Reading::of(intent, Catalogue::built_in(), message, today, confidence)
}

/// The intents keyed by their slots; those that yield only greet.
pub(crate) fn intents() -> impl Iterator<Item = &'static Intent> {
    let intents = Catalogue::built_in().intents().iter();
    intents.filter(|intent| intent.key == KeyMode::Slots)
}
