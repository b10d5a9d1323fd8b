//! Seeded bugs: mistakes that `cargo xtask deep` builds into this crate one at a time,
//! and that a test must see.
//!
//! Each is `true` where the crate is built with `--cfg mutant="its_name"`, and the
//! constant `false` everywhere else.

macro_rules! seeded_bugs {
    ($($(#[$doc:meta])* $name:ident = $flag:literal;)*) => {
        $($(#[$doc])* #[inline(always)] pub(crate) const fn $name() -> bool {
            cfg!(mutant = $flag)
        })*
    };
}

seeded_bugs! {
    /// The last permit empties the log without looking whether another was issued.
    close_without_recheck = "close_without_recheck";
    /// A value that was read before a computation began does not end it.
    ignore_older_fills = "ignore_older_fills";
    /// Permits are counted by weaker orders than sequential consistency.
    count_weakly = "count_weakly";
    /// A miss counts twice.
    double_count = "double_count";
    /// A failed fill gives its error to those who began to wait after an invalidation.
    fail_later_waiters = "fail_later_waiters";
    /// A permit older than the log is held against what is left of the log alone.
    forget_floor = "forget_floor";
    /// A permit that is called back stays counted.
    forget_recall = "forget_recall";
    /// Waiters that were served are not woken.
    forget_wake = "forget_wake";
    /// A permit that is handed over keeps the epoch of its first holder.
    hand_over_the_old_epoch = "hand_over_the_old_epoch";
    /// A waiter that is dropped after its election keeps the right to fill.
    keep_election = "keep_election";
    /// What is over the bound after an insertion is not evicted from other shards.
    lose_trim = "lose_trim";
    /// A fill stores its value although a newer one ended it.
    outlive_flight = "outlive_flight";
    /// A permit reads the epoch before it is counted.
    read_epoch_before_counting = "read_epoch_before_counting";
    /// A reader of the sequence lock checks the version before it has read the words.
    read_without_fence = "read_without_fence";
    /// A refresh begins although another is in flight.
    refresh_twice = "refresh_twice";
    /// A computation removes an entry that it was not shown.
    remove_unseen = "remove_unseen";
    /// A refused fill serves those who began to wait after the invalidation, too.
    serve_later_waiters = "serve_later_waiters";
    /// A fill is not judged again when invalidations arrive after its verdict.
    skip_epoch_check = "skip_epoch_check";
    /// A fill that runs out of patience counts as clear.
    store_when_tired = "store_when_tired";
    /// A predicate removes the entry that stands where the one it saw stood.
    trust_places = "trust_places";
    /// A writer of the sequence lock writes words before the version is odd.
    write_without_fence = "write_without_fence";
}
