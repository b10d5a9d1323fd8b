//! Which entries a tag reaches: an index local to each shard.
//!
//! A tag is a node with the list of its entries' links; an entry is the chain
//! of its links. Both are walked only over what is removed, and the node of a
//! tag goes with its last entry, so that a tag without entries costs nothing.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use crate::{
    list::{Link, Links, List, NONE},
    slab::Slab,
};

/// The largest number of different tags that one entry can carry.
pub const MAX_TAGS: usize = 1_024;

/// A tag as the cache knows it: 128 bits of two hashes with seeds of their own.
/// Two tags that shared them, one pair in 2^128, would only be invalidated
/// together. Names are not kept, so that their length bounds nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TagId(u64, u64);

/// How tags are hashed, whatever hashes the keys.
#[derive(Default)]
pub(crate) struct TagHasher(DefaultHashBuilder, DefaultHashBuilder);

impl TagHasher {
    pub(crate) fn id(&self, tag: &str) -> TagId {
        TagId(self.0.hash_one(tag), self.1.hash_one(tag))
    }
}

/// The tags of one entry, each once.
pub(crate) struct TagSet {
    /// In ascending order.
    tags: SmallVec<[TagId; 4]>,
}

impl TagSet {
    pub(crate) fn new(tags: &[&str], hasher: &TagHasher) -> Self {
        let mut ids = SmallVec::new();
        for tag in tags {
            ids.push(hasher.id(tag));
        }
        if ids.len() > 1 {
            ids.sort_unstable();
            ids.dedup();
        }
        Self { tags: ids }
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

/// A tag that at least one entry of the shard carries.
#[derive(Debug)]
struct Tag {
    id: TagId,
    entries: List<0>,
}

impl Default for Tag {
    fn default() -> Self {
        Self {
            id: TagId(0, 0),
            entries: List::new(),
        }
    }
}

/// That an entry carries a tag.
#[derive(Clone, Copy, Debug)]
struct TagLink {
    link: Link,
    tag: u32,
    entry: u32,
    next_of_entry: u32,
}

impl Default for TagLink {
    fn default() -> Self {
        Self {
            link: Link::UNLINKED,
            tag: NONE,
            entry: NONE,
            next_of_entry: NONE,
        }
    }
}

impl Links<0> for Slab<TagLink> {
    fn link(&self, at: u32) -> Link {
        self[at].link
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].link
    }
}

/// The tags of a shard's entries.
#[derive(Debug)]
pub(crate) struct TagIndex {
    index: HashTable<u32>,
    tags: Slab<Tag>,
    links: Slab<TagLink>,
}

impl TagIndex {
    pub(crate) const fn new() -> Self {
        Self {
            index: HashTable::new(),
            tags: Slab::new(),
            links: Slab::new(),
        }
    }

    fn find(&self, tag: TagId) -> Option<u32> {
        let same = |&at: &u32| self.tags[at].id == tag;
        self.index.find(tag.0, same).copied()
    }

    /// Whether an entry with so many tags fits.
    pub(crate) fn has_room(&self, tags: usize) -> bool {
        // There are never more tags than links.
        self.links.has_room(tags)
    }

    /// Adds a tag to an entry whose chain begins at `first`, and returns the
    /// chain's new beginning.
    #[must_use]
    pub(crate) fn add(&mut self, entry: u32, first: u32, id: TagId) -> u32 {
        let tag = self.find(id).unwrap_or_else(|| self.add_tag(id));
        let link = self.links.insert(TagLink {
            link: Link::UNLINKED,
            tag,
            entry,
            next_of_entry: first,
        });
        self.tags[tag].entries.push_back(&mut self.links, link);
        link
    }

    fn add_tag(&mut self, id: TagId) -> u32 {
        let entries = List::new();
        let tag = self.tags.insert(Tag { id, entries });
        let tags = &self.tags;
        self.index.insert_unique(id.0, tag, |&at| tags[at].id.0);
        tag
    }

    /// Removes the chain of an entry.
    pub(crate) fn remove_chain(&mut self, first: u32) {
        let mut at = first;
        while at != NONE {
            let tag = self.links[at].tag;
            self.tags[tag].entries.remove(&mut self.links, at);
            self.drop_if_empty(tag);
            at = self.links.remove(at).next_of_entry;
        }
    }

    fn drop_if_empty(&mut self, tag: u32) {
        if self.tags[tag].entries.len > 0 {
            return;
        }
        let Tag { id, .. } = self.tags.remove(tag);
        if let Ok(found) = self.index.find_entry(id.0, |&at| at == tag) {
            found.remove();
        }
    }

    /// Some entry that carries the tag.
    pub(crate) fn first_entry(&self, tag: TagId) -> Option<u32> {
        let tag = self.find(tag)?;
        Some(self.links[self.tags[tag].entries.head].entry)
    }

    pub(crate) fn is_sparse(&self) -> bool {
        self.tags.is_sparse() || self.links.is_sparse()
    }

    /// Renames the entries after they moved.
    pub(crate) fn remap(&mut self, new: impl Fn(u32) -> u32) {
        for link in self.links.iter_mut() {
            link.entry = new(link.entry);
        }
    }

    /// Copies the chain that begins at `first` into `into`, for `entry`.
    pub(crate) fn copy_chain(&self, first: u32, into: &mut Self, entry: u32) -> u32 {
        let (mut at, mut copied) = (first, NONE);
        while at != NONE {
            let TagLink {
                tag, next_of_entry, ..
            } = self.links[at];
            copied = into.add(entry, copied, self.tags[tag].id);
            at = next_of_entry;
        }
        copied
    }

    /// Which entry each link of the chain that begins at `first` names.
    pub(crate) fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        let first = Some(first).filter(|&at| at != NONE);
        std::iter::successors(first, |&at| {
            Some(self.links[at].next_of_entry).filter(|&at| at != NONE)
        })
        .map(|at| self.links[at].entry)
    }

    /// Checks that tags, index and links agree; `chained` is the number of
    /// links found by walking the chains of all entries.
    pub(crate) fn validate(&self, chained: usize) -> Result<(), String> {
        let mut linked = 0;
        for &at in &self.index {
            let tag = &self.tags[at];
            if tag.entries.len == 0 || self.find(tag.id) != Some(at) {
                return Err(format!("tag {at} is empty or not found"));
            }
            tag.entries.validate(&self.links)?;
            let mut links = tag.entries.iter(&self.links);
            if links.any(|link| self.links[link].tag != at) {
                return Err(format!("tag {at} holds a link of another"));
            }
            linked += tag.entries.len as usize;
        }
        if (linked, self.index.len()) != (self.links.len(), self.tags.len()) || linked != chained {
            return Err(format!(
                "{linked} tag links in lists, {chained} in chains, {} in all",
                self.links.len()
            ));
        }
        Ok(())
    }
}
