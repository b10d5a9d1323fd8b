//! The tag index of a shard: the entries of each tag.
//!
//! Each (tag, entry) link is in two lists: the tag's entries, whose head is found by hash,
//! and the entry's tags. Both are walked only to remove links, and the last link of a tag
//! removes the tag, so a tag without entries costs nothing.

use std::{
    hash::{BuildHasher, Hasher},
    sync::LazyLock,
};

use hashbrown::{DefaultHashBuilder, HashTable};
use siphasher::sip128::{Hasher128, SipHasher13};
use smallvec::SmallVec;

use crate::{
    store::list::{Link, NONE},
    store::slab::{Slab, is_sparse},
};

/// The largest number of different tags of one entry.
pub const MAX_TAGS: usize = 1_024;

/// A tag as 128 bits: SipHash-1-3 of its name, the same in every process. Names are not
/// stored, so their length does not matter.
///
/// If two tags have the same bits, by chance or because someone made them so, they are
/// invalidated together: an invalidation removes too much, never too little.
///
/// ```
/// use cache_core::TagId;
///
/// let tag = TagId::of("claim:12");
/// assert_eq!(TagId::from_bits(tag.bits()), tag);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagId(u64, u64);

impl TagId {
    /// The tag with this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let mut hash = SipHasher13::new_with_keys(0, 0);
        hash.write(name.as_bytes());
        let hash = hash.finish128();
        Self(hash.h1, hash.h2)
    }

    /// The tag with these bits, which [`bits`](Self::bits) returned.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self((bits >> 64) as u64, bits as u64)
    }

    /// Its bits, to be kept outside of the cache.
    #[must_use]
    pub const fn bits(self) -> u128 {
        (self.0 as u128) << 64 | self.1 as u128
    }

    /// Its hash in the index. Seeded in each process, so that nobody can choose tags that
    /// fill one part of the table.
    fn place(self) -> u64 {
        static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(Default::default);
        SEED.hash_one((self.0, self.1))
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

impl FromIterator<TagId> for TagSet {
    fn from_iter<T: IntoIterator<Item = TagId>>(tags: T) -> Self {
        let mut set = Self {
            tags: tags.into_iter().collect(),
        };
        set.sort();
        set
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
        self.heads.find(tag.place(), same).copied()
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
            let rehash = |&head: &u32| links[head].tag.place();
            self.heads.insert_unique(tag.place(), at, rehash);
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
            } else if let Ok(mut found) = self.heads.find_entry(tag.place(), |&head| head == at) {
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

    /// The tags of the chain that starts at `first`.
    pub(crate) fn tags_of(&self, first: u32) -> impl Iterator<Item = TagId> {
        self.links_of(first).map(|link| link.tag)
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
