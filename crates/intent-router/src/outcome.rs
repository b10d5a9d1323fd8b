//! What the cache did for a request: the one classification that headers,
//! metrics, the command line and the bench share.

use std::fmt;
use std::time::Duration;

use cache_core::{Outcome, Reuse};

/// Why a request did not use the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bypass {
    /// Caching is switched off.
    CachingOff,
    /// The question is about a person's records, and the request identifies no
    /// user.
    Unidentified,
    /// No intent was found.
    UnknownIntent,
    /// The request asked for it (`Cache-Control: no-store`).
    NoStore,
    /// The message asks for another person's records.
    OtherPerson,
    /// The message continues a conversation that the request does not include.
    NeedsContext,
    /// The intent's answers are filled by callers that look them up, so that no
    /// source can be asked.
    AnsweredByCaller,
    /// The answer depends on records whose changes are not seen at present: see
    /// [`ChangeGate`](crate::ChangeGate).
    ChangesBehind,
    /// The answer must show a write of the client, and stored answers may not: see
    /// [`CacheUse::ReadAfter`](crate::CacheUse::ReadAfter).
    ReadAfter,
}

impl Bypass {
    /// A short name for headers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CachingOff => "caching-off",
            Self::Unidentified => "unidentified",
            Self::UnknownIntent => "unknown-intent",
            Self::NoStore => "no-store",
            Self::OtherPerson => "other-person",
            Self::NeedsContext => "needs-context",
            Self::AnsweredByCaller => "answered-by-caller",
            Self::ChangesBehind => "changes-behind",
            Self::ReadAfter => "read-after",
        }
    }
}

/// The class of a [`CacheOutcome`], as statistics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeClass {
    /// A stored answer was served, and the source was not asked.
    Hit,
    /// The cache was asked, and so was the source, by this request or by another
    /// that it waited for.
    Miss,
    /// The cache was not asked.
    Bypass,
}

impl OutcomeClass {
    /// Every class, in the order of their declaration: `class as usize` is an
    /// index into it.
    pub const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Bypass];

    /// The label of metrics and statistics: `hit`, `miss` or `bypass`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

/// What the cache did for a request.
///
/// It displays as a phrase for people: `hit, 1.250 s old`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// The cache was not asked.
    Bypass(Bypass),
    /// The stored answer was served.
    Hit {
        /// Time since it was stored.
        age: Duration,
        /// Time until it expires.
        remaining: Duration,
    },
    /// A stored answer was served that is older than the TTL of its class, but
    /// within one of the windows of the class.
    Stale {
        /// Time since it was stored.
        age: Duration,
        /// Time since its TTL passed.
        overdue: Duration,
        /// Whether the source was asked and failed. If not, the source was not
        /// asked, and a refresh is due or in flight.
        failed: bool,
    },
    /// The source was asked.
    Miss {
        /// Whether the answer was stored.
        stored: bool,
        /// Whether the request limited which stored answers it accepts
        /// (`Cache-Control: no-cache` or `max-age`), whether or not there was one.
        requested: bool,
    },
    /// The source was being asked by another request, whose answer was shared.
    Collapsed,
}

impl CacheOutcome {
    /// The outcome of a fetch by a request that accepts the stored answers that
    /// `reuse` allows.
    pub(crate) fn of(outcome: Outcome, reuse: Reuse) -> Self {
        let hit = |age: Duration, ttl: Duration| Self::Hit {
            age,
            remaining: ttl.saturating_sub(age),
        };
        let stale = |age: Duration, ttl: Duration, failed| Self::Stale {
            age,
            overdue: age.saturating_sub(ttl),
            failed,
        };
        match outcome {
            Outcome::Hit { age, ttl } | Outcome::Negative { age, ttl } => hit(age, ttl),
            Outcome::Stale { age, ttl } => stale(age, ttl, false),
            Outcome::StoodIn { age, ttl } if age > ttl => stale(age, ttl, true),
            Outcome::StoodIn { age, ttl } => hit(age, ttl),
            Outcome::Waited => Self::Collapsed,
            other => Self::Miss {
                stored: other == Outcome::Filled(Ok(())),
                requested: reuse != Reuse::Any,
            },
        }
    }

    /// Hit, miss or bypass. A stale answer served because the source failed is a
    /// miss: the source was asked.
    pub fn class(self) -> OutcomeClass {
        match self {
            Self::Hit { .. } | Self::Stale { failed: false, .. } => OutcomeClass::Hit,
            Self::Stale { failed: true, .. } | Self::Miss { .. } | Self::Collapsed => {
                OutcomeClass::Miss
            }
            Self::Bypass(_) => OutcomeClass::Bypass,
        }
    }

    /// Whether the source failed and a stale answer was served instead.
    pub fn is_stale_if_error(self) -> bool {
        matches!(self, Self::Stale { failed: true, .. })
    }

