//! Seeded bugs (mutants): `cargo xtask deep` builds the crate with one of them at a time,
//! and fails unless a test detects it.
//!
//! Each function returns `true` if the crate is built with `--cfg mutant="its_name"`, and
//! is the constant `false` otherwise.

macro_rules! seeded_bugs {
    ($($(#[$doc:meta])* $name:ident = $flag:literal;)*) => {
        $($(#[$doc])* #[inline(always)] pub(crate) const fn $name() -> bool {
            cfg!(mutant = $flag)
        })*
    };
}

seeded_bugs! {
    /// The last permit empties the log without checking that no other was issued.
    close_without_recheck = "close_without_recheck";
    /// A value that was read before a `compute` began does not end it.
    ignore_older_fills = "ignore_older_fills";
    /// An invalidation in slices stops after as many removals as there were entries.
    count_the_slices = "count_the_slices";
    /// Permits are counted with a weaker order than sequential consistency.
    count_weakly = "count_weakly";
    /// A miss counts twice.
    double_count = "double_count";
    /// A failed fill gives its error to waiters that began after an invalidation.
    fail_later_waiters = "fail_later_waiters";
    /// A permit older than the log is checked only against the events that are left.
    forget_floor = "forget_floor";
    /// The permit of an elected waiter that is recalled stays counted.
    forget_recall = "forget_recall";
    /// Served waiters are not woken.
    forget_wake = "forget_wake";
    /// A permit that is handed over keeps the epoch of its first holder.
    hand_over_the_old_epoch = "hand_over_the_old_epoch";
    /// A waiter that is dropped after its election keeps the right to fill.
    keep_election = "keep_election";
    /// An insertion that exceeds the bound does not evict from other shards.
    lose_trim = "lose_trim";
    /// A fill stores its value although a newer value ended it.
    outlive_flight = "outlive_flight";
    /// A permit reads the epoch before it is counted.
    read_epoch_before_counting = "read_epoch_before_counting";
    /// A reader of the sequence lock may check the version before it reads the words.
    read_without_fence = "read_without_fence";
    /// A refresh begins although another is in flight.
    refresh_twice = "refresh_twice";
    /// A `compute` removes an entry that it did not show.
    remove_unseen = "remove_unseen";
    /// A refused fill also serves waiters that began after the invalidation.
    serve_later_waiters = "serve_later_waiters";
    /// A fill is not checked again when invalidations arrive after its first check.
    skip_epoch_check = "skip_epoch_check";
    /// A fill whose retries run out is stored.
    store_when_tired = "store_when_tired";
    /// A predicate removes the entry that took the position of the one it was shown.
    trust_places = "trust_places";
    /// An imported entry is not checked against invalidations since the import began.
    trust_the_export = "trust_the_export";
    /// A writer of the sequence lock may write words before the version is odd.
    write_without_fence = "write_without_fence";
}
