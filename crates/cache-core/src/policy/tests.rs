//! The policy against its definition, written a second time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MAX: u64 = 1_000;

fn freshness() -> impl Strategy<Value = Freshness> {
    let idle = prop::option::weighted(0.2, 0..MAX);
    let spans = (0..MAX, 0..MAX, 0..MAX, prop::option::of(0..MAX), idle);
    let ratios = (
        prop_oneof![Just(0.0), Just(1.0), 0.0..1.0],
        prop_oneof![Just(0.0), 0.0..4.0],
    );
    (spans, ratios).prop_map(
        |((ttl, revalidate, error, negative, idle), (jitter, early))| {
            let span = Duration::from_nanos;
            let mut policy = Freshness::ttl(span(ttl))
                .with_stale_while_revalidate(span(revalidate))
                .with_stale_if_error(span(error))
                .with_jitter(jitter)
                .unwrap()
                .with_early_refresh(early)
                .unwrap();
            policy.negative_ttl = negative.map(span);
            policy.time_to_idle = idle.map(span);
            policy
        },
    )
}

fn traits() -> impl Strategy<Value = Traits> {
    let own = prop::option::weighted(0.3, 0..MAX);
    let parts = (any::<bool>(), any::<u32>(), 0..64_u8, own, 0..MAX);
    parts.prop_map(|(negative, hash, cost, own, read_at)| Traits {
        negative,
        hash,
        cost: FillCost(cost),
        ttl: own.map(Span::of),
        read_at: Span::of(read_at),
    })
}

/// The TTL of an entry as the documentation defines it, in floating point: the TTL of the
/// class less the jitter of the hash, within one nanosecond.
fn life(freshness: &Freshness, traits: Traits) -> Option<f64> {
    let promised = if traits.negative {
        freshness.negative_ttl?
    } else {
        freshness.ttl
    };
    let own = traits.ttl.map(|own| Duration::from_nanos(own.nanos()));
    let promised = own.map_or(promised, |own| own.min(promised));
    let part = freshness.jitter() * f64::from(traits.hash) / 4_294_967_296.0;
    Some(promised.as_nanos() as f64 * (1.0 - part))
}

proptest! {
    /// Each phase covers exactly the ages that the documentation states.
    #[test]
    fn prop_phases_are_what_the_documentation_says(
        freshness in freshness(),
        traits in traits(),
        age in 0..MAX * 3,
        random in any::<u64>(),
    ) {
        let policy = Policy::from(&freshness);
        let Evaluation { phase, ttl } = policy.evaluate(age, traits, || random);
        let Some(life) = life(&freshness, traits) else {
            prop_assert_eq!(phase, Phase::Gone);
            return Ok(());
        };
        prop_assert!((ttl as f64 - life).abs() <= 1.0, "life {ttl}, not {life}");
        let promised = if traits.negative { freshness.negative_ttl } else { Some(freshness.ttl) };
        prop_assert!(promised.is_some_and(|promised| u128::from(ttl) <= promised.as_nanos()));
        let idle = age.saturating_sub(traits.read_at.nanos());
        let longest = freshness.time_to_idle.map_or(u128::MAX, |span| span.as_nanos());
        if u128::from(idle) > longest {
            prop_assert_eq!(phase, Phase::Gone);
            return Ok(());
        }
        let (age, ttl) = (u128::from(age), u128::from(ttl));
        let within = |window: Duration| age <= ttl + window.as_nanos();
        match phase {
            Phase::Fresh => prop_assert!(age <= ttl),
            Phase::Early => {
                prop_assert!(age <= ttl && !traits.negative);
                prop_assert!(freshness.early_refresh() > 0.0 && traits.cost > FillCost::NONE);
            }
            Phase::Stale => {
                prop_assert!(age > ttl && !traits.negative);
                prop_assert!(within(freshness.stale_while_revalidate));
            }
            Phase::OnError => {
                prop_assert!(!traits.negative && !within(freshness.stale_while_revalidate));
                prop_assert!(within(freshness.stale_if_error));
            }
            Phase::Gone => {
                let kept = !traits.negative
                    && (within(freshness.stale_while_revalidate)
                        || within(freshness.stale_if_error));
                prop_assert!(age > ttl && !kept);
            }
        }
    }

    /// `fresh_below` and `kept_for` agree with `evaluate`.
    #[test]
    fn prop_short_cuts_agree_with_evaluate(
        freshness in freshness(),
        traits in traits(),
        age in 0..MAX * 3,
        random in any::<u64>(),
    ) {
        let policy = Policy::from(&freshness);
        let phase = policy.evaluate(age, traits, || random).phase;
        if !traits.negative && traits.ttl.is_none() && age < policy.fresh_below() {
            prop_assert_eq!(phase, Phase::Fresh);
        }
        prop_assert_eq!(policy.is_gone(age, traits), phase == Phase::Gone);
        if traits.ttl.is_none() && policy.kept_for(traits.negative).is_some_and(|kept_for| age <= kept_for) {
            prop_assert!(phase != Phase::Gone);
        }
    }

    /// The byte of an origin keeps all of its fields.
    #[test]
    fn prop_an_origin_keeps_its_facts(
        negative in any::<bool>(),
        own_ttl in any::<bool>(),
        nanos in any::<u64>(),
    ) {
        let cost = FillCost::of(nanos);
        let origin = Origin::new(negative, own_ttl, cost);
        prop_assert_eq!(origin.is_plain(), !negative && !own_ttl);
        prop_assert_eq!((origin.is_negative(), origin.cost()), (negative, cost));
        // Rounded down by less than half an octave, up to half an hour.
        let told = cost.nanos();
        prop_assert!(told <= nanos);
        if (1_000..1 << 40).contains(&nanos) {
            prop_assert!(told as f64 * 1.415 >= (nanos - nanos % 1_000) as f64, "{told} of {nanos}");
        }
    }
}

/// XFetch refreshes with the probability exp(-remaining / (cost * beta)).
#[test]
fn early_refreshes_come_as_often_as_the_paper_says() {
    let second = Duration::from_secs(1);
    let freshness = Freshness::ttl(100 * second)
        .with_early_refresh(2.0)
        .unwrap();
    let policy = Policy::from(&freshness);
    let cost = FillCost::of(1_048_576_000); // 2^20 µs: a step, nothing is rounded
    let traits = Traits {
        negative: false,
        hash: 1,
        cost,
        ttl: None,
        read_at: Span::of(0),
    };
    let mut random = XorShift::new(7);
    for remaining in [0.5_f64, 1.0, 2.0, 5.0] {
        let age = 100_000_000_000 - (remaining * 1e9) as u64;
        let draws = 20_000;
        let early = (0..draws)
            .filter(|_| policy.evaluate(age, traits, || random.next()).phase == Phase::Early)
            .count();
        let expected = (-remaining / (1.048_576 * 2.0)).exp();
        let found = early as f64 / f64::from(draws);
        assert!((found - expected).abs() < 0.02, "{found}, not {expected}");
    }
}
