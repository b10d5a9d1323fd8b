//! [`ChangeFeed`], the trait of feeds of changes.

use std::sync::Arc;

use intent_router::{BoxFuture, Catalogue, Coverage};

use super::event::{ChangeEvent, Position};

/// Reads a position as a client writes it; `None` if it is malformed.
pub type PositionParser = fn(&str) -> Option<Position>;

/// A feed of the changes of one database.
///
/// A feed reconnects by itself, without end: it reports a
/// [gap](ChangeEvent::Gap), then nothing until it is connected, then a
/// [position](ChangeEvent::Position). It holds a bounded number of changes; while
/// nobody asks for the next event, it stops reading.
pub trait ChangeFeed: Send {
    /// The tables whose changes it reports; the same during its whole life.
    fn coverage(&self) -> Coverage;

    /// Reads the positions of this feed; `None` if it has none.
    fn positions(&self) -> Option<PositionParser>;

    /// The next event. Dropping the future loses no event.
    fn next(&mut self) -> BoxFuture<'_, ChangeEvent>;

    /// Takes another catalogue, whose declared tables decide which columns are
    /// reported. Events already under way may still follow the former one.
    fn set_catalogue(&mut self, catalogue: Arc<Catalogue>);
}
