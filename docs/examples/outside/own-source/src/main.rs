//! `intent-router` with a business of its own: a town library, whose questions
//! are the file `library.toml` and whose records are a map in memory.
//!
//! Each step asserts what it says, so a run that ends without a panic proves
//! this page.

mod library;

use std::error::Error;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{
    CacheOutcome, CacheService, Catalogue, Freshness, KeywordDetector, ManualClock, Request,
    Routed, Router, Selector, Source, UserContext,
};
// Under tokio, or any other runtime, write `router.route(&request).await`.
use pollster::block_on;

use crate::library::Library;

fn main() -> Result<(), Box<dyn Error>> {
    let catalogue = Arc::new(Catalogue::parse(include_str!("library.toml"))?);
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let library = Arc::new(Library::default());
    let cache = Arc::new(CacheService::builder().build()?);
    let router = Router::new(catalogue, detector, library.clone(), cache.clone())?;
    let ask = |user: &str, message: &str| {
        let user = UserContext::new(user, "reader");
        block_on(router.route(&Request::new(message, user)))
    };

    // The first to ask causes two calls: who is it, and which loans are hers.
    let first = ask("ada", "Which books have I borrowed?")?;
    assert_eq!(first.answer.intent(), "loans");
    assert_eq!(first.answer.source(), Source::LiveData);
    assert_eq!(first.answer.response()?.data["loans"][0]["title"], "Emma");
    assert!(matches!(
        first.cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
    assert_eq!(library.calls(), 2);

    // The same question in other words: with `key = "slots"` it has one entry,
    // and the answer is the same, byte for byte.
    let again = ask("ada", "when are my loans due back")?;
    assert!(is_hit(&again));
    assert_eq!(again.answer.json(), first.answer.json());
    assert_eq!(library.calls(), 2);

    // Another user has another entry, and so has the same user in another role.
    let other = ask("bob", "Which books have I borrowed?")?;
    assert!(!is_hit(&other));
    assert_eq!(
        other.answer.response()?.data["loans"][0]["title"],
        "Ulysses"
    );
    let staff = UserContext::new("ada", "librarian");
    assert!(!is_hit(&block_on(
        router.route(&Request::new("my loans", staff))
    )?));

    // Who is unknown gets an honest fallback, which is not stored.
    let stranger = ask("eve", "my loans")?;
    assert_eq!(stranger.answer.source(), Source::Fallback);
    assert_eq!(stranger.answer.response()?.data["reason"], "no_such_member");

    // A record changes: first the record, then the cache. What was made of it
    // leaves, and what was made of its reader's loans, which it is one of.
    library.renew("LN-0001", "2025-05-01");
    let changed = Selector::TagOf {
        record: "loan:LN-0001".to_owned(),
        user: CanonicalJson::string("ada"),
    };
    // (Two: hers as a reader, and as a librarian.)
    assert_eq!(cache.invalidate(&changed), 2);
    let renewed = ask("ada", "my loans")?;
    assert_eq!(
        renewed.answer.response()?.data["loans"][0]["due"],
        "2025-05-01"
    );
    assert!(is_hit(&ask("bob", "my loans")?));

    // Where it is not known whose record it is, everybody's loans leave.
    let anyones = Selector::Tag("loan:LN-0002".to_owned());
    assert_eq!(cache.invalidate(&anyones), 2);
    assert!(!is_hit(&ask("bob", "my loans")?));
    assert!(!is_hit(&ask("ada", "my loans")?));

    // Everything stored of a user leaves, her membership included.
    let ada = Selector::User(CanonicalJson::string("ada"));
    assert_eq!(cache.invalidate(&ada), 1);

    // What is not about anybody is stored once, for everybody.
    assert!(!is_hit(&ask("ada", "What are your opening hours?")?));
    let guest = Request::new("What are your opening hours?", UserContext::guest());
    assert!(is_hit(&block_on(router.route(&guest))?));

    // Off, every request goes to the source; on again, what was stored and has
    // not expired is there.
    cache.set_enabled(false);
    let before = library.calls();
    assert!(!is_hit(&ask("bob", "my loans")?));
    assert_eq!(library.calls(), before + 2);
    cache.set_enabled(true);
    assert!(is_hit(&ask("bob", "my loans")?));

    // Another catalogue: another router over the same cache. What is defined as
    // before keeps its answers.
    let text = include_str!("library.toml").replace("opening hours", "open today");
    let catalogue = Catalogue::parse(&text)?;
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let next = router.renewed(Arc::new(catalogue), detector, library.clone())?;
    let bobs = Request::new("my loans", UserContext::new("bob", "reader"));
    assert!(is_hit(&block_on(next.route(&bobs))?));

    println!("own source: all held, {}% hits", cache.stats().hit_rate());
    stale_answers()
}

/// A class may let answers be served past their TTL, while a newer one is
/// fetched in the background.
fn stale_answers() -> Result<(), Box<dyn Error>> {
    let catalogue = Arc::new(Catalogue::parse(include_str!("library.toml"))?);
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let library = Arc::new(Library::default());
    let clock = ManualClock::new();
    let service = CacheService::builder().clock(Arc::new(clock.clone()));
    let cache = Arc::new(service.build()?);
    let router = Router::new(catalogue, detector, library.clone(), cache.clone())?;

    let freshness = Freshness::ttl(Duration::from_secs(300))
        .with_stale_while_revalidate(Duration::from_secs(30))
        .with_stale_if_error(Duration::from_secs(3_600))
        .with_negative_ttl(Duration::from_secs(10));
    cache
        .classes()
        .set_freshness(intent_router::classes::LIVE_DATA, freshness);

    // The router starts no task: it gives the fetching to whatever runs tasks
    // here. With tokio that is `tokio::spawn`; this channel lets us choose when.
    let (begun, due) = mpsc::channel();
    let router = router.with_spawn(Arc::new(move |refresh| {
        // Were nobody there to take it, the next who asks would have the right.
        let _ = begun.send(refresh);
    }));

    let request = Request::new("my loans", UserContext::new("ada", "reader"));
    let first = block_on(router.route(&request))?;
    library.renew("LN-0001", "2025-05-01");
    clock.advance(Duration::from_secs(310));
    for _ in 0..3 {
        let stale = block_on(router.route(&request))?;
        assert!(matches!(stale.cache, CacheOutcome::Stale { .. }));
        assert_eq!(stale.answer.json(), first.answer.json());
    }
    // Three were served at once; one refresh is due.
    let refreshed = block_on(due.recv()?);
    assert!(refreshed.stored && due.try_recv().is_err());
    let renewed = block_on(router.route(&request))?;
    assert!(is_hit(&renewed));
    assert_eq!(
        renewed.answer.response()?.data["loans"][0]["due"],
        "2025-05-01"
    );
    Ok(())
}

fn is_hit(routed: &Routed) -> bool {
    matches!(routed.cache, CacheOutcome::Hit { .. })
}
