//! What the READMEs of moka and quick_cache show, with them and with cache-core: the code
//! blocks of `docs/coming-from.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cache_core::{Cache, Cause, Fill, Freshness, ManualClock, Op, Outcome, TtlClass};

/// The class of everything here; it has a TTL of 300 s.
const CLASS: TtlClass = TtlClass::DEFAULT;

/// A query that counts how often it is made.
struct Database(AtomicU32);

impl Database {
    fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn load(&self, key: u32) -> String {
        self.0.fetch_add(1, Ordering::Relaxed);
        format!("row {key}")
    }

    fn try_load(&self, key: u32) -> std::io::Result<String> {
        Ok(self.load(key))
    }

    fn queries(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_bounded_cache_that_threads_share() {
    {
        let cache = moka::sync::Cache::new(10_000);
        thread::scope(|scope| {
            for key in 0..4 {
                let cache = cache.clone();
                scope.spawn(move || cache.insert(key, format!("value {key}")));
            }
        });
        assert_eq!(cache.get(&3), Some("value 3".to_owned()));
        cache.invalidate(&3);
        assert_eq!(cache.get(&3), None);
    }
    {
        let cache = quick_cache::sync::Cache::new(10_000);
        cache.insert("square", 4);
        assert_eq!(cache.get(&"square"), Some(4));
        assert_eq!(cache.remove(&"square"), Some(("square", 4)));
    }
    {
        let cache = Cache::<u32, String>::builder()
            .max_entries(10_000)
            .build()
            .unwrap();
        thread::scope(|scope| {
            for key in 0..4 {
                let cache = cache.clone();
                scope.spawn(move || cache.insert(key, format!("value {key}"), CLASS));
            }
        });
        assert_eq!(cache.get(&3, CLASS), Some("value 3".to_owned()));
        assert_eq!(cache.remove(&3), Some("value 3".to_owned()));
    }
}

#[test]
fn one_load_for_all_who_ask() {
    let database = Database::new();
    {
        let cache = moka::sync::Cache::new(100);
        let row = cache.get_with(7, || database.load(7));
        let row_or_error = cache.try_get_with(8, || database.try_load(8));
        assert_eq!(
            (row, row_or_error.unwrap()),
            ("row 7".to_owned(), "row 8".to_owned())
        );
    }
    {
        let cache = quick_cache::sync::Cache::new(100);
        let row = cache.get_or_insert_with(&7, || database.try_load(7));
        assert_eq!(row.unwrap(), "row 7");
    }
    {
        let cache = Cache::<u32, String>::builder()
            .max_entries(100)
            .build()
            .unwrap();
        let row = cache.get_or_try_fill_blocking(&7, CLASS, || database.try_load(7));
        assert_eq!(row.unwrap(), "row 7");

        // The same, and where the row came from.
        let fetched = cache
            .fetch(&7, CLASS)
            .fill_blocking(|| database.try_load(7));
        assert!(matches!(fetched.unwrap().outcome, Outcome::Hit { .. }));
    }
    assert_eq!(database.queries(), 4);
}

#[tokio::test]
async fn one_load_for_all_who_ask_in_async_code() {
    let database = Database::new();
    {
        let cache = moka::future::Cache::new(100);
        let row = cache.get_with(7, async { database.load(7) }).await;
        let row_or_error = cache.try_get_with(8, async { database.try_load(8) }).await;
        assert_eq!(
            (row, row_or_error.unwrap()),
            ("row 7".to_owned(), "row 8".to_owned())
        );
    }
    {
        let cache = quick_cache::sync::Cache::new(100);
        let row = cache
            .get_or_insert_async(&7, async { database.try_load(7) })
            .await;
        assert_eq!(row.unwrap(), "row 7");
    }
    {
        let cache = Cache::<u32, String>::builder()
            .max_entries(100)
            .build()
            .unwrap();
        let row = cache
            .get_or_fill(&7, CLASS, async || database.load(7))
            .await;
        let row_or_error = cache
            .get_or_try_fill(&8, CLASS, async || database.try_load(8))
            .await;
        assert_eq!(
            (row, row_or_error.unwrap()),
            ("row 7".to_owned(), "row 8".to_owned())
        );
    }
    assert_eq!(database.queries(), 5);
}

#[test]
fn a_bound_in_bytes() {
    {
        let cache = moka::sync::Cache::builder()
            .max_capacity(32 << 20)
            .weigher(|_key, value: &String| value.len() as u32)
            .build();
        cache.insert(0, "zero".to_owned());
        cache.run_pending_tasks();
        assert_eq!(cache.weighted_size(), 4);
    }
    {
        let cache = Cache::<u32, String>::builder()
            .max_weight(32 << 20, |_key, value| value.len() as u64)
            .build()
            .unwrap();
        cache.insert(0, "zero".to_owned(), CLASS).unwrap();
        assert_eq!(cache.weight(), 4);
    }
}

#[test]
fn expiry() {
    {
        let cache = moka::sync::Cache::builder()
            .max_capacity(100)
            .time_to_live(Duration::from_secs(30 * 60))
            .time_to_idle(Duration::from_secs(5 * 60))
            .build();
        cache.insert(0, "zero");
        assert_eq!(cache.get(&0), Some("zero"));
    }
    {
        let clock = ManualClock::new(); // for this test: nothing sleeps
        let cache = Cache::<u32, &str>::builder()
            .max_entries(100)
            .clock(clock.clone())
            .build()
            .unwrap();
        let policy = Freshness::ttl(Duration::from_secs(30 * 60))
            .with_time_to_idle(Duration::from_secs(5 * 60));
        cache.classes().set_freshness(CLASS, policy); // at any time, for stored entries too
        cache.insert(0, "zero", CLASS).unwrap();
        clock.advance(Duration::from_secs(5 * 60));
        assert_eq!(cache.get(&0, CLASS), Some("zero"));
        clock.advance(Duration::from_secs(5 * 60 + 1));
        assert_eq!(cache.get(&0, CLASS), None);
    }
}

/// A value that says how long it lives, as moka's `Expiry` reads it.
#[derive(Clone, Debug, PartialEq)]
struct Quote {
    price: u32,
    lives: Duration,
}

struct ByQuote;

impl moka::Expiry<u32, Quote> for ByQuote {
    fn expire_after_create(&self, _: &u32, quote: &Quote, _: Instant) -> Option<Duration> {
        Some(quote.lives)
    }
}

#[test]
fn a_ttl_for_one_entry() {
    let quote = Quote {
        price: 3,
        lives: Duration::from_secs(5),
    };
    {
        let cache = moka::sync::Cache::builder()
            .max_capacity(100)
            .expire_after(ByQuote) // which implements `Expiry`
            .build();
        cache.insert(1, quote.clone());
        assert_eq!(cache.get(&1).map(|quote| quote.price), Some(3));
    }
    {
        let cache = Cache::<u32, Quote>::builder()
            .max_entries(100)
            .build()
            .unwrap();
        let lives = quote.lives;
        cache.insert(1, Fill::new(quote).ttl(lives), CLASS).unwrap();
        assert_eq!(cache.get(&1, CLASS).map(|quote| quote.price), Some(3));
    }
}

#[test]
fn who_hears_of_an_eviction() {
    {
        let cache = moka::sync::Cache::builder()
            .max_capacity(100)
            .eviction_listener(|key, value, cause| println!("{key} {value} {cause:?}"))
            .build();
        cache.insert(1, "one");
        cache.invalidate(&1);
    }
    {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        let cache = Cache::<u32, &str>::builder()
            .max_entries(100)
            .listener(move |key, value, cause| log.lock().unwrap().push((*key, *value, cause)))
            .build()
            .unwrap();
        cache.insert(1, "one", CLASS).unwrap();
        cache.invalidate(&1);
        assert_eq!(*heard.lock().unwrap(), [(1, "one", Cause::Invalidated)]);
    }
}

#[test]
fn read_change_and_write_in_one_step() {
    {
        use moka::ops::compute::Op;
        let cache = moka::sync::Cache::new(100);
        for _ in 0..3 {
            cache
                .entry("asked")
                .and_compute_with(|entry| Op::Put(entry.map_or(0, |entry| entry.into_value()) + 1));
        }
        assert_eq!(cache.get("asked"), Some(3));
    }
    {
        let cache = Cache::<&str, u32>::builder()
            .max_entries(100)
            .build()
            .unwrap();
        for _ in 0..3 {
            let counted = cache.compute_blocking("asked", CLASS, |entry| {
                Op::Put((entry.map_or(0, |hit| hit.value) + 1).into())
            });
            counted.unwrap();
        }
        assert_eq!(cache.get("asked", CLASS), Some(3));
    }
}

#[test]
fn a_value_that_is_not_cloned() {
    {
        let cache = moka::sync::Cache::new(100);
        cache.insert(1, Arc::new("a long text".to_owned()));
        assert_eq!(cache.get(&1).map(|text| text.len()), Some(11)); // a clone of the Arc
    }
    {
        let cache = Cache::<u32, String>::builder()
            .max_entries(100)
            .build()
            .unwrap();
        cache.insert(1, "a long text".to_owned(), CLASS).unwrap();
        assert_eq!(cache.read(&1, CLASS, |text, _| text.len()), Some(11));
    }
}

#[test]
fn looking_without_counting_and_another_bound() {
    {
        let cache = quick_cache::sync::Cache::new(100);
        cache.insert(1, "one");
        assert_eq!(cache.peek(&1), Some("one"));
        cache.set_capacity(10);
    }
    {
        let cache = Cache::<u32, &str>::builder()
            .max_entries(100)
            .build()
            .unwrap();
        cache.insert(1, "one", CLASS).unwrap();
        assert_eq!(cache.peek(&1).map(|hit| hit.value), Some("one"));
        assert_eq!(cache.iter().collect::<Vec<_>>(), [(1, "one")]);
        cache.set_capacity(10).unwrap();
    }
}

/// The page shows what is tested here.
#[test]
fn the_page_quotes_this_file() {
    let lines = |text: &str| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    };
    let page = include_str!("../../../docs/coming-from.md");
    let source = lines(include_str!("coming_from.rs"));
    let blocks: Vec<_> = page.split("```rust\n").skip(1).collect();
    assert!(blocks.len() > 15);
    for block in blocks {
        let (code, _) = block.split_once("```").unwrap();
        assert!(source.contains(&lines(code)), "not tested:\n{code}");
    }
}
