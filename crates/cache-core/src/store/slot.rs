//! An entry as a shard holds it.

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

/// An entry. What a hit touches stands first: for keys and values of 16 bytes,
/// the 48 bytes up to the links.
#[repr(C)]
pub(crate) struct Slot<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    pub(super) written: Moment,
    /// Never zero, so that a vacant place takes no room to mark.
    pub(super) hash: NonZeroU32,
    pub(super) class: TtlClass,
    pub(super) marks: Marks,
    /// Tells the entries that follow each other in one place apart.
    pub(super) serial: u8,
    pub(super) origin: Origin,
    /// Neighbours in the eviction queue and in the queue of the class.
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
