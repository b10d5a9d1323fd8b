//! `cache-core` on its own: a store of prices in front of a slow price list.
//!
//! Each step asserts its result. No runtime, no other crate; the clock is manual.

use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cache_core::{
    Cache, Fill, Freshness, FreshnessError, Lookup, ManualClock, Op, Refusal, Reuse, TickedClock,
    TtlClass, Waited,
};

/// The cache of this program. The third type is for `.clock(…)` only.
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
    maintenance(&cache, &clock)?;
    read_and_compute(&cache, prices)?;

    let offers = cache.classes().define("offers")?;
    stale_negative_and_failed(&cache, &clock, offers)?;
    a_fallback_for_all(&cache, offers);
    cache.validate()?;
    ticked_clock()?;
    println!("cache-core alone: all held");
    Ok(())
}

/// An entry is fresh while its age is at most the TTL of its class. A changed TTL applies
/// to stored entries.
fn expiry(cache: &Prices, clock: &ManualClock, prices: TtlClass) -> Result<(), Box<dyn Error>> {
    cache.insert("tea".to_owned(), Fill::new(250).tag("shelf:4"), prices)?;
    // The default TTL is 300 s.
    clock.advance(Duration::from_secs(300));
    assert_eq!(cache.get("tea", prices), Some(250));

    let shorter = Freshness::ttl(Duration::from_secs(10));
    cache.classes().set_freshness(prices, shorter);
    assert_eq!(cache.get("tea", prices), None);
    Ok(())
}

/// The cached price, or one query for all concurrent callers.
fn price(cache: &Prices, class: TtlClass, item: &str, query: impl Fn() -> u32) -> u32 {
    let price = cache.get_or_try_fill_blocking(item, class, || {
        Ok::<_, Infallible>(Fill::new(query()).tag("shelf:4"))
    });
    price.unwrap_or_else(|error| unreachable!("no query fails: {error}"))
}

fn one_query_for_all(cache: &Prices, class: TtlClass) {
    let queries = AtomicU32::new(0);
    let query = || {
        // A slow query: it ends when another caller waits for it.
        while cache.stats().misses < 3 {
            thread::yield_now();
        }
        queries.fetch_add(1, Ordering::Relaxed);
        300
    };
    thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| price(cache, class, "tea", query)));
        for thread in both {
            assert!(matches!(thread.join(), Ok(300)));
        }
    });
    // Two misses, one query: the other thread waited.
    assert_eq!(queries.into_inner(), 1);
    assert_eq!(cache.stats().coalesced, 1);
    assert_eq!(price(cache, class, "tea", || unreachable!("a hit")), 300);
}

/// A value that was read before an invalidation is not stored after it.
fn invalidation_beats_a_fill(cache: &Prices, class: TtlClass) {
    // The price of tea changes: every entry with the tag of shelf 4 is removed.
    assert_eq!(cache.invalidate_tag("shelf:4"), 1);
    let Lookup::Miss(permit) = cache.lookup("tea".to_owned(), class, Reuse::Any) else {
        unreachable!("no entry, and no fill in flight");
    };
    // The price changes between the read and the store. There is no entry to remove, but
    // the outdated price is refused.
    assert_eq!(cache.invalidate_tag("shelf:4"), 0);
    let filled = permit.fill(Fill::new(300).tag("shelf:4"));
    assert_eq!(filled, Err(Refusal::Invalidated));
    assert_eq!(cache.get("tea", class), None);
}

/// Expired entries that nobody reads are removed in bounded steps.
fn maintenance(cache: &Prices, clock: &ManualClock) -> Result<(), Box<dyn Error>> {
    for item in ["rice", "salt", "milk"] {
        cache.insert(item.to_owned(), 100, TtlClass::DEFAULT)?;
    }
    clock.advance(Duration::from_secs(301));
    // Expired entries are not counted as live, even before they are removed.
    assert_eq!((cache.len(), cache.weight()), (0, 3));
    let turn = cache.maintain(2);
    assert_eq!((turn.removed, turn.more), (2, true));
    assert_eq!(cache.maintain(2).removed, 1);
    let stats = cache.stats();
    assert_eq!((stats.expirations, stats.refused_fills), (4, 1));
    Ok(())
}

