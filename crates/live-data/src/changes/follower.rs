//! [`Follower`]: from the events of a feed to invalidations and an open gate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use intent_router::{Catalogue, ChangeGate, Selector};

use super::batch::Batch;
use super::event::{ChangeEvent, Position};
use super::mapping::Mapping;

/// Follows a feed of changes.
///
/// Give it every [event](Follower::take) in order. Make each invalidation that it
/// returns, then [tell it](Follower::applied), before the next event. Call
/// [`tick`](Follower::tick) from time to time, so that the gate closes when events
/// no longer come.
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, Instant};
/// use intent_router::{CacheService, Catalogue, ChangeGate, Coverage};
/// use live_data::{ChangeEvent, Follower, Position};
///
/// let cache = CacheService::builder().build()?;
/// let gate = Arc::new(ChangeGate::new(Coverage::Everything));
/// let longest = Duration::from_secs(1);
/// let mut follower = Follower::new(Catalogue::built_in(), Arc::clone(&gate), longest);
/// let event = ChangeEvent::Position { at: Some(Position(7)), as_of: Instant::now() };
/// if let Some(invalidation) = follower.take(event) {
///     cache.invalidate_all_of(&invalidation.selectors);
///     follower.applied(invalidation, Instant::now());
/// }
/// assert!(gate.is_open());
/// assert_eq!(follower.position(), Some(Position(7)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Follower {
    mapping: Mapping,
    gate: Arc<ChangeGate>,
    max_lag: Duration,
    pending: Batch,
    /// Whether changes may have been missed since the last invalidation of everything.
    has_gap: bool,
    /// Up to when all changes are invalidated.
    as_of: Option<Instant>,
    position: Option<Position>,
}

/// An invalidation to be made in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invalidation {
    /// What changed; nothing if the list is empty.
    pub selectors: Vec<Selector>,
    /// Whether it covers a gap.
    pub ends_gap: bool,
    /// When the changes were committed or noticed.
    pub as_of: Instant,
    at: Option<Position>,
}

impl Follower {
    /// A follower of a feed that has reported nothing yet. It closes the gate, and
    /// opens it while changes are applied within `max_lag`.
    pub fn new(catalogue: &Catalogue, gate: Arc<ChangeGate>, max_lag: Duration) -> Self {
        gate.set_open(false);
        Self {
            mapping: Mapping::new(catalogue, gate.coverage().clone()),
            gate,
            max_lag,
            pending: Batch::default(),
            has_gap: true,
            as_of: None,
            position: None,
        }
    }

    /// Takes an event. If it returns an invalidation, make it before the next event.
    pub fn take(&mut self, event: ChangeEvent) -> Option<Invalidation> {
        match event {
            ChangeEvent::Row(change) => self.mapping.add_row(&change, &mut self.pending),
            ChangeEvent::Table(table) => {
                self.mapping.add_table(table.as_deref(), &mut self.pending);
            }
            ChangeEvent::Gap { .. } => self.gap(),
            ChangeEvent::Position { at, as_of } => {
                let pending = std::mem::take(&mut self.pending);
                return Some(Invalidation {
                    selectors: if self.has_gap {
                        self.mapping.everything()
                    } else {
                        pending.into_selectors()
                    },
                    ends_gap: self.has_gap,
                    as_of,
                    at,
                });
            }
        }
        None
    }

    fn gap(&mut self) {
        self.gate.set_open(false);
        self.has_gap = true;
        self.pending = Batch::default();
        self.position = None;
        self.as_of = None;
    }

    /// Notes that an invalidation was made. Opens the gate if it is recent enough.
    pub fn applied(&mut self, invalidation: Invalidation, now: Instant) {
        self.has_gap = false;
        self.as_of = Some(invalidation.as_of);
        self.position = invalidation.at;
        self.tick(now);
    }

    /// Closes the gate if the changes of the last `max_lag` are not applied, and
    /// opens it if they are.
    pub fn tick(&mut self, now: Instant) {
        let is_recent = |lag| lag <= self.max_lag;
        self.gate.set_open(self.lag(now).is_some_and(is_recent));
    }

    /// Follows another catalogue, as after a gap: answers made by the former one
    /// have the tags of its tables.
    pub fn set_catalogue(&mut self, catalogue: &Catalogue) {
        self.mapping = Mapping::new(catalogue, self.gate.coverage().clone());
        self.gap();
    }

    /// How old the oldest change is that may not be applied; `None` in a gap.
    pub fn lag(&self, now: Instant) -> Option<Duration> {
        let as_of = self.as_of?;
        Some(now.saturating_duration_since(as_of))
    }

    /// Up to where all changes are applied, if the feed has positions.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// The mapping of the catalogue.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}
