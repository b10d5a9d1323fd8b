//! `fetch` and the get-or-fill methods: every outcome of a look-up.

use std::{
    cell::Cell,
    future::{Future, pending, ready},
    io,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use cache_core::{
    Cache, Fetched, Fill, FillError, Freshness, ManualClock, Outcome, Permit, Refresh, Refusal,
    Reuse,
};

use crate::support::{CLASS, KEY, Store, assert_idle, store};

const MINUTE: Duration = Duration::from_secs(60);

fn poll<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that is ready at once.
fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Fetches the key with a fill that returns this.
fn fetch(store: &Store, made: Result<Fill<u32>, &str>) -> Result<Fetched<u32>, FillError> {
    let made = made.map_err(str::to_owned);
    now(store.fetch(&KEY, CLASS).fill(async || made))
}

fn never() -> Result<Fill<u32>, io::Error> {
    panic!("what is stored was to be served")
}

/// A store with a TTL of a minute, and windows that end one and two minutes later.
fn with_windows() -> (Store, ManualClock) {
    let (cache, clock) = store();
    let policy = Freshness::ttl(MINUTE)
        .with_stale_while_revalidate(MINUTE)
        .with_stale_if_error(2 * MINUTE)
        .with_negative_ttl(MINUTE / 2);
    cache.classes().set_freshness(CLASS, policy);
    (cache, clock)
}

#[test]
fn each_outcome_is_told() {
    let (cache, clock) = with_windows();
    let filled = fetch(&cache, Ok(Fill::new(1).tag("record"))).unwrap();
    assert_eq!((filled.value, filled.outcome), (1, Outcome::Filled(Ok(()))));
    let seconds = Duration::from_secs;
    clock.advance(seconds(10));
    let hit = cache.fetch(&KEY, CLASS).fill_blocking(never).unwrap();
    let (age, ttl) = (seconds(10), MINUTE);
    assert_eq!((hit.value, hit.outcome), (1, Outcome::Hit { age, ttl }));
    // A stricter reader fills, and one that accepts nothing always does.
    for (value, reuse) in [(2, Reuse::MaxAge(seconds(9))), (3, Reuse::Nothing)] {
        let fetch = cache.fetch(&KEY, CLASS).reuse(reuse);
        let filled = fetch.fill_blocking(|| Ok::<_, io::Error>(Fill::new(value)));
        assert_eq!(filled.unwrap().value, value);
    }
    assert_eq!(cache.invalidate_tag("record"), 0);
    // The caller refreshes the stale entry; if the fill fails, the entry is served.
    clock.advance(MINUTE + seconds(1));
    let (age, ttl) = (MINUTE + seconds(1), MINUTE);
    let stale = fetch(&cache, Err("away")).unwrap();
    assert_eq!(
        (stale.value, stale.outcome),
        (3, Outcome::StoodIn { age, ttl })
    );
    let filled = fetch(&cache, Ok(Fill::negative(0).tags(["a", "b"]))).unwrap();
    assert_eq!(filled.outcome, Outcome::Filled(Ok(())));
    let (age, ttl) = (Duration::ZERO, MINUTE / 2);
    let negative = cache.fetch(&KEY, CLASS).fill_blocking(never).unwrap();
    assert_eq!(
        (negative.value, negative.outcome),
        (0, Outcome::Negative { age, ttl })
    );
    assert_eq!(cache.invalidate_tag("b"), 1);
    let shared = fetch(&cache, Ok(Fill::shared(5))).unwrap();
    assert_eq!(
        (shared.value, shared.outcome),
        (5, Outcome::Filled(Err(Refusal::Shared)))
    );
    // Nothing is stored, so the error is returned.
    let error = fetch(&cache, Err("away")).unwrap_err();
    assert_eq!(error.to_string(), "away");
    assert_idle(&cache, KEY);
}

/// Readers of a stale entry are served while one of them refreshes it.
#[test]
fn a_stale_entry_is_served_while_one_fills() {
    let (cache, clock) = with_windows();
    cache.insert(KEY, 1, CLASS).unwrap();
    clock.advance(MINUTE * 3 / 2);
    let mut filler = pin!(cache.get_or_try_fill(&KEY, CLASS, async || {
        pending::<()>().await;
        Ok::<_, io::Error>(Fill::new(2))
    }));
    assert!(poll(filler.as_mut()).is_pending());
    let served = cache.fetch(&KEY, CLASS).fill_blocking(never).unwrap();
    let (age, ttl) = (MINUTE * 3 / 2, MINUTE);
    assert_eq!(
        (served.value, served.outcome),
        (1, Outcome::Stale { age, ttl })
    );
}

/// The spawner gets the refresh of a due entry, and the caller does not wait.
#[test]
fn a_due_entry_is_refreshed_by_the_spawner() {
    let clock = ManualClock::new();
    let spawned: Arc<Mutex<Vec<Refresh>>> = Arc::default();
    let sink = Arc::clone(&spawned);
    let cache = Cache::<u32, u32>::builder()
        .max_entries(100)
        .clock(clock.clone())
        .spawner(move |refresh| sink.lock().unwrap().push(refresh))
        .build()
        .unwrap();
    let policy = Freshness::ttl(MINUTE).with_stale_while_revalidate(MINUTE);
    cache.classes().set_freshness(CLASS, policy);
    let fill = |value| move || ready(Ok::<_, io::Error>(Fill::new(value)));
    // No entry can be served: the caller fills.
    let first = now(cache.fetch(&KEY, CLASS).fill_or_spawn(fill(1))).unwrap();
    assert_eq!(first.outcome, Outcome::Filled(Ok(())));
    clock.advance(MINUTE * 3 / 2);
    for value in [2, 3] {
        let stale = now(cache.fetch(&KEY, CLASS).fill_or_spawn(fill(value))).unwrap();
        assert!(matches!(
            stale,
            Fetched {
                value: 1,
                outcome: Outcome::Stale { .. },
                ..
            }
        ));
    }
    let refreshes = std::mem::take(&mut *spawned.lock().unwrap());
    assert_eq!(refreshes.len(), 1);
    for refresh in refreshes {
        now(refresh);
    }
    assert_eq!(cache.get(&KEY, CLASS), Some(2));
    assert_idle(&cache, KEY);
}

/// A reader within the window is served even if its own refresh fails; one after the window
/// is not.
#[test]
fn a_refresh_that_fails_leaves_what_could_be_served() {
    let (cache, clock) = store::<u32, u32>();
    let policy = Freshness::ttl(MINUTE).with_stale_while_revalidate(MINUTE);
    cache.classes().set_freshness(CLASS, policy);
    cache.insert(KEY, 1, CLASS).unwrap();
    clock.advance(MINUTE * 3 / 2);
    let served = fetch(&cache, Err("away")).unwrap();
    assert_eq!(served.value, 1);
    assert!(matches!(served.outcome, Outcome::StoodIn { .. }));
    // An entry that is invalidated in the meantime is not served.
    let failed = cache.fetch(&KEY, CLASS).fill_blocking(|| {
        cache.invalidate(&KEY);
        Err::<Fill<u32>, _>("away")
    });
    assert!(failed.is_err());
    assert_idle(&cache, KEY);
}

/// Without a spawner the caller with the permit fills before it returns.
#[test]
fn without_a_spawner_the_caller_fills() {
    let (cache, clock) = with_windows();
    cache.insert(KEY, 1, CLASS).unwrap();
    clock.advance(MINUTE * 3 / 2);
    let fetch = cache.fetch(&KEY, CLASS);
    let filled = now(fetch.fill_or_spawn(|| ready(Ok::<_, io::Error>(Fill::new(2)))));
    assert_eq!(filled.unwrap().value, 2);
}

/// A refresher may keep the permit, or return it.
#[test]
fn a_refresher_may_take_the_permit() {
    let (cache, clock) = with_windows();
    cache.insert(KEY, 1, CLASS).unwrap();
    clock.advance(MINUTE * 3 / 2);
    let taken = Mutex::new(None);
    let take = |permit: Permit<u32, u32>| taken.lock().unwrap().replace(permit);
    let stale = cache
        .fetch(&KEY, CLASS)
        .refresher(&take)
        .fill_blocking(never);
    assert_eq!(stale.unwrap().value, 1);
    let permit = taken.lock().unwrap().take().unwrap();
    assert!(
        permit
            .finish(Err::<Fill<u32>, _>("away"))
            .is_ok_and(|hit| hit.value == 1)
    );
    let fetch = cache.fetch(&KEY, CLASS).refresher(&Some);
    let filled = fetch.fill_blocking(|| Ok::<_, io::Error>(Fill::new(2)));
    assert_eq!(filled.unwrap().value, 2);
    assert_idle(&cache, KEY);
}

/// If a fill is cancelled, a waiter continues with its own.
#[test]
fn those_who_wait_share_one_fill_or_take_over() {
    let (cache, _) = store::<u32, u32>();
    let calls = Cell::new(0);
    let wanted = |value: u32, waits: bool| {
        let (cache, calls) = (&cache, &calls);
        Box::pin(async move {
            let fill = cache.fetch(&KEY, CLASS).fill(async || {
                calls.set(calls.get() + 1);
                if waits {
                    pending::<()>().await;
                }
                Ok::<_, io::Error>(Fill::new(value))
            });
            fill.await.unwrap()
        })
    };
    let mut first = wanted(1, true);
    let mut others: Vec<_> = (2..5).map(|value| wanted(value, false)).collect();
    assert!(poll(first.as_mut()).is_pending());
    for other in &mut others {
        assert!(poll(other.as_mut()).is_pending());
    }
    assert_eq!(calls.get(), 1);
    drop(first);
    let outcomes: Vec<_> = others.into_iter().map(now).collect();
    assert_eq!(calls.get(), 2);
    assert_eq!(outcomes[0].outcome, Outcome::Filled(Ok(())));
    for waited in &outcomes[1..] {
        assert_eq!((waited.value, waited.outcome), (2, Outcome::Waited));
    }
    assert_idle(&cache, KEY);
}

/// All waiters get the error of the fill; one whose own fill cannot fail looks up again.
#[test]
fn a_failure_is_shared_but_not_by_who_cannot_fail() {
    let (cache, _) = store::<u32, u32>();
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let failing = cache.fetch(&KEY, CLASS).fill(async || {
        std::future::poll_fn(|_| match receive.try_recv() {
            Ok(()) => Poll::Ready(()),
            Err(_) => Poll::Pending,
        })
        .await;
        Err::<Fill<u32>, _>(io::Error::other("away"))
    });
    let mut failing = pin!(failing);
    assert!(poll(failing.as_mut()).is_pending());
    let mut waiting = pin!(cache.get_or_try_fill(&KEY, CLASS, async || never()));
    assert!(poll(waiting.as_mut()).is_pending());
    let mut sure = pin!(cache.get_or_fill(&KEY, CLASS, async || 9));
    assert!(poll(sure.as_mut()).is_pending());
    send.send(()).unwrap();
    let own = now(failing).unwrap_err();
    assert!(own.downcast_ref::<io::Error>().is_some());
    let waited = now(waiting).unwrap_err();
    assert!(Arc::ptr_eq(&own, &waited));
    assert_eq!(now(sure), 9);
    assert_eq!(cache.get(&KEY, CLASS), Some(9));
    assert_idle(&cache, KEY);
}

/// A value that is invalidated during its fill is returned but not stored.
#[test]
fn an_invalidated_fill_is_told() {
    let (cache, _) = store::<u32, u32>();
    let filled = cache.fetch(&KEY, CLASS).fill_blocking(|| {
        cache.invalidate_tag("record");
        Ok::<_, io::Error>(Fill::new(1).tag("record"))
    });
    let refused = Outcome::Filled(Err(Refusal::Invalidated));
    assert_eq!(filled.unwrap().outcome, refused);
    assert_eq!(cache.get(&KEY, CLASS), None);
}

/// A borrowed key that counts how often it is made owned.
#[derive(PartialEq, Eq, Hash)]
struct Part(u8);

thread_local! {
    static CLONES: Cell<u32> = const { Cell::new(0) };
}

impl Clone for Part {
    fn clone(&self) -> Self {
        CLONES.set(CLONES.get() + 1);
        Self(self.0)
    }
}

/// A hit by a borrowed key makes no owned key, and each look-up counts once.
#[test]
fn a_borrowed_key_is_made_owned_for_misses_only() {
    let (cache, _) = store::<Vec<Part>, u32>();
    let key = [Part(1), Part(2)];
    let fill = || Ok::<_, io::Error>(Fill::new(1));
    let first = cache.fetch(&key[..], CLASS).fill_blocking(fill);
    assert!(matches!(first.unwrap().outcome, Outcome::Filled(Ok(()))));
    let made = CLONES.replace(0);
    assert!(made > 0);
    for _ in 0..3 {
        let hit = cache.fetch(&key[..], CLASS).fill_blocking(fill).unwrap();
        assert!(matches!(hit.outcome, Outcome::Hit { .. }));
    }
    assert_eq!(CLONES.get(), 0);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (3, 1));
}

/// The futures are `Send`, for multi-threaded runtimes.
#[test]
fn the_futures_are_send() {
    fn check<T: Send>(future: T) -> T {
        future
    }
    let (cache, _) = store::<String, u32>();
    let fill = async || Ok::<_, io::Error>(Fill::new(1));
    assert_eq!(
        now(check(cache.get_or_try_fill("a", CLASS, fill))).unwrap(),
        1
    );
    assert_eq!(now(check(cache.get_or_fill("a", CLASS, async || 2))), 1);
    let spawned = cache
        .fetch("b", CLASS)
        .fill_or_spawn(|| ready(Ok::<_, io::Error>(3)));
    assert_eq!(now(check(spawned)).unwrap().value, 3);
}
