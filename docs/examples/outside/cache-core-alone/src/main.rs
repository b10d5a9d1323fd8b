//! `cache-core` on its own: a store of prices in front of a slow price list.
//!
//! Each step asserts what it says, so a run that ends without a panic proves
//! this page. No runtime, no other crate: time is moved by hand.

use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cache_core::{
    Cache, Fill, Freshness, FreshnessError, Lookup, ManualClock, Refusal, Reuse, TickedClock,
    TtlClass, Waited,
};

/// The cache of this program. Without `.clock(…)` the third type is left out.
type Prices = Cache<String, u32, ManualClock>;

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new();
    let cache: Prices = Cache::builder()
        .max_entries(10_000)
        .clock(clock.clone())
        .build()?;
    let prices = cache.classes().define("prices")?;

    expiry(&cache, &clock, prices)?;
    one_query_for_all(&cache, prices);
    invalidation_beats_a_fill(&cache, prices);
    upkeep(&cache, &clock)?;

    let offers = cache.classes().define("offers")?;
    stale_negative_and_failed(&cache, &clock, offers)?;
    a_fallback_for_all(&cache, offers);
    cache.validate()?;
    a_clock_that_is_ticked()?;
    println!("cache-core alone: all held");
    Ok(())
}

/// An entry is valid while its age is at most the TTL of its class, and a
/// changed TTL holds for what is already stored.
fn expiry(cache: &Prices, clock: &ManualClock, prices: TtlClass) -> Result<(), Box<dyn Error>> {
    cache.insert("tea".to_owned(), Fill::new(250).tag("shelf:4"), prices)?;
    // A class that nobody configured has 300 s.
    clock.advance(Duration::from_secs(300));
    assert_eq!(cache.get("tea", prices), Some(250));

    let freshness = Freshness::ttl(Duration::from_secs(10));
    cache.classes().set_freshness(prices, freshness);
    assert_eq!(cache.get("tea", prices), None);
    Ok(())
}

/// Answers from the cache, or by one query for all who ask at the same time.
fn price(cache: &Prices, class: TtlClass, item: &str, query: impl Fn() -> u32) -> u32 {
    // In async code: `get_or_try_fill(item, class, async || …).await`.
    let price = cache.get_or_try_fill_blocking(item, class, || {
        Ok::<_, Infallible>(Fill::new(query()).tag("shelf:4"))
    });
    price.unwrap_or_else(|error| unreachable!("no query fails: {error}"))
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
    let filled = permit.fill(Fill::new(read).tag("shelf:4"));
    assert_eq!(filled, Err(Refusal::Invalidated));
    assert_eq!(cache.get("tea", class), None);
}

/// Expired entries that nobody reads are removed a bounded number at a time.
fn upkeep(cache: &Prices, clock: &ManualClock) -> Result<(), Box<dyn Error>> {
    for item in ["rice", "salt", "milk"] {
        cache.insert(item.to_owned(), 100, TtlClass::DEFAULT)?;
    }
    clock.advance(Duration::from_secs(301));
    // Not removed yet, but no longer counted: they are not live.
    assert_eq!((cache.len(), cache.weight()), (0, 3));
    let turn = cache.maintain(2);
    assert_eq!((turn.removed, turn.more), (2, true));
    assert_eq!(cache.maintain(2).removed, 1);

    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses, stats.total_requests());
    assert_eq!((stats.expirations, stats.refused_fills), (4, 1));
    Ok(())
}

/// The price list knows the item, or that there is none, or is away.
#[derive(Clone, Copy)]
enum Answer {
    Price(u32),
    NoSuchItem,
    Away,
}

