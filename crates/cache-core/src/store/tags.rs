//! The tag index of a shard: the entries of each tag.
//!
//! Each (tag, entry) link is in two lists: the tag's entries, whose head is found by hash,
//! and the entry's tags. Both are walked only to remove links, and the last link of a tag
//! removes the tag, so a tag without entries costs nothing.

use std::{hash::BuildHasher, sync::LazyLock};

use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use crate::{
    store::list::{Link, NONE},
    store::slab::{Slab, is_sparse},
};

/// The largest number of different tags of one entry.
pub const MAX_TAGS: usize = 1_024;

/// A tag as 128 bits: two hashes with different seeds. If two tags have the same bits (one
/// pair in 2^128), they are invalidated together. Names are not stored, so their length
/// does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TagId(u64, u64);

impl TagId {
    /// Hashes a tag with the seeds of this process.
    pub(crate) fn of(tag: &str) -> Self {
        static SEEDS: LazyLock<[DefaultHashBuilder; 2]> = LazyLock::new(Default::default);
        let [first, second] = &*SEEDS;
        Self(first.hash_one(tag), second.hash_one(tag))
    }
}

/// The tags of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagSet {
    /// Ascending and without duplicates after [`sort`](Self::sort).
    tags: SmallVec<[TagId; 4]>,
}

impl TagSet {
    pub(crate) fn push(&mut self, tag: &str) {
        self.tags.push(TagId::of(tag));
    }

    #[inline]
    pub(crate) fn sort(&mut self) {
        if self.tags.len() > 1 {
            self.tags.sort_unstable();
            self.tags.dedup();
        }
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.tags.len() > MAX_TAGS
    }

    pub(crate) fn len(&self) -> usize {
        self.tags.len()
    }

    pub(crate) fn contains(&self, tag: TagId) -> bool {
        self.tags.binary_search(&tag).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = TagId> + '_ {
        self.tags.iter().copied()
    }
}

/// A link between a tag and an entry. Two of them fill a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct TagLink {
    tag: TagId,
    /// Neighbours in the list of the tag's entries.
    link: Link,
    entry: u32,
    next_of_entry: u32,
}

/// The tags of a shard's entries.
#[derive(Debug)]
pub(crate) struct TagIndex {
    /// The first link of each tag.
    heads: HashTable<u32>,
    links: Slab<TagLink>,
}

impl TagIndex {
    pub(crate) const fn new() -> Self {
        Self {
            heads: HashTable::new(),
            links: Slab::new(),
        }
    }

    fn find(&self, tag: TagId) -> Option<u32> {
        let same = |&head: &u32| self.links[head].tag == tag;
        self.heads.find(tag.0, same).copied()
    }

    /// Whether an entry with `tags` tags can be added.
    pub(crate) fn has_room(&self, tags: usize) -> bool {
        self.links.has_room(tags)
    }

    /// Adds a tag to an entry whose chain of links starts at `first`, and returns the new
    /// first link.
    #[must_use]
    pub(crate) fn add(&mut self, entry: u32, first: u32, tag: TagId) -> u32 {
        let head = self.find(tag);
        let at = self.links.insert(TagLink {
            tag,
            link: Link::UNLINKED,
            entry,
            next_of_entry: first,
        });
        if let Some(head) = head {
            // Inserted second, so that the hash table does not change.
            let next = std::mem::replace(&mut self.links[head].link.next, at);
            self.links[at].link = Link { prev: head, next };
            if next != NONE {
                self.links[next].link.prev = at;
            }
        } else {
            let links = &self.links;
            let rehash = |&head: &u32| links[head].tag.0;
            self.heads.insert_unique(tag.0, at, rehash);
        }
        at
    }

    /// Removes an entry's chain of links.
    #[inline]
    pub(crate) fn remove_chain(&mut self, first: u32) {
        let mut at = first;
        while at != NONE {
            let TagLink {
                tag,
                link: Link { prev, next },
                next_of_entry,
                ..
            } = self.links.remove(at);
            if next != NONE {
                self.links[next].link.prev = prev;
            }
            if prev != NONE {
                self.links[prev].link.next = next;
            } else if let Ok(mut found) = self.heads.find_entry(tag.0, |&head| head == at) {
                if next == NONE {
                    found.remove();
                } else {
                    *found.get_mut() = next;
                }
            }
            at = next_of_entry;
        }
    }

    /// Any entry with the tag.
    pub(crate) fn first_entry(&self, tag: TagId) -> Option<u32> {
        Some(self.links[self.find(tag)?].entry)
    }

    pub(crate) fn is_sparse(&self) -> bool {
        self.links.is_sparse() || is_sparse(self.heads.len(), self.heads.capacity())
    }

    /// Updates the positions of entries after they moved.
    pub(crate) fn remap(&mut self, new: impl Fn(u32) -> u32) {
        for link in self.links.iter_mut() {
            link.entry = new(link.entry);
        }
    }

    /// Copies the chain that starts at `first` into the index `into`, for `entry`.
    pub(crate) fn copy_chain(&self, first: u32, into: &mut Self, entry: u32) -> u32 {
        let links = self.links_of(first);
        links.fold(NONE, |copied, link| into.add(entry, copied, link.tag))
    }

    /// The entry of each link of the chain that starts at `first`.
    pub(crate) fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        self.links_of(first).map(|link| link.entry)
    }

    fn links_of(&self, first: u32) -> impl Iterator<Item = &TagLink> {
        let link = |at| (at != NONE).then(|| &self.links[at]);
        std::iter::successors(link(first), move |last| link(last.next_of_entry))
    }

    /// Checks that hash table and links are consistent; `chained` is the number of links
    /// in the chains of all entries.
    pub(crate) fn validate(&self, chained: usize) -> Result<(), String> {
        let mut linked = 0;
        for &head in &self.heads {
            let tag = self.links[head].tag;
            if self.find(tag) != Some(head) {
                return Err(format!("tag link {head} is not found by its tag"));
            }
            let (mut prev, mut at) = (NONE, head);
            while at != NONE {
                let link = &self.links[at];
                if link.tag != tag || link.link.prev != prev || linked == self.links.len() {
                    return Err(format!("broken tag link at {at}"));
                }
                linked += 1;
                (prev, at) = (at, link.link.next);
            }
        }
        if linked != self.links.len() || linked != chained {
            return Err(format!(
                "{linked} tag links in lists, {chained} in chains, {} in all",
                self.links.len()
            ));
        }
        Ok(())
    }
}
