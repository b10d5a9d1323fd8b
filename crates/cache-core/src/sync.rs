//! Locks, atomics and threads, in one place so that a scheduler which explores
//! interleavings (`--cfg shuttle`) can stand in for the real ones.

#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::MutexGuard,
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
