//! After any change of any row, invalidating the tags of the changed records
//! alone leaves no stored answer that differs from what the database says now.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod changing;

use std::sync::Arc;

use intent_router::{
    CacheUse, CanonicalJson, Catalogue, KeywordDetector, Request, Selector, UserContext,
};
use live_data::{SqliteOptions, SqliteSource};
use proptest::prelude::*;

use changing::{DATABASE, Database, MESSAGES, TABLES, USERS, body, change, router};

#[test]
fn prop_what_is_served_after_an_invalidation_is_what_the_source_says() {
    let database = Database::new();
    let source = Arc::new(
        SqliteSource::open(
            database.folder.path().join(DATABASE),
            Catalogue::built_in(),
            &SqliteOptions::default(),
        )
        .unwrap(),
    );
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let intents: Vec<_> = catalogue.intents().iter().map(|i| i.name.clone()).collect();
    let questions = prop::collection::vec(
        (0..intents.len(), 0..USERS.len(), 0..MESSAGES.len()),
        12..30,
    );
    let changes = prop::collection::vec(change(), 8..16);
    let counts = std::cell::Cell::new((0u64, 0u64));
    // A case asks some 300 questions of the database.
    let cases = ProptestConfig::with_cases(ProptestConfig::default().cases / 4);
    proptest!(cases, |(questions in questions, changes in changes)| {
        database.restore();
        let router = router(&source, &catalogue, &detector);
        let requests: Vec<_> = questions.iter().map(|&(intent, user, message)| {
            let role = if USERS[user].starts_with("EMP") { "employer" } else { "beneficiary" };
            let mut request = Request::new(MESSAGES[message], UserContext::new(USERS[user], role));
            request.forced_intent = Some(intents[intent].clone());
            request
        }).collect();
        for request in &requests {
            body(&router, request);
        }
        for change in &changes {
            let (tags, users) = database.make(change);
            let selectors: Vec<_> = tags.iter().flat_map(|tag| {
                if change.narrowed && !users.is_empty() {
                    users.iter().map(|user| Selector::TagOf {
                        record: tag.clone(),
                        user: CanonicalJson::string(user),
                    }).collect()
                } else {
                    vec![Selector::Tag(tag.clone())]
                }
            }).collect();
            router.cache().invalidate_all_of(&selectors);
            for request in &requests {
                let (served, hit) = body(&router, request);
                let mut past = request.clone();
                past.cache_use = CacheUse::Forbidden;
                let (now, _) = body(&router, &past);
                let (hits, all) = counts.get();
                counts.set((hits + u64::from(hit), all + 1));
                prop_assert_eq!(served, now, "{:?} after {:?} of {}, tags {:?} of {:?}",
                    request, change, TABLES[change.table % TABLES.len()].0, tags, users);
            }
        }
    });
    let (hits, asked) = counts.get();
    // It would prove nothing if all were removed each time.
    assert!(hits * 4 > asked, "{hits} hits of {asked}");
}
