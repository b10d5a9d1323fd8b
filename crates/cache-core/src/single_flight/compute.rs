//! Compute: reads, changes and writes an entry in one step.

use std::hash::{BuildHasher, Hash};

use crate::{
    cache::Cache,
    class::TtlClass,
    clock::Clock,
    error::{Refusal, Rejected},
    fill::Fill,
    hit::Hit,
    single_flight::permit::Permit,
    single_flight::waiter::{Waited, Waiter},
};

/// What [`Cache::compute`] does with the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<V> {
    /// Stores this value.
    Put(Fill<V>),
    /// Invalidates the key.
    Remove,
    /// Leaves the entry as it is.
    Keep,
}

/// The exclusive permit of a key, and the live entry.
struct Begun<K, V> {
    permit: Permit<K, V>,
    current: Option<Hit<V>>,
}

/// The outcome of an [`Op`].
enum Applied<V> {
    Done(Result<Option<V>, Rejected<V>>),
    /// The entry changed in the meantime.
    Changed,
}

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Calls `change` with the live entry for `key`, as [`peek`](Self::peek) returns it,
    /// and applies the returned [`Op`] in one atomic step. If the entry changes in
    /// between (by an insertion, a fill or an invalidation), `change` is called again with
    /// the new entry. Returns the value that is stored afterwards.
    ///
    /// While `change` runs, this holds the [permit](Permit) of the key: misses and other
    /// computations of the key wait for it. So `change` must not compute the same key.
    /// Counts neither a hit nor a miss.
    ///
    /// # Errors
    /// [`Rejected`] with the value if the cache cannot hold it.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, Op, TtlClass};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// let count = async |current: Option<cache_core::Hit<u32>>| {
    ///     let asked = current.map_or(0, |hit| hit.value);
    ///     Op::Put(Fill::new(asked + 1))
    /// };
    /// assert_eq!(cache.compute("asked".to_owned(), class, count).await?, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn compute(
        &self,
        key: K,
        class: TtlClass,
        mut change: impl AsyncFnMut(Option<Hit<V>>) -> Op<V>,
    ) -> Result<Option<V>, Rejected<V>> {
        loop {
            let permit = match self.begin(key.clone(), class) {
                Ok(permit) => Some(permit),
                Err(waiter) => elected(waiter.await),
            };
            let Some(Begun { permit, current }) = permit.map(begun) else {
                continue;
            };
            let op = change(current.clone()).await;
            if let Applied::Done(done) = apply(permit, current, op) {
                return done;
            }
        }
    }

    /// [`compute`](Self::compute) for blocking code.
    ///
    /// # Errors
    /// As [`compute`](Self::compute).
    ///
    /// ```
    /// use cache_core::{Cache, Op, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// cache.insert(7, 1, class)?;
    /// let left = cache.compute_blocking(7, class, |current| match current {
    ///     Some(hit) if hit.value > 1 => Op::Put((hit.value - 1).into()),
    ///     _ => Op::Remove,
    /// })?;
    /// assert_eq!(left, None);
    /// assert!(!cache.contains_key(&7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compute_blocking(
        &self,
        key: K,
        class: TtlClass,
        mut change: impl FnMut(Option<Hit<V>>) -> Op<V>,
    ) -> Result<Option<V>, Rejected<V>> {
        loop {
            let permit = match self.begin(key.clone(), class) {
                Ok(permit) => Some(permit),
                Err(waiter) => elected(Waiter::wait(waiter)),
            };
            let Some(Begun { permit, current }) = permit.map(begun) else {
                continue;
            };
            let op = change(current.clone());
            if let Applied::Done(done) = apply(permit, current, op) {
                return done;
            }
        }
    }
}

/// The permit of an elected waiter; `None` after any other outcome, which may have changed
/// the entry.
fn elected<K, V>(waited: Waited<K, V>) -> Option<Permit<K, V>> {
    match waited {
        Waited::Permit(permit) => Some(permit),
        _ => None,
    }
}

fn begun<K: Eq + Clone, V: Clone>(permit: Permit<K, V>) -> Begun<K, V> {
    let current = permit.exclude_others();
    Begun { permit, current }
}

fn apply<K: Eq + Clone, V: Clone>(
    permit: Permit<K, V>,
    current: Option<Hit<V>>,
    op: Op<V>,
) -> Applied<V> {
    Applied::Done(match op {
        Op::Keep => Ok(current.map(|hit| hit.value)),
        Op::Remove => match permit.remove() {
            Ok(()) => Ok(None),
            Err(_) => return Applied::Changed,
        },
        Op::Put(fill) => {
            let value = fill.value.clone();
            match permit.fill(fill) {
                Ok(()) => Ok(Some(value)),
                Err(Refusal::Invalidated | Refusal::Superseded) => return Applied::Changed,
                Err(reason) => Err(Rejected { value, reason }),
            }
        }
    })
}
