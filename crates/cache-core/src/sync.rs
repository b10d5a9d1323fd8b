//! Locks, atomics and threads, in one place so that a scheduler which explores
//! interleavings (`--cfg shuttle`) can stand in for the real ones.

#[cfg(not(shuttle))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::MutexGuard as ShardGuard,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

/// A mutex of the exploring scheduler with the interface of `parking_lot`'s.
#[cfg(shuttle)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

#[cfg(shuttle)]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
        // A panic under a lock leaves the value whole here, as it does with
        // `parking_lot`, which has no poisoning.
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(shuttle)]
pub(crate) type ShardMutex<T> = Mutex<T>;

#[cfg(not(shuttle))]
pub(crate) type ShardGuard<'a, T> = spin::mutex::SpinMutexGuard<'a, T>;

/// The lock of a shard. It is held for some tens of nanoseconds, and taken by
/// every hit; releasing it is a plain store, which a lock that parks those who
/// wait cannot do. Whoever finds it taken tries some times, then lets others
/// run, then sleeps, so that a thread that lost its processor while it held the
/// lock gets it back.
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