    /// The age of the stored answer that was served.
    pub fn age(self) -> Option<Duration> {
        match self {
            Self::Hit { age, .. } | Self::Stale { age, .. } => Some(age),
            Self::Bypass(_) | Self::Miss { .. } | Self::Collapsed => None,
        }
    }

    /// The parameters of a `Cache-Status` header (RFC 9211), without the cache's
    /// name: `hit; ttl=299`.
    pub fn cache_status(self) -> impl fmt::Display {
        CacheStatus(self)
    }
}

impl fmt::Display for CacheOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Hit { age, .. } => write!(f, "hit, {:.3} s old", age.as_secs_f64()),
            Self::Stale { age, failed, .. } => {
                let why = if failed { ", as the source failed" } else { "" };
                write!(f, "stale, {:.3} s old{why}", age.as_secs_f64())
            }
            Self::Miss { stored: true, .. } => f.write_str("miss, stored"),
            Self::Miss { .. } => f.write_str("miss, not stored"),
            Self::Collapsed => f.write_str("miss, shared"),
            Self::Bypass(why) => write!(f, "bypass, {}", why.as_str()),
        }
    }
}

/// Writes the parameters of `Cache-Status`.
struct CacheStatus(CacheOutcome);

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            CacheOutcome::Hit { remaining, .. } => write!(f, "hit; ttl={}", remaining.as_secs()),
            CacheOutcome::Stale {
                overdue, failed, ..
            } => {
                // The time left is rounded down, here as for a fresh answer, so
                // that a stale one never shows as `ttl=0`.
                let seconds = overdue.as_secs() + u64::from(overdue.subsec_nanos() > 0);
                if failed {
                    write!(f, "fwd=stale; ttl=-{seconds}; detail=stale-if-error")
                } else {
                    write!(f, "hit; ttl=-{seconds}")
                }
            }
            CacheOutcome::Miss { stored, requested } => {
                let forwarded = if requested { "request" } else { "miss" };
                let stored = if stored { "; stored" } else { "" };
                write!(f, "fwd={forwarded}{stored}")
            }
            CacheOutcome::Collapsed => f.write_str("fwd=miss; collapsed"),
            CacheOutcome::Bypass(why) => write!(f, "fwd=bypass; detail={}", why.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn stale(overdue: Duration, failed: bool) -> CacheOutcome {
        CacheOutcome::Stale {
            age: 300 * SECOND + overdue,
            overdue,
            failed,
        }
    }

    #[test]
    fn every_outcome_has_one_class_and_its_texts() {
        use OutcomeClass::{Bypass as Bypassed, Hit, Miss};
        let check = |outcome: CacheOutcome, class: OutcomeClass, status: &str, text: &str| {
            assert_eq!(outcome.class(), class, "{outcome:?}");
            assert_eq!(outcome.cache_status().to_string(), status);
            assert_eq!(outcome.to_string(), text);
        };
        let fresh = CacheOutcome::Hit {
            age: Duration::from_millis(1_250),
            remaining: Duration::from_millis(298_750),
        };
        check(fresh, Hit, "hit; ttl=298", "hit, 1.250 s old");
        check(
            stale(412 * SECOND, false),
            Hit,
            "hit; ttl=-412",
            "stale, 712.000 s old",
        );
        check(
            stale(412 * SECOND, true),
            Miss,
            "fwd=stale; ttl=-412; detail=stale-if-error",
            "stale, 712.000 s old, as the source failed",
        );
        for (stored, requested, status, text) in [
            (true, false, "fwd=miss; stored", "miss, stored"),
            (false, false, "fwd=miss", "miss, not stored"),
            (true, true, "fwd=request; stored", "miss, stored"),
            (false, true, "fwd=request", "miss, not stored"),
        ] {
            let miss = CacheOutcome::Miss { stored, requested };
            check(miss, Miss, status, text);
        }
        let collapsed = CacheOutcome::Collapsed;
        check(collapsed, Miss, "fwd=miss; collapsed", "miss, shared");
        check(
            CacheOutcome::Bypass(Bypass::CachingOff),
            Bypassed,
            "fwd=bypass; detail=caching-off",
            "bypass, caching-off",
        );
    }

    #[test]
    fn what_is_stale_has_a_negative_ttl() {
        let check = |overdue: Duration, expect: &str| {
            assert_eq!(stale(overdue, false).cache_status().to_string(), expect);
        };
        check(Duration::from_nanos(1), "hit; ttl=-1");
        check(SECOND, "hit; ttl=-1");
        check(Duration::from_millis(5_001), "hit; ttl=-6");
    }

    #[test]
    fn classes_are_their_own_index() {
        for (index, class) in OutcomeClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index);
        }
    }
}
