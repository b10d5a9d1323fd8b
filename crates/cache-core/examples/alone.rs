//! `cache-core` on its own: insertions and reads, one fill for concurrent callers,
//! invalidation by tag.
//!
//! ```text
//! cargo run -p cache-core --example alone
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use std::{
    convert::Infallible,
    error::Error,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use cache_core::{Cache, Fill, Freshness, TtlClass};

/// A slow query; `asked` counts the calls.
fn claims_of(member: &str, asked: &AtomicU32) -> String {
    asked.fetch_add(1, Ordering::Relaxed);
    thread::sleep(Duration::from_millis(20));
    format!("the claims of {member}")
}

/// Answers from the cache, or by one query for all concurrent callers.
fn answer(cache: &Cache<String, String>, member: &str, asked: &AtomicU32) -> String {
    // In async code: `get_or_fill(member, …, async || …).await`.
    let answer = cache.get_or_try_fill_blocking(member, TtlClass::DEFAULT, || {
        let tag = format!("member:{member}");
        Ok::<_, Infallible>(Fill::new(claims_of(member, asked)).tag(tag))
    });
    answer.unwrap_or_else(|error| unreachable!("no query fails: {error}"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let cache = Cache::<String, String>::builder()
        .max_weight(1 << 20, |key, value| (key.len() + value.len()) as u64)
        .build()?;

    // A class for values that seldom change; its TTL can be changed at any time.
    let articles = cache.classes().define("articles")?;
    let day = Freshness::ttl(Duration::from_secs(86_400));
    cache.classes().set_freshness(articles, day);
    cache.insert("opening hours".to_owned(), "9 to 5".to_owned(), articles)?;
    println!("opening hours: {:?}", cache.get("opening hours", articles));

    // Eight concurrent callers, one query.
    let asked = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| answer(&cache, "BEN-000001", &asked));
        }
    });
    println!("8 requests, {} query", asked.load(Ordering::Relaxed));

    // The member's record changed: every entry that depends on it is removed.
    let removed = cache.invalidate_tag("member:BEN-000001");
    println!("{removed} entry invalidated");
    answer(&cache, "BEN-000001", &asked);
    println!("9 requests, {} queries", asked.load(Ordering::Relaxed));

    let stats = cache.stats();
    println!(
        "{} hits, {} misses of which {} waited for another's query; {} entries",
        stats.hits, stats.misses, stats.coalesced, stats.entries
    );
    Ok(())
}
