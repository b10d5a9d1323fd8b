//! An entry as a shard holds it.

use std::num::NonZeroU32;

use crate::{
    class::TtlClass,
    clock::Moment,
    judge::Origin,
    store::{
        class_queues::WRITTEN,
        list::{Link, Links},
        marks::{ARRIVAL, Marks},
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

impl<K, V> Links<ARRIVAL> for Table<Slot<K, V>> {
    fn link(&self, at: u32) -> Link {
        self[at].links[ARRIVAL]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].links[ARRIVAL]
    }
}

impl<K, V> Links<WRITTEN> for Table<Slot<K, V>> {
    fn link(&self, at: u32) -> Link {
        self[at].links[WRITTEN]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].links[WRITTEN]
    }
}
