//! Locks, atomics and threads, in one module so that tests can replace them: shuttle
//! explores interleavings (`--cfg shuttle`), loom explores what the memory orders of
//! atomics allow (`--cfg memory_model`).

#[cfg(not(any(shuttle, memory_model)))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(any(shuttle, memory_model)))]
pub(crate) use std::sync::atomic::AtomicU64;
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

#[cfg(memory_model)]
pub(crate) use modelled::{AtomicU64, Mutex};
#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::MutexGuard as ShardGuard,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

/// Types that only loom replaces. Shuttle treats every atomic as sequentially consistent,
/// so each of these would only be another point to switch threads at.
pub(crate) mod unscheduled {
    #[cfg(not(memory_model))]
    pub(crate) use parking_lot::Mutex;
    #[cfg(not(memory_model))]
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};

    #[cfg(memory_model)]
    pub(crate) use super::modelled::Mutex;
    #[cfg(memory_model)]
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

#[cfg(memory_model)]
mod modelled {
    use std::{cell::Cell, ops::Deref};

    use loom::sync::atomic::{Ordering, fence};

    loom::thread_local! {
        /// Whether the thread has made a sequentially consistent change and no
        /// sequentially consistent load since.
        static CHANGED: Cell<bool> = Cell::new(false);
    }

    /// loom treats a sequentially consistent access as acquire and release; only its
    /// fences are exact. So this puts a fence between a sequentially consistent change and
    /// the next such load of the same thread. Weaker accesses are left as they are.
    pub(crate) struct AtomicU64(loom::sync::atomic::AtomicU64);

    impl AtomicU64 {
        pub(crate) fn new(value: u64) -> Self {
            Self(loom::sync::atomic::AtomicU64::new(value))
        }

        pub(crate) fn load(&self, order: Ordering) -> u64 {
            if order == Ordering::SeqCst && CHANGED.with(|changed| changed.replace(false)) {
                fence(order);
            }
            self.0.load(order)
        }

        pub(crate) fn fetch_add(&self, by: u64, order: Ordering) -> u64 {
            note(order);
            self.0.fetch_add(by, order)
        }

        pub(crate) fn fetch_sub(&self, by: u64, order: Ordering) -> u64 {
            note(order);
            self.0.fetch_sub(by, order)
        }
    }

    fn note(order: Ordering) {
        if order == Ordering::SeqCst {
            CHANGED.with(|changed| changed.set(true));
        }
    }

    impl Deref for AtomicU64 {
        type Target = loom::sync::atomic::AtomicU64;

        fn deref(&self) -> &Self::Target {
            &self.0
        }
    }

    /// loom's mutex with the interface of `parking_lot`'s.
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}

/// Shuttle's mutex with the interface of `parking_lot`'s.
#[cfg(shuttle)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

#[cfg(shuttle)]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
        // A panic under a lock leaves the value consistent, as with `parking_lot`, which
        // has no poisoning.
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(shuttle)]
pub(crate) type ShardMutex<T> = Mutex<T>;

#[cfg(not(shuttle))]
pub(crate) type ShardGuard<'a, T> = spin::mutex::SpinMutexGuard<'a, T>;

/// The spin lock of a shard. Every hit takes it, for some tens of nanoseconds; releasing
/// it is a plain store, which a lock that parks its waiters cannot do. A thread that finds
/// it taken spins, then yields, then sleeps, so that a preempted holder gets to run.
#[cfg(not(shuttle))]
pub(crate) struct ShardMutex<T>(spin::mutex::SpinMutex<T>);

#[cfg(not(shuttle))]
impl<T> ShardMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(spin::mutex::SpinMutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> ShardGuard<'_, T> {
        match self.0.try_lock() {
            Some(guard) => guard,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> ShardGuard<'_, T> {
        const SPINS: u32 = 64;
        const YIELDS: u32 = SPINS + 64;
        let mut tries = 0_u32;
        loop {
            if let Some(guard) = self.0.try_lock_weak() {
                return guard;
            }
            match tries {
                0..SPINS => std::hint::spin_loop(),
                SPINS..YIELDS => thread::yield_now(),
                _ => thread::sleep(std::time::Duration::from_micros(50)),
            }
            tries = tries.saturating_add(1);
        }
    }
}
