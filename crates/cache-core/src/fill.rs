//! What a fill or an insertion brings: a value, and how it is stored.

use std::time::Duration;

use crate::{clock::nanos, span::Span, store::tags::TagSet};

/// A value, and how it is stored: its tags, a TTL of its own, whether it says that
/// there is nothing.
///
/// A plain value becomes one without tags by [`From`], so that whatever takes a
/// `Fill` takes a value, too.
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

/// How a value is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) tags: TagSet,
    pub(crate) ttl: Option<Span>,
    pub(crate) kind: FillKind,
}

/// What is done with a value, which is the answer in any case.
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

    /// The answer that there is nothing, to be stored for the
    /// [`negative_ttl`](crate::Freshness::negative_ttl) of the class. The value is
    /// whatever says so in your terms. SlowRead-ups find it as
    /// [`Lookup::Negative`](crate::Lookup::Negative);
    /// [`get`](crate::Cache::get) does not find it.
    ///
    /// If the class keeps no negative entries, it is refused as
    /// [`NoNegatives`](crate::Refusal::NoNegatives); those who wait get it, and what
    /// was stored before leaves.
    pub fn negative(value: V) -> Self {
        Self::of(value, FillKind::Negative)
    }

    /// A value for all who wait for it now and nobody later: a fallback, say. Nothing
    /// is stored ([`Refusal::Shared`](crate::Refusal::Shared)), and what is stored
    /// stays.
    ///
    /// Its tags say nothing: an invalidation of any tag since the fill began counts as
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

    /// Gives the entry a TTL of its own: it is fresh for this or for the TTL of its
    /// class, whichever is shorter, so that a class still bounds the age of all its
    /// entries. The windows and the jitter of the class apply as to other entries.
    ///
    /// It is rounded down by less than one part in 33 million, and costs 4 bytes an
    /// entry in shards that hold one. Under any TTL that is longer than the entry's,
    /// maintenance removes it at the latest when twice its TTL and its windows are over.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.terms.ttl = Some(Span::of(nanos(ttl)));
        self
    }

    /// The value.
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
