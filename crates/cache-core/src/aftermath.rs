//! What is left to do once the lock of a shard is released: user code runs here.

use std::task::Waker;

use smallvec::SmallVec;

use crate::{
    flight::{Flight, Given, Joined, serve},
    log::InvalidationLog,
    shard::Garbage,
};

/// What left, to be dropped, and who waits, to be served. Made before the lock is
/// taken, so that it is dropped after it in any case.
pub(crate) struct Aftermath<K, V> {
    pub(crate) garbage: Garbage<K, V>,
    /// The entry that left its place to a new one.
    pub(crate) evicted: Option<(K, V)>,
    /// The live entry that a new one replaced.
    pub(crate) replaced: Option<(K, V)>,
    /// Most insertions end no flight.
    duties: Option<Box<Duties<K, V>>>,
}

/// What a flight that ended leaves to be done.
pub(crate) struct Duties<K, V> {
    /// To be dropped.
    pub(crate) keys: SmallVec<[K; 2]>,
    pub(crate) waiters: Vec<Joined<V>>,
    /// What the waiters get; present if there are any.
    pub(crate) given: Option<Given<V>>,
    /// Who was elected to fill.
    pub(crate) elected: Option<Waker>,
    /// How many permits were called back.
    recalled: usize,
}

impl<K, V> Aftermath<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            garbage: Garbage::new(),
            evicted: None,
            replaced: None,
            duties: None,
        }
    }

    pub(crate) fn duties(&mut self) -> &mut Duties<K, V> {
        self.duties.get_or_insert_with(|| {
            Box::new(Duties {
                keys: SmallVec::new(),
                waiters: Vec::new(),
                given: None,
                elected: None,
                recalled: 0,
            })
        })
    }

    /// How many wait to be served.
    pub(crate) fn waiting(&self) -> usize {
        self.duties
            .as_ref()
            .map_or(0, |duties| duties.waiters.len())
    }

    /// Takes over what an ended flight leaves, under the lock of the shard.
    pub(crate) fn land(&mut self, flight: Option<Flight<K, V>>) {
        if let Some(flight) = flight {
            let landed = flight.into_parts();
            let duties = self.duties();
            duties.keys.push(landed.key);
            duties.waiters.extend(landed.waiters);
            duties.recalled += usize::from(landed.recalled);
        }
    }

    /// Serves the waiters, and only then drops what left: a drop of the user
    /// may take long, and may panic.
    #[inline]
    pub(crate) fn run(&mut self, log: &InvalidationLog<K, V>) {
        if let Some(duties) = self.duties.take() {
            duties.run(log);
        }
    }
}

impl<K, V> Duties<K, V> {
    fn run(self, log: &InvalidationLog<K, V>) {
        serve(self.waiters, self.given, self.elected);
        for _ in 0..self.recalled {
            log.close();
        }
    }
}
