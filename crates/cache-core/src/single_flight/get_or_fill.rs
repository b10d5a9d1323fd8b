//! Get or fill: the stored value, or one fill for all concurrent callers.

use std::{
    error::Error,
    hash::{BuildHasher, Hash},
};

use equivalent::Equivalent;

use crate::{
    cache::Cache,
    class::TtlClass,
    clock::Clock,
    error::FillError,
    fill::Fill,
    single_flight::fetch::{Looked, waited},
};

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Returns the stored value, or the value of `fill`, which runs once for all
    /// concurrent callers. [`fetch`](Self::fetch) is the form with options and the
    /// outcome.
    ///
    /// A hit costs the same as in [`lookup_by`](Self::lookup_by).
    ///
    /// # Errors
    /// The error of `fill`, or of the fill that this caller waited for, if no stored entry
    /// can be served instead.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// # struct Db;
    /// # impl Db {
    /// #     async fn claims(&self, _: u32) -> Result<String, std::io::Error> { Ok("two".into()) }
    /// # }
    /// # async fn example(db: Db) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let cache = Cache::<String, String>::builder().max_entries(10_000).build()?;
    /// let claims = cache
    ///     .get_or_try_fill("claims of 7", TtlClass::DEFAULT, async || {
    ///         let claims = db.claims(7).await?;
    ///         Ok::<_, std::io::Error>(Fill::new(claims).tag("claim:12"))
    ///     })
    ///     .await?;
    /// # let _ = claims;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_try_fill<Q, F, E>(
        &self,
        key: &Q,
        class: TtlClass,
        fill: impl AsyncFnOnce() -> Result<F, E>,
    ) -> Result<V, FillError>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
        F: Into<Fill<V>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fetched = self.fetch(key, class).fill(fill).await?;
        Ok(fetched.value)
    }

    /// [`get_or_try_fill`](Self::get_or_try_fill) for blocking code.
    ///
    /// # Errors
    /// As [`get_or_try_fill`](Self::get_or_try_fill).
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// let cache = Cache::<u32, String>::builder().max_entries(10_000).build()?;
    /// let read = |n: u32| std::fs::read_to_string(format!("claim-{n}.txt"));
    /// let missing = cache.get_or_try_fill_blocking(&7, TtlClass::DEFAULT, || {
    ///     read(7).map(Fill::new)
    /// });
    /// assert!(missing.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_or_try_fill_blocking<Q, F, E>(
        &self,
        key: &Q,
        class: TtlClass,
        fill: impl FnOnce() -> Result<F, E>,
    ) -> Result<V, FillError>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
        F: Into<Fill<V>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fetched = self.fetch(key, class).fill_blocking(fill)?;
        Ok(fetched.value)
    }

    /// [`get_or_try_fill`](Self::get_or_try_fill) with a `fill` that cannot fail. If this
    /// caller waits for another fill and that fails, it looks the key up again.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// # async fn example() -> Result<(), cache_core::BuildError> {
    /// let cache = Cache::<u32, u32>::builder().max_entries(10_000).build()?;
    /// let square = cache.get_or_fill(&7, TtlClass::DEFAULT, async || 7 * 7);
    /// assert_eq!(square.await, 49);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_fill<Q, F>(
        &self,
        key: &Q,
        class: TtlClass,
        fill: impl AsyncFnOnce() -> F,
    ) -> V
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
        F: Into<Fill<V>>,
    {
        loop {
            let fetch = self.fetch(key, class);
            let found = match fetch.look() {
                Looked::Ready(found) => found,
                Looked::InFlight(waiter) => match waited(waiter.await) {
                    Ok(found) => found,
                    Err(_) => continue,
                },
            };
            let permit = match fetch.due(found) {
                Ok(permit) => permit,
                Err(fetched) => return fetched.value,
            };
            let fill: Fill<V> = fill().await.into();
            let value = fill.value.clone();
            // The value is the answer even if it is not stored.
            let _ = permit.fill(fill);
            return value;
        }
    }
}