/// Reads a value without cloning it, and changes an entry in one step.
fn read_and_compute(cache: &Prices, class: TtlClass) -> Result<(), Box<dyn Error>> {
    let five = Duration::from_secs(5);
    cache.insert("jam".to_owned(), Fill::new(400).ttl(five), class)?;
    let read = cache.read("jam", class, |price, meta| (*price, meta.ttl()));
    assert_eq!(read, Some((400, five)));
    let reduced = cache.compute_blocking("jam".to_owned(), class, |current| match current {
        Some(hit) => Op::Put(Fill::new(hit.value - 50)),
        None => Op::Keep,
    })?;
    assert_eq!(reduced, Some(350));
    Ok(())
}

/// The answer of the price list: a price, no such item, or an error.
type Answer = Result<Option<u32>, &'static str>;

/// Like `price`, for a class that uses the whole policy. `None` if there is no such item,
/// or if the price is not known.
fn offer(cache: &Prices, class: TtlClass, item: &str, answer: Answer) -> Option<u32> {
    let fetched = cache.fetch(item, class).fill_blocking(|| match answer {
        Ok(Some(price)) => Ok(Fill::new(price).tag("shelf:4")),
        // When the item is created, its shelf is invalidated.
        Ok(None) => Ok(Fill::negative(NO_PRICE).tag("shelf:4")),
        // Waiters get the error, or the stale price.
        Err(error) => Err(error),
    });
    let price = fetched.ok()?.value;
    (price != NO_PRICE).then_some(price)
}

/// The value of negative entries.
const NO_PRICE: u32 = 0;

/// Stale entries, negative entries and errors.
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
    assert_eq!(tea(Ok(Some(300))), Some(300));
    // Fresh for 54 to 60 s: jitter only shortens.
    clock.advance(Duration::from_secs(54));
    assert_eq!(tea(Err("away")), Some(300));
    // Stale: this reader refreshes the entry. If that fails, the old price is served.
    clock.advance(Duration::from_secs(36));
    assert_eq!(tea(Err("away")), Some(300));
    assert_eq!(tea(Ok(Some(320))), Some(320));
    // Past the first window: served only if the query fails.
    clock.advance(minute * 5);
    assert_eq!(tea(Err("away")), Some(320));
    assert_eq!(tea(Ok(Some(340))), Some(340));
    // Past the second window.
    clock.advance(minute * 12);
    assert_eq!(tea(Err("away")), None);

    let salt = |answer| offer(cache, class, "salt", answer);
    assert_eq!(salt(Ok(None)), None);
    // Negative for at least 9 s, unless the shelf is invalidated.
    clock.advance(Duration::from_secs(9));
    assert_eq!(salt(Ok(Some(90))), None);
    assert_eq!(cache.invalidate_tag("shelf:4"), 1);
    assert_eq!(salt(Ok(Some(90))), Some(90));
    Ok(())
}

/// A fallback for the current waiters, which is not stored.
fn a_fallback_for_all(cache: &Prices, class: TtlClass) {
    let lookup = || cache.lookup("soap".to_owned(), class, Reuse::Any);
    let (Lookup::Miss(permit), Lookup::InFlight(waiter)) = (lookup(), lookup()) else {
        unreachable!("no entry for soap");
    };
    assert_eq!(permit.fill(Fill::shared(275)), Err(Refusal::Shared));
    assert!(matches!(waiter.wait(), Waited::Value(275)));
    assert_eq!(cache.get("soap", class), None);
}

/// A clock that costs a hit almost nothing, and must be ticked.
fn ticked_clock() -> Result<(), Box<dyn Error>> {
    let clock = TickedClock::new(Duration::from_secs(1));
    let builder = Cache::<u32, u32>::builder().max_entries(100);
    let cache = builder.clock(clock).build()?;
    cache.insert(1, 10, TtlClass::DEFAULT)?;
    // Called by a timer, at least once a second.
    cache.clock().tick();
    cache.maintain(500);
    assert_eq!(cache.get(&1, TtlClass::DEFAULT), Some(10));
    Ok(())
}
