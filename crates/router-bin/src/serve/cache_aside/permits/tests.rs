use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const PLACES: usize = 4;
const BYTES: usize = 100;

/// A step of a schedule. Identifiers are indices of those given so far.
#[derive(Clone, Debug)]
enum Step {
    Hold {
        caller: usize,
        bytes: usize,
        time: u64,
    },
    Take {
        which: usize,
        caller: usize,
    },
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2_usize, 0..60_usize, 0..40_u64)
            .prop_map(|(caller, bytes, time)| Step::Hold { caller, bytes, time }),
        3 => (any::<prop::sample::Index>(), 0..2_usize)
            .prop_map(|(which, caller)| Step::Take { which: which.index(1_000), caller }),
        2 => (0..30_u64).prop_map(Step::Pass),
    ]
}

fn callers() -> [Caller; 2] {
    ["one", "two"].map(Caller::for_test)
}

/// What the naive model knows of a permit that was given.
struct Known {
    id: PermitId,
    caller: usize,
    bytes: usize,
    deadline: u64,
    is_open: bool,
}

proptest! {
    /// A list of all permits ever given says what each call returns: only the caller
    /// that holds a permit takes it, once, before its deadline; the bounds hold; and
    /// every permit that ended is dropped.
    #[test]
    fn prop_permits_are_those_of_a_list(steps in prop::collection::vec(step(), 1..80)) {
        let permits = Permits::new(PLACES, BYTES);
        let callers = callers();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let alive = Rc::new(());
        let mut known: Vec<Known> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Hold { caller, bytes, time } => {
                    let open = known.iter().filter(|known| known.is_open);
                    let used: usize = open.clone().map(|known| known.bytes).sum();
                    let fits = open.count() < PLACES && used + bytes <= BYTES;
                    let place = permits.reserve(bytes);
                    prop_assert_eq!(place.is_some(), fits);
                    let Some(place) = place else { continue };
                    let (permit, deadline) = (Rc::clone(&alive), now + time);
                    let id = permits.hold(permit, callers[caller].clone(), place, at(deadline));
                    let id = id.expect("random numbers");
                    prop_assert!(known.iter().all(|known| known.id != id));
                    known.push(Known { id, caller, bytes, deadline, is_open: true });
                }
                Step::Take { which, caller } => {
                    let count = known.len();
                    if count == 0 {
                        continue;
                    }
                    let known = &mut known[which % count];
                    let may = known.is_open && known.caller == caller && known.deadline > now;
                    let taken = permits.take(known.id, &callers[caller], at(now));
                    prop_assert_eq!(taken.is_some(), may);
                    known.is_open &= !may;
                }
                Step::Pass(seconds) => {
                    now += seconds;
                    let expired = permits.expire(at(now)).len();
                    let late = known.iter_mut().filter(|k| k.is_open && k.deadline <= now);
                    prop_assert_eq!(late.map(|known| known.is_open = false).count(), expired);
                }
            }
            let open = known.iter().filter(|known| known.is_open).count();
            prop_assert_eq!(permits.open(), open);
            prop_assert_eq!(Rc::strong_count(&alive), 1 + open);
        }
    }
}

#[test]
fn an_identifier_is_read_as_it_is_written() {
    let id = PermitId::random().expect("random numbers");
    assert_eq!(id.to_string().parse().ok(), Some(id));
    for text in [
        "",
        "1",
        "g",
        &"+".repeat(32),
        &"A".repeat(32),
        &"0".repeat(33),
    ] {
        assert_eq!(text.parse::<PermitId>().err(), Some(NotAPermit), "{text}");
    }
}
