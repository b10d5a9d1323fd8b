//! Doubly linked lists whose links are stored in the elements of a slab: constant-time
//! removal from the middle, no allocation.

/// The index that means "no element".
pub(crate) const NONE: u32 = u32::MAX;

/// Converts a position to an index. Slabs never grow beyond [`NONE`] elements.
pub(crate) fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(NONE)
}

/// An element's neighbours in one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) prev: u32,
    pub(crate) next: u32,
}

impl Link {
    pub(crate) const UNLINKED: Self = Self {
        prev: NONE,
        next: NONE,
    };
}

/// A slab whose elements each have a [`Link`] for list number `LIST`.
pub(crate) trait Links<const LIST: usize> {
    fn link(&self, at: u32) -> Link;
    fn link_mut(&mut self, at: u32) -> &mut Link;
}

/// Head, tail and length of a list whose links are in a slab.
#[derive(Debug)]
pub(crate) struct List<const LIST: usize> {
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) len: u32,
}

impl<const LIST: usize> List<LIST> {
    pub(crate) const fn new() -> Self {
        Self {
            head: NONE,
            tail: NONE,
            len: 0,
        }
    }

    #[inline]
    pub(crate) fn push_back(&mut self, slab: &mut impl Links<LIST>, at: u32) {
        *slab.link_mut(at) = Link {
            prev: self.tail,
            next: NONE,
        };
        match self.tail {
            NONE => self.head = at,
            tail => slab.link_mut(tail).next = at,
        }
        self.tail = at;
        self.len += 1;
    }

    /// Inserts an element before another one of this list.
    pub(crate) fn insert_before(&mut self, slab: &mut impl Links<LIST>, at: u32, next: u32) {
        let prev = std::mem::replace(&mut slab.link_mut(next).prev, at);
        *slab.link_mut(at) = Link { prev, next };
        match prev {
            NONE => self.head = at,
            prev => slab.link_mut(prev).next = at,
        }
        self.len += 1;
    }

    #[inline]
    pub(crate) fn remove(&mut self, slab: &mut impl Links<LIST>, at: u32) {
        let Link { prev, next } = slab.link(at);
        match prev {
            NONE => self.head = next,
            prev => slab.link_mut(prev).next = next,
        }
        match next {
            NONE => self.tail = prev,
            next => slab.link_mut(next).prev = prev,
        }
        self.len -= 1;
    }

    /// Updates the ends after the elements moved in their slab.
    pub(crate) fn remap(&mut self, new: impl Fn(u32) -> u32) {
        self.head = new(self.head);
        self.tail = new(self.tail);
    }

    /// The elements from front to back.
    pub(crate) fn iter<'a>(&self, slab: &'a impl Links<LIST>) -> impl Iterator<Item = u32> + 'a {
        let first = Some(self.head).filter(|&at| at != NONE);
        std::iter::successors(first, move |&at| {
            Some(slab.link(at).next).filter(|&at| at != NONE)
        })
    }

    /// Checks that the links agree in both directions and with the length.
    pub(crate) fn validate(&self, slab: &impl Links<LIST>) -> Result<(), String> {
        let (mut at, mut prev, mut seen) = (self.head, NONE, 0);
        while at != NONE {
            let link = slab.link(at);
            if link.prev != prev || seen >= self.len {
                return Err(format!("list {LIST}: broken link at {at}"));
            }
            seen += 1;
            (prev, at) = (at, link.next);
        }
        if prev != self.tail || seen != self.len {
            return Err(format!("list {LIST}: {seen} elements, length {}", self.len));
        }
        Ok(())
    }
}
