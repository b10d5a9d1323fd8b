//! A value to be stored, with its tags, TTL and kind.

use std::time::Duration;

use crate::{clock::nanos, span::Span, store::tags::TagSet};

/// A value to be stored, with its tags, its own TTL, and whether it is negative or only
/// shared.
///
/// A plain value converts into a `Fill` without tags by [`From`], so every method that
/// takes a `Fill` also takes a value.
///
/// ```
/// use cache_core::{Cache, Fill, TtlClass};
/// use std::time::Duration;
///
/// let cache = Cache::<u32, &str>::builder().max_entries(100).build()?;
/// let class = TtlClass::DEFAULT;
/// cache.insert(1, "plain", class)?;
/// cache.insert(2, Fill::new("two claims").tags(["claim:12", "claim:15"]), class)?;
/// cache.insert(3, Fill::new("a quote").ttl(Duration::from_secs(5)), class)?;
/// assert_eq!(cache.invalidate_tag("claim:12"), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fill<V> {
    pub(crate) value: V,
    pub(crate) terms: Terms,
}

/// How a value is stored: tags, its own TTL, kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) tags: TagSet,
    pub(crate) ttl: Option<Span>,
    pub(crate) kind: FillKind,
}

/// Whether a value is stored, stored as negative, or only given to waiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FillKind {
    Value,
    Negative,
    Shared,
}

impl Terms {
    pub(crate) fn is_negative(&self) -> bool {
        self.kind == FillKind::Negative
    }
}

impl<V> Fill<V> {
    fn of(value: V, kind: FillKind) -> Self {
        let terms = Terms {
            tags: TagSet::default(),
            ttl: None,
            kind,
        };
        Self { value, terms }
    }

    /// A value to be stored.
    #[inline]
    pub fn new(value: V) -> Self {
        Self::of(value, FillKind::Value)
    }

    /// A negative entry: says that nothing exists under the key, and is stored for the
    /// [`negative_ttl`](crate::Freshness::negative_ttl) of the class. `value` is what
    /// means "nothing" in the program. Look-ups return it as
    /// [`Lookup::Negative`](crate::Lookup::Negative); for [`get`](crate::Cache::get) it is
    /// a miss.
    ///
    /// A class without a negative TTL refuses it as
    /// [`NoNegatives`](crate::Refusal::NoNegatives): waiters get it, and the entry that
    /// was stored before is removed.
    pub fn negative(value: V) -> Self {
        Self::of(value, FillKind::Negative)
    }

    /// A value for the current waiters only, such as a fallback. It is not stored
    /// ([`Refusal::Shared`](crate::Refusal::Shared)), and a stored entry stays as it is.
    ///
    /// Its tags are ignored: an invalidation of any tag since the fill began counts as
    /// reaching it.
    pub fn shared(value: V) -> Self {
        Self::of(value, FillKind::Shared)
    }

    /// Adds a tag: the name of a record that the value depends on.
    pub fn tag(self, tag: impl AsRef<str>) -> Self {
        self.tags([tag])
    }

    /// Adds these tags. An entry carries at most [`MAX_TAGS`](crate::MAX_TAGS)
    /// different ones.
    pub fn tags(mut self, tags: impl IntoIterator<Item: AsRef<str>>) -> Self {
        for tag in tags {
            self.terms.tags.push(tag.as_ref());
        }
        self
    }

    /// Gives the entry a TTL of its own. The shorter of this and the TTL of the class
    /// applies, so the class still bounds the age of all its entries. The windows and the
    /// jitter of the class apply as for other entries.
    ///
    /// The TTL is rounded down by less than one part in 33 million, and costs 4 bytes for
    /// each entry in shards that hold such an entry. Maintenance removes the entry at the
    /// latest when twice its TTL, and its windows, are over.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.terms.ttl = Some(Span::of(nanos(ttl)));
        self
    }

    /// Returns the value.
    #[must_use]
    pub fn into_value(self) -> V {
        self.value
    }
}

impl<V> From<V> for Fill<V> {
    #[inline]
    fn from(value: V) -> Self {
        Self::new(value)
    }
}
