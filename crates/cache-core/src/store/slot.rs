//! An entry as a shard stores it.

use std::num::NonZeroU32;

use crate::{
    class::TtlClass,
    clock::Moment,
    policy::Origin,
    store::{
        class_queues::CLASS_QUEUE,
        list::{Link, Links},
        marks::{EVICTION_QUEUE, Marks},
        table::{Hashed, Table},
    },
};

/// An entry. The fields that a hit touches come first: for keys and values of 16 bytes,
/// the 48 bytes before the links.
#[repr(C)]
pub(crate) struct Slot<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    pub(super) written: Moment,
    /// Never zero, so that `Option<Slot>` takes no more memory.
    pub(super) hash: NonZeroU32,
    pub(super) class: TtlClass,
    pub(super) marks: Marks,
    /// Distinguishes successive entries at one position.
    pub(super) serial: u8,
    pub(super) origin: Origin,
    /// Neighbours in the eviction queue and in the class queue.
    pub(super) links: [Link; 2],
}

impl<K, V> Hashed for Slot<K, V> {
    fn hash(&self) -> u32 {
        self.hash.get()
    }
}

impl<K, V> Links<EVICTION_QUEUE> for Table<Slot<K, V>> {
    fn link(&self, at: u32) -> Link {
        self[at].links[EVICTION_QUEUE]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].links[EVICTION_QUEUE]
    }
}

impl<K, V> Links<CLASS_QUEUE> for Table<Slot<K, V>> {
    fn link(&self, at: u32) -> Link {
        self[at].links[CLASS_QUEUE]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].links[CLASS_QUEUE]
    }
}
