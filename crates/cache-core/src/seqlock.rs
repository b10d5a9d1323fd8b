//! A sequence lock over atomics, for a few words with many readers and few writers.
//!
//! Readers write nothing, so they do not contend. A reader that meets a writer takes the
//! writers' lock instead of spinning.

use crate::seeded_bugs;
use crate::sync::unscheduled::{AtomicU64, Mutex, Ordering, fence};

/// `N` words that are read together, and one word that may be read alone.
pub(crate) struct SeqLock<const N: usize> {
    /// Read without the others, on the hottest path.
    alone: AtomicU64,
    /// Odd while the words are being written.
    version: AtomicU64,
    words: [AtomicU64; N],
    writing: Mutex<()>,
}

impl<const N: usize> SeqLock<N> {
    pub(crate) fn new(alone: u64, words: [u64; N]) -> Self {
        Self {
            alone: AtomicU64::new(alone),
            version: AtomicU64::new(0),
            words: words.map(AtomicU64::new),
            writing: Mutex::new(()),
        }
    }

    pub(crate) fn alone(&self) -> u64 {
        self.alone.load(Ordering::Relaxed)
    }

    /// The words of one write, never a mixture of two.
    pub(crate) fn read(&self) -> [u64; N] {
        let before = self.version.load(Ordering::Acquire);
        if before.is_multiple_of(2) {
            let words = self.load();
            // The words are read before the version is checked again.
            if !seeded_bugs::read_without_fence() {
                fence(Ordering::Acquire);
            }
            if self.version.load(Ordering::Relaxed) == before {
                return words;
            }
        }
        let _writing = self.writing.lock();
        self.load()
    }

    fn load(&self) -> [u64; N] {
        std::array::from_fn(|at| self.words[at].load(Ordering::Relaxed))
    }

    pub(crate) fn write(&self, alone: u64, words: [u64; N]) {
        let _writing = self.writing.lock();
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        // The version is odd before the first word changes.
        if !seeded_bugs::write_without_fence() {
            fence(Ordering::Release);
        }
        for (place, word) in self.words.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.alone.store(alone, Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }
}

#[cfg(all(test, not(any(shuttle, memory_model))))]
mod tests {
    use super::*;

    #[test]
    fn words_of_two_writings_are_never_mixed() {
        let record = SeqLock::new(0, [0; 6]);
        std::thread::scope(|scope| {
            for writer in 1..=2 {
                let record = &record;
                scope.spawn(move || {
                    for round in 0..50_000 {
                        let word = round * 2 + writer;
                        record.write(word, [word; 6]);
                    }
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..50_000 {
                        let words = record.read();
                        assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
                    }
                });
            }
        });
        assert_eq!(record.read(), [record.alone(); 6]);
    }
}