/// As `price`, for a class that uses the whole policy. `None`: there is no such
/// item, or nobody knows.
fn offer(cache: &Prices, class: TtlClass, item: &str, answer: Answer) -> Option<u32> {
    let fetched = cache.fetch(item, class).fill_blocking(|| match answer {
        Answer::Price(price) => Ok(Fill::new(price).tag("shelf:4")),
        // When there is one, the shelf is invalidated.
        Answer::NoSuchItem => Ok(Fill::negative(NO_PRICE).tag("shelf:4")),
        // Those who wait get the error, or what may stand in for the price.
        Answer::Away => Err("the list is away"),
    });
    let price = fetched.ok()?.value;
    (price != NO_PRICE).then_some(price)
}

/// What is stored of an item that does not exist.
const NO_PRICE: u32 = 0;

/// What may be served that is not fresh, and what is cached that is not there.
fn stale_negative_and_failed(
    cache: &Prices,
    clock: &ManualClock,
    class: TtlClass,
) -> Result<(), FreshnessError> {
    let minute = Duration::from_secs(60);
    let policy = Freshness::ttl(minute)
        .with_stale_while_revalidate(minute)
        .with_stale_if_error(minute * 10)
        .with_negative_ttl(minute / 6)
        .with_jitter(0.1)?
        .with_early_refresh(1.0)?;
    cache.classes().set_freshness(class, policy);

    let tea = |answer| offer(cache, class, "tea", answer);
    assert_eq!(tea(Answer::Price(300)), Some(300));
    // Fresh for 54 s at least, 60 s at most: jitter only ever shortens.
    clock.advance(Duration::from_secs(54));
    assert_eq!(tea(Answer::Away), Some(300));
    // Stale: others are served the old price while this reader asks for the new one.
    clock.advance(Duration::from_secs(36));
    assert_eq!(tea(Answer::Away), Some(300));
    assert_eq!(tea(Answer::Price(320)), Some(320));
    // Too old to be served, unless the query fails.
    clock.advance(minute * 5);
    assert_eq!(tea(Answer::Away), Some(320));
    assert_eq!(tea(Answer::Price(340)), Some(340));
    // Too old for that, too.
    clock.advance(minute * 12);
    assert_eq!(tea(Answer::Away), None);

    let salt = |answer| offer(cache, class, "salt", answer);
    assert_eq!(salt(Answer::NoSuchItem), None);
    // Nobody asks again for 9 s at least, unless the shelf changes.
    clock.advance(Duration::from_secs(9));
    assert_eq!(salt(Answer::Price(90)), None);
    assert_eq!(cache.invalidate_tag("shelf:4"), 1);
    assert_eq!(salt(Answer::Price(90)), Some(90));

    // A policy may change at any time, for what is stored as well.
    cache.classes().set_freshness(class, Freshness::ttl(minute));
    clock.advance(Duration::from_secs(61));
    assert_eq!(salt(Answer::Away), None);
    Ok(())
}

/// All who asked at the same time may share a fallback, but nobody later.
fn a_fallback_for_all(cache: &Prices, class: TtlClass) {
    let lookup = || cache.lookup("soap".to_owned(), class, Reuse::Any);
    let (Lookup::Miss(permit), Lookup::InFlight(waiter)) = (lookup(), lookup()) else {
        unreachable!("there is no soap yet");
    };
    let shared = permit.fill(Fill::shared(275));
    assert_eq!(shared, Err(Refusal::Shared));
    assert!(matches!(waiter.wait(), Waited::Value(275)));
    assert_eq!(cache.get("soap", class), None);
}

/// A clock that costs a hit next to nothing, if its owner ticks it.
fn a_clock_that_is_ticked() -> Result<(), Box<dyn Error>> {
    let clock = TickedClock::new(Duration::from_secs(1));
    let cache: Cache<u32, u32, TickedClock> =
        Cache::builder().max_entries(100).clock(clock).build()?;
    cache.insert(1, 10, TtlClass::DEFAULT)?;
    // A timer does this, at least once a second.
    cache.clock().tick();
    cache.maintain(500);
    assert_eq!(cache.get(&1, TtlClass::DEFAULT), Some(10));
    Ok(())
}
