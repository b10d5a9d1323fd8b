//! Fills the stores of a service until they evict, and counts the bytes that they take,
//! in a program whose allocator counts.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use cache_core::Stats;
use intent_router::{
    Answer, Ask, BoxFuture, CacheService, Capacity, Catalogue, Deadline, Detection, Detector,
    Extent, Found, Intent, LiveData, Owner, Principal, Read, Records, Request, Response, Router,
    Source, SourceError, UserContext, classes,
};
use serde_json::json;
use stats_alloc::INSTRUMENTED_SYSTEM;

/// Bytes that a store or all of them take, and what they should take.
pub(crate) struct Taken {
    pub(crate) bytes: u64,
    pub(crate) expected: u64,
    pub(crate) entries: usize,
}

fn allocated() -> u64 {
    let stats = INSTRUMENTED_SYSTEM.stats();
    (stats.bytes_allocated - stats.bytes_deallocated) as u64
}

/// Finds the same intent in every message, at a cost that is worth storing.
struct Costly;

impl Detector for Costly {
    fn detect(&self, _: &str) -> Detection {
        Detection {
            intent: "claim_status".to_owned(),
            confidence: 0.5,
        }
    }

    fn is_costly(&self) -> bool {
        true
    }
}

/// Records with the identifiers of the demo data.
struct Demo;

impl LiveData for Demo {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
        _: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async { Ok(Found::new(true, 1)) })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let user = ask.principal.unwrap().id_text();
        let data = json!({ "claim_id": format!("CLM-2025-{user}"), "status": "pending" });
        let tags = vec![format!("claim:CLM-2025-{user}")];
        Box::pin(async { Ok(Found::new(Records::new(data, tags), 1)) })
    }

    fn reads(&self, _: &Intent) -> Option<Vec<Read>> {
        Some(vec![Read::new(Some("claim".to_owned()), Extent::Part)])
    }

    fn member_reads(&self) -> Vec<Read> {
        vec![Read::new(Some("member".to_owned()), Extent::Named)]
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the source does not wait"),
    }
}

/// A service whose answers, of about `size` bytes with so many records each, are as many
/// as it holds. The weight of the answers is expected.
pub(crate) fn answers(capacity: Capacity, size: usize, records: usize) -> Taken {
    let before = allocated();
    let service = CacheService::builder().capacity(capacity).build().unwrap();
    let stats = fill(&service, size, records);
    Taken {
        bytes: allocated() - before,
        expected: stats.weight,
        entries: stats.entries,
    }
}

/// Stores answers until the store has evicted as many as it holds.
fn fill(service: &CacheService, size: usize, records: usize) -> Stats {
    for n in 0_usize.. {
        let user = format!("BEN-{n:06}");
        let who = Principal::identify(&UserContext::new(&user, "beneficiary")).unwrap();
        let owner = Owner::Person(who);
        let response = Response {
            source: Source::LiveData,
            intent: "claim_status".to_owned(),
            confidence: 1.0,
            // Sizes that vary, as those of answers do.
            data: json!("x".repeat(size / 2 + n * 7_919 % (size + 1))),
            timestamp: "2025-11-23T07:00:00.000Z".to_owned(),
        };
        let names = (0..records).map(|record| format!("claim:CLM-{n}-{record}"));
        let names: Vec<_> = names.collect();
        let entry = service
            .entry_key("claim_status", owner.clone(), "message")
            .unwrap();
        let answer = Answer::new(response, owner, 1);
        service.set(entry, answer, classes::LIVE_DATA, &names);
        if n % 1_024 == 0 || size > 4_000 && n % 64 == 0 {
            let stats = service.stats();
            if stats.evictions > stats.entries as u64 {
                return stats;
            }
        }
    }
    unreachable!("the numbers do not end")
}

/// A service whose stores are all full. The budget is expected.
pub(crate) fn all_stores(budget: u64) -> Taken {
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let before = allocated();
    let builder = CacheService::builder().capacity(Capacity::Bytes(budget));
    let cache = Arc::new(builder.build().unwrap());
    let (kept, detector) = (Arc::clone(&cache), Arc::new(Costly));
    let router = Router::new(catalogue, detector, Arc::new(Demo), cache).unwrap();
    for n in 0_usize.. {
        let message = format!("what is the status of my claim number {n}, please?");
        let user = UserContext::new(&format!("BEN-{n:06}"), "beneficiary");
        now(router.route(&Request::new(&message, user))).unwrap();
        if n % 1_024 != 0 {
            continue;
        }
        let stats = [kept.stats(), kept.member_stats(), kept.detection_stats()];
        let is_full = |stats: &Stats| stats.evictions > stats.entries as u64;
        if stats.iter().all(is_full) {
            return Taken {
                bytes: allocated() - before,
                expected: budget,
                entries: stats.iter().map(|stats| stats.entries).sum(),
            };
        }
    }
    unreachable!("the numbers do not end")
}
