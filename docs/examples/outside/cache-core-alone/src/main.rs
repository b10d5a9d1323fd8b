//! `cache-core` on its own: a store of prices in front of a slow price list.
//!
//! Each step asserts what it says, so a run that ends without a panic proves
//! this page. No runtime, no other crate: time is moved by hand.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cache_core::{Cache, Filled, Freshness, Lookup, ManualClock, Refusal, Reuse, TtlClass, Waited};

/// The cache of this program. Without `.clock(…)` the third type is left out.
type Prices = Cache<String, u32, ManualClock>;

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new();
    let cache: Prices = Cache::builder()
        .max_entries(10_000)
        .clock(clock.clone())
        .build()?;
    let prices = cache.classes().define("prices")?;

    expiry(&cache, &clock, prices);
    one_query_for_all(&cache, prices);
    invalidation_beats_a_fill(&cache, prices);
    upkeep(&cache, &clock);
    println!("cache-core alone: all held");
    Ok(())
}

/// An entry is valid while its age is at most the TTL of its class, and a
/// changed TTL holds for what is already stored.
fn expiry(cache: &Prices, clock: &ManualClock, prices: TtlClass) {
    cache.insert("tea".to_owned(), 250, prices, &["shelf:4"]);
    // A class that nobody configured has 300 s.
    clock.advance(Duration::from_secs(300));
    assert_eq!(cache.get("tea", prices), Some(250));

    let freshness = Freshness::ttl(Duration::from_secs(10));
    cache.classes().set_freshness(prices, freshness);
    assert_eq!(cache.get("tea", prices), None);
}

/// Answers from the cache, or by one query for all who ask at the same time.
fn price(cache: &Prices, class: TtlClass, item: &str, query: impl Fn() -> u32) -> u32 {
    let permit = match cache.lookup(item.to_owned(), class, Reuse::Any) {
        Lookup::Hit(hit) => return hit.value,
        Lookup::Miss(permit) => permit,
        // In async code: `waiter.await`.
        Lookup::InFlight(waiter) => match waiter.wait() {
            Waited::Value(price) => return price,
            // Whoever had the permit gave it up: it is our turn.
            Waited::Permit(permit) => permit,
            _ => unreachable!("nobody calls fail or fill_negative"),
        },
        _ => unreachable!("the class has no windows and keeps no negative entries"),
    };
    // The permit first, the query second. A panic in between drops the permit,
    // which goes over to one of those who wait.
    let price = query();
    // Whether it was stored or not: it is the answer to this request.
    let _ = permit.fill(price, &["shelf:4"]);
    price
}

fn one_query_for_all(cache: &Prices, class: TtlClass) {
    let queries = AtomicU32::new(0);
    let query = || {
        // The slowest query there is: it ends when somebody waits for it.
        while cache.stats().misses < 3 {
            thread::yield_now();
        }
        queries.fetch_add(1, Ordering::Relaxed);
        300
    };
    let before = cache.stats();
    assert_eq!(before.misses, 1, "the expired tea");
    thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| price(cache, class, "tea", query)));
        for asker in both {
            assert!(matches!(asker.join(), Ok(300)));
        }
    });
    // Two misses, one query: the other thread waited for it.
    assert_eq!(queries.into_inner(), 1);
    assert_eq!(cache.stats().coalesced, 1);
    assert_eq!(price(cache, class, "tea", || unreachable!("a hit")), 300);
}

/// What was read before an invalidation is not stored after it.
fn invalidation_beats_a_fill(cache: &Prices, class: TtlClass) {
    // The price of tea changes: everything that was read off shelf 4 leaves.
    assert_eq!(cache.invalidate_tag("shelf:4"), 1);

    let Lookup::Miss(permit) = cache.lookup("tea".to_owned(), class, Reuse::Any) else {
        unreachable!("the entry is gone, and nobody fills it");
    };
    let read = 300;
    // It changes again, between the reading and the storing. Nothing is there
    // to be removed, and yet the outdated price has no way in.
    assert_eq!(cache.invalidate_tag("shelf:4"), 0);
    let filled = permit.fill(read, &["shelf:4"]);
    assert_eq!(filled, Filled::Refused(Refusal::Invalidated));
    assert_eq!(cache.get("tea", class), None);
}

/// Expired entries that nobody reads are removed a bounded number at a time.
fn upkeep(cache: &Prices, clock: &ManualClock) {
    for item in ["rice", "salt", "milk"] {
        cache.insert(item.to_owned(), 100, TtlClass::KNOWLEDGE_BASE, &[]);
    }
    clock.advance(Duration::from_secs(3_601));
    // Not removed yet, but no longer counted: they are not live.
    assert_eq!((cache.len(), cache.weight()), (0, 3));
    let turn = cache.maintain(2);
    assert_eq!((turn.removed, turn.more), (2, true));
    assert_eq!(cache.maintain(2).removed, 1);

    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses, stats.total_requests());
    assert_eq!((stats.expirations, stats.refused_fills), (4, 1));
}
