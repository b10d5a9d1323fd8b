//! After any transaction, what the feed of changes invalidates leaves no stored answer
//! that differs from what the database says now: with single records and with
//! whole tables.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod changing;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use intent_router::{
    CacheService, CacheUse, Catalogue, ChangeGate, Coverage, KeywordDetector, Request, UserContext,
};
use live_data::{
    ChangeEvent, ChangeFeed, Follower, SqliteChanges, SqliteChangesOptions, SqliteOptions,
    SqliteSetup, SqliteSource,
};
use proptest::prelude::*;

use changing::{Change, DATABASE, Database, MESSAGES, TABLES, USERS, body, change, router};

/// Applies the changes that were committed before this call.
fn catch_up(feed: &mut SqliteChanges, follower: &mut Follower, cache: &CacheService) {
    let committed = Instant::now();
    loop {
        let event = pollster::block_on(feed.next());
        let reaches = matches!(event, ChangeEvent::Position { as_of, .. } if as_of > committed);
        if let Some(invalidation) = follower.take(event) {
            cache.invalidate_all_of(&invalidation.selectors);
            follower.applied(invalidation, Instant::now());
        }
        if reaches {
            return;
        }
    }
}

/// One to three changes in a transaction, some of which replace rows.
fn transaction() -> impl Strategy<Value = Vec<Change>> {
    let replacing = (change(), any::<bool>());
    let change = replacing.prop_map(|(change, replaces)| Change { replaces, ..change });
    prop::collection::vec(change, 1..4)
}

/// Runs the property, and returns how many of the answers were hits.
fn check(with_triggers: bool) -> (u64, u64) {
    let database = Database::new();
    let path = database.folder.path().join(DATABASE);
    let catalogue = Arc::new(Catalogue::built_in().clone());
    if with_triggers {
        SqliteSetup::of(&path, &catalogue).unwrap().apply().unwrap();
    }
    let options = SqliteOptions::default();
    let source = Arc::new(SqliteSource::open(&path, &catalogue, &options).unwrap());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let poll = Duration::from_millis(1);
    let options = SqliteChangesOptions { poll };
    let feed = SqliteChanges::open(&path, Arc::clone(&catalogue), &options).unwrap();
    let feed = RefCell::new(feed);
    let intents: Vec<_> = catalogue.intents().iter().map(|i| i.name.clone()).collect();
    let questions = prop::collection::vec(
        (0..intents.len(), 0..USERS.len(), 0..MESSAGES.len()),
        12..30,
    );
    let transactions = prop::collection::vec(transaction(), 6..12);
    let counts = Cell::new((0u64, 0u64));
    let cases = ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        ..ProptestConfig::default()
    };
    proptest!(cases, |(questions in questions, transactions in transactions)| {
        database.restore();
        let router = router(&source, &catalogue, &detector);
        let gate = Arc::new(ChangeGate::new(Coverage::Everything));
        let longest = Duration::from_secs(3_600);
        let mut follower = Follower::new(&catalogue, Arc::clone(&gate), longest);
        let router = router.with_change_gate(gate);
        catch_up(&mut feed.borrow_mut(), &mut follower, router.cache());
        let requests: Vec<_> = questions.iter().map(|&(intent, user, message)| {
            let role = if USERS[user].starts_with("EMP") { "employer" } else { "beneficiary" };
            let mut request = Request::new(MESSAGES[message], UserContext::new(USERS[user], role));
            request.forced_intent = Some(intents[intent].clone());
            request
        }).collect();
        for request in &requests {
            body(&router, request);
        }
        for changes in &transactions {
            database.writer.execute_batch("BEGIN").unwrap();
            for change in changes {
                database.make(change);
            }
            database.writer.execute_batch("COMMIT").unwrap();
            catch_up(&mut feed.borrow_mut(), &mut follower, router.cache());
            for request in &requests {
                let (served, hit) = body(&router, request);
                let mut past = request.clone();
                past.cache_use = CacheUse::Forbidden;
                let (now, _) = body(&router, &past);
                let (hits, all) = counts.get();
                counts.set((hits + u64::from(hit), all + 1));
                let tables: Vec<_> =
                    changes.iter().map(|change| TABLES[change.table % TABLES.len()].0).collect();
                prop_assert_eq!(served, now, "{:?} after {:?} of {:?}", request, changes, tables);
            }
        }
    });
    counts.get()
}

#[test]
fn prop_single_records_reach_every_answer_that_changes() {
    let (hits, asked) = check(true);
    // It would prove nothing if all were removed each time.
    assert!(hits * 4 > asked, "{hits} hits of {asked}");
}

#[test]
fn prop_whole_tables_reach_every_answer_that_changes() {
    let (_, asked) = check(false);
    assert!(asked > 0);
}
