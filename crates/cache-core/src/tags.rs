//! Which entries a tag reaches: an index local to each shard.
//!
//! A tag is a node with the list of its entries' links; an entry is the chain
//! of its links. Both are walked only over what is removed, and the node of a
//! tag goes with its last entry, so that a tag without entries costs nothing.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::{
    list::{Link, Links, List, NONE},
    slab::Slab,
};

/// The largest number of different tags that one entry can carry.
pub const MAX_TAGS: usize = 1_024;

/// The tags of one entry, each once, with their hashes.
pub(crate) struct TagSet<'a> {
    /// In ascending order.
    tags: Vec<(u64, &'a str)>,
}

impl<'a> TagSet<'a> {
    pub(crate) fn new(tags: &[&'a str], hasher: &impl BuildHasher) -> Self {
        let mut tags: Vec<_> = tags
            .iter()
            .map(|&tag| (hasher.hash_one(tag), tag))
            .collect();
        tags.sort_unstable();
        tags.dedup();
        Self { tags }
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.tags.len() > MAX_TAGS
    }

    pub(crate) fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether a tag with this hash is among them.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.tags
            .binary_search_by_key(&hash, |&(own, _)| own)
            .is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &'a str)> + '_ {
        self.tags.iter().copied()
    }
}

/// A tag that at least one entry of the shard carries.
#[derive(Debug)]
struct Tag {
    name: Box<str>,
    hash: u64,
    entries: List<0>,
}

impl Default for Tag {
    fn default() -> Self {
        Self {
            name: Box::default(),
            hash: 0,
            entries: List::new(),
        }
    }
}

/// That an entry carries a tag.
#[derive(Debug)]
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
    names: HashTable<u32>,
    tags: Slab<Tag>,
    links: Slab<TagLink>,
}

impl TagIndex {
    pub(crate) const fn new() -> Self {
        Self {
            names: HashTable::new(),
            tags: Slab::new(),
            links: Slab::new(),
        }
    }

    fn find(&self, hash: u64, name: &str) -> Option<u32> {
        self.names
            .find(hash, |&at| *self.tags[at].name == *name)
            .copied()
    }

    /// Whether an entry with so many tags fits.
    pub(crate) fn has_room(&self, tags: usize) -> bool {
        // There are never more tags than links.
        self.links.has_room(tags)
    }

    /// Adds a tag to an entry whose chain begins at `first`, and returns the
    /// chain's new beginning.
    #[must_use]
    pub(crate) fn add(&mut self, entry: u32, first: u32, hash: u64, name: &str) -> u32 {
        let tag = self
            .find(hash, name)
            .unwrap_or_else(|| self.add_name(hash, name));
        let link = self.links.insert(TagLink {
            link: Link::UNLINKED,
            tag,
            entry,
            next_of_entry: first,
        });
        self.tags[tag].entries.push_back(&mut self.links, link);
        link
    }

    fn add_name(&mut self, hash: u64, name: &str) -> u32 {
        let tag = self.tags.insert(Tag {
            name: name.into(),
            hash,
            entries: List::new(),
        });
        let tags = &self.tags;
        self.names.insert_unique(hash, tag, |&at| tags[at].hash);
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
        let Tag { hash, .. } = self.tags.remove(tag);
        if let Ok(name) = self.names.find_entry(hash, |&at| at == tag) {
            name.remove();
        }
    }

    /// Some entry that carries the tag.
    pub(crate) fn first_entry(&self, hash: u64, name: &str) -> Option<u32> {
        let tag = self.find(hash, name)?;
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
            let tag = &self.tags[self.links[at].tag];
            copied = into.add(entry, copied, tag.hash, &tag.name);
            at = self.links[at].next_of_entry;
        }
        copied
    }

    /// The tags of the chain that begins at `first`.
    pub(crate) fn chain(&self, first: u32) -> impl Iterator<Item = (u32, &str)> {
        let first = Some(first).filter(|&at| at != NONE);
        std::iter::successors(first, |&at| {
            Some(self.links[at].next_of_entry).filter(|&at| at != NONE)
        })
        .map(|at| (self.links[at].entry, &*self.tags[self.links[at].tag].name))
    }

    /// Checks that tags, names and links agree; `chained` is the number of
    /// links found by walking the chains of all entries.
    pub(crate) fn validate(&self, chained: usize) -> Result<(), String> {
        let mut linked = 0;
        for &at in &self.names {
            let tag = &self.tags[at];
            if tag.entries.len == 0 || self.find(tag.hash, &tag.name) != Some(at) {
                return Err(format!("tag {:?} is empty or not found", tag.name));
            }
            tag.entries.validate(&self.links)?;
            if tag
                .entries
                .iter(&self.links)
                .any(|link| self.links[link].tag != at)
            {
                return Err(format!("tag {:?} holds a link of another", tag.name));
            }
            linked += tag.entries.len as usize;
        }
        if (linked, self.names.len()) != (self.links.len(), self.tags.len()) || linked != chained {
            return Err(format!(
                "{linked} tag links in lists, {chained} in chains, {} in all",
                self.links.len()
            ));
        }
        Ok(())
    }
}
