//! The gate of a feed of changes: which requests it closes the cache to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use intent_router::{
    Bypass, CacheOutcome, CacheUse, ChangeGate, Coverage, Extent, Read, Request, Reuse, Selector,
    UserContext,
};
use support::{Bench, CLAIM, ask, bench, is_hit, is_stored_miss};

/// A router whose queries read `kind`, and its gate.
fn gated(coverage: Coverage, kind: Option<&str>) -> (Bench, Arc<ChangeGate>) {
    let mut bench = bench();
    *bench.source.reads.lock().unwrap() = vec![Read::new(kind.map(str::to_owned), Extent::Part)];
    let gate = Arc::new(ChangeGate::new(coverage));
    bench.router = bench.router.with_change_gate(Arc::clone(&gate));
    (bench, gate)
}

fn tables(names: &[&str]) -> Coverage {
    Coverage::Tables(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn a_closed_gate_bypasses_the_cache_for_what_it_covers() {
    for (coverage, kind, is_covered) in [
        (Coverage::Everything, Some("payment"), true),
        (Coverage::Everything, None, true),
        (tables(&["payments"]), Some("payment"), true),
        // The other table of the same kind counts.
        (tables(&["claim_events"]), Some("claim"), true),
        (tables(&["payments"]), Some("claim"), false),
        (tables(&["payments"]), None, false),
        (Coverage::Tables(BTreeSet::new()), Some("payment"), false),
    ] {
        let (bench, gate) = gated(coverage.clone(), kind);
        let claim = || ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        let first = claim();
        let behind = CacheOutcome::Bypass(Bypass::ChangesBehind);
        assert_eq!(first.cache == behind, is_covered, "{coverage:?} {kind:?}");
        assert_eq!(
            bench.router.cache().stats().entries,
            usize::from(!is_covered)
        );
        assert_eq!(is_hit(&claim()), !is_covered);
        gate.set_open(true);
        assert_eq!(is_stored_miss(&claim()), is_covered);
        assert!(is_hit(&claim()));
        gate.set_open(false);
        assert_eq!(claim().cache == behind, is_covered);
        // A renewed router keeps the gate.
        let router = &bench.router;
        let (catalogue, source) = (Arc::clone(router.catalogue()), Arc::clone(router.source()));
        let detector = Arc::new(intent_router::KeywordDetector::new(&catalogue));
        let renewed = router.renewed(catalogue, detector, source).unwrap();
        let bench = Bench {
            router: renewed,
            ..bench
        };
        let again = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        assert_eq!(again.cache == behind, is_covered);
    }
}

#[test]
fn a_write_must_be_applied_and_all_that_is_read_covered() {
    let both = ["claims", "claim_events", "payments"];
    for (coverage, kinds, is_covered) in [
        (Coverage::Everything, &[None, Some("claim")][..], true),
        (tables(&both), &[Some("payment")], true),
        (tables(&both), &[Some("payment"), Some("claim")], true),
        // One of the tables of its kind is not reported.
        (tables(&["claims"]), &[Some("claim")], false),
        (
            tables(&["payments"]),
            &[Some("payment"), Some("claim")],
            false,
        ),
        (tables(&both), &[Some("payment"), None], false),
        (tables(&both), &[Some("no such kind")], false),
    ] {
        let mut bench = bench();
        let read = |kind: &Option<&str>| Read::new(kind.map(str::to_owned), Extent::Part);
        *bench.source.reads.lock().unwrap() = kinds.iter().map(read).collect();
        // A gate that is closed, and leaves the cache usable.
        let gate = Arc::new(ChangeGate::new(coverage.clone()).usable_while_closed());
        bench.router = bench.router.with_change_gate(gate);
        let ask = |cache_use| {
            let user = UserContext::new("BEN-000001", "beneficiary");
            let mut request = Request::new(CLAIM, user);
            request.cache_use = cache_use;
            pollster::block_on(bench.router.route(&request)).unwrap()
        };
        let read_after = |is_applied| CacheUse::ReadAfter {
            reuse: Reuse::Any,
            is_applied,
        };
        ask(CacheUse::default());
        assert!(is_hit(&ask(CacheUse::default())));
        assert_eq!(
            is_hit(&ask(read_after(true))),
            is_covered,
            "{coverage:?} {kinds:?}"
        );
        let bypass = CacheOutcome::Bypass(Bypass::ReadAfter);
        assert_eq!(ask(read_after(true)).cache == bypass, !is_covered);
        assert_eq!(ask(read_after(false)).cache, bypass);
    }
}

#[test]
fn a_router_without_a_gate_never_shows_a_write_from_the_cache() {
    let bench = bench();
    let mut request = Request::new(CLAIM, UserContext::new("BEN-000001", "beneficiary"));
    let route = |request: &Request| pollster::block_on(bench.router.route(request)).unwrap();
    route(&request);
    assert!(is_hit(&route(&request)));
    request.cache_use = CacheUse::ReadAfter {
        reuse: Reuse::Any,
        is_applied: true,
    };
    let bypass = CacheOutcome::Bypass(Bypass::ReadAfter);
    assert_eq!(route(&request).cache, bypass);
}

#[test]
fn a_router_without_a_gate_uses_the_cache() {
    let bench = bench();
    assert!(is_stored_miss(&ask(
        &bench,
        CLAIM,
        "BEN-000001",
        "beneficiary"
    )));
    assert!(is_hit(&ask(&bench, CLAIM, "BEN-000001", "beneficiary")));
}

fn records(kind: Option<&str>, users: Option<&[&str]>) -> Selector {
    Selector::Records {
        kind: kind.map(str::to_owned),
        users: users.map(|users| users.iter().map(|user| (*user).to_owned()).collect()),
    }
}

#[test]
fn changed_rows_reach_as_far_as_was_read() {
    use Extent::{Named, Part, Whole};
    let payment = Some("payment");
    for (kind, extent, selector, expect) in [
        (payment, Part, records(payment, None), 2),
        (payment, Named, records(payment, None), 2),
        (payment, Whole, records(payment, None), 2),
        (payment, Part, records(payment, Some(&["BEN-000001"])), 1),
        (payment, Named, records(payment, Some(&["BEN-000001"])), 1),
        (payment, Whole, records(payment, Some(&["BEN-000001"])), 2),
        (
            payment,
            Part,
            records(payment, Some(&["BEN-000001", "BEN-000002"])),
            2,
        ),
        (payment, Part, records(payment, Some(&[])), 0),
        (payment, Named, records(payment, Some(&[])), 0),
        (payment, Whole, records(payment, Some(&[])), 2),
        (payment, Whole, records(Some("pension"), None), 0),
        // A table that the catalogue does not declare.
        (payment, Whole, records(None, Some(&[])), 0),
        (None, Whole, records(None, Some(&[])), 2),
        (None, Whole, records(Some("pension"), Some(&[])), 2),
        (payment, Part, records(None, None), 2),
    ] {
        let bench = bench();
        *bench.source.reads.lock().unwrap() = vec![Read::new(kind.map(str::to_owned), extent)];
        for user in ["BEN-000001", "BEN-000002"] {
            ask(&bench, CLAIM, user, "beneficiary");
        }
        let removed = bench.router.cache().invalidate(&selector);
        assert_eq!(removed, expect, "{selector:?} of {kind:?} {extent:?}");
        let first = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        assert_eq!(
            is_hit(&first),
            expect == 0,
            "{selector:?} of {kind:?} {extent:?}"
        );
        // A journal gives back what was written to it.
        let text = serde_json::to_string(&selector).unwrap();
        assert_eq!(serde_json::from_str::<Selector>(&text).unwrap(), selector);
    }
}
