//! The slots of a message, and whether they can replace it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::carried::Carried;
use super::date::Date;
use super::guard::{self, Guard};
use super::takings::takings;
use super::values::Slots;
use crate::catalogue::{Catalogue, Intent, KeyMode};
use crate::text::{self, Folded};

/// The slots of a message, and the guard that forbids relying on them, if
/// any.
///
/// If a guard applies, the slots are withheld: they neither replace the message in
/// its key nor narrow the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    found: Slots,
    guard: Option<Guard>,
}

/// The slots that may be used if a guard applies.
static NONE: Slots = Slots(BTreeMap::new());

impl Reading {
    /// Reads a message whose intent was detected with this confidence.
    ///
    /// Periods such as "last month" count from `today`. Cost: one pass over the
    /// message per slot, and one more for the guards. An intent without slots
    /// costs nothing, unless its key mode is `slots`.
    ///
    /// ```
    /// use intent_router::{Catalogue, Date, Guard, Reading};
    ///
    /// let catalogue = Catalogue::built_in();
    /// let intent = catalogue.get("claim_status").ok_or("no such intent")?;
    /// let today = Date::new(2025, 3, 14).ok_or("no such day")?;
    /// let read = |message| Reading::of(intent, catalogue, message, today, 0.9);
    ///
    /// let plain = read("What is the status of my claim CLM-2025-000123, please?");
    /// assert_eq!(plain.slots().key_text(), "claim_number=CLM-2025-000123");
    /// assert_eq!(plain.guard(), None);
    ///
    /// let denied = read("Show my claims except CLM-2025-000123");
    /// assert_eq!(denied.found(), plain.found());
    /// assert_eq!(denied.guard(), Some(Guard::Negation));
    /// // What is doubted does not narrow the answer.
    /// assert!(denied.slots().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(
        intent: &Intent,
        catalogue: &Catalogue,
        message: &str,
        today: Date,
        confidence: f64,
    ) -> Self {
        let nothing = Carried::default();
        let folded = Folded::of(message);
        Self::after(nothing, intent, catalogue, &folded, today, confidence)
    }

    /// Reads a message that continues a conversation, whose slots are carried
    /// over. Slots that the message names take precedence. A message that is too
    /// long to be folded or read has no slots and the guard
    /// [`Length`](Guard::Length).
    pub(crate) fn after(
        carried: Carried,
        intent: &Intent,
        catalogue: &Catalogue,
        message: &Folded<'_>,
        today: Date,
        confidence: f64,
    ) -> Self {
        if intent.slots.is_empty() && intent.key != KeyMode::Slots {
            return Self::default();
        }
        let Carried(mut found) = carried;
        let takings = |text| Some((text, takings(intent, catalogue, text, today)?));
        let Some((text, takings)) = message.normal.as_deref().and_then(takings) else {
            let guard = Some(Guard::Length);
            return Self { found, guard };
        };
        let guard = if confidence < catalogue.guards().confidence {
            Some(Guard::LowConfidence)
        } else if takings.has_several {
            Some(Guard::SeveralValues)
        } else if text::folds_a_number(message.message) {
            Some(Guard::Number)
        } else if !takings.covers.is_empty() && text::trails_off(message.message) {
            Some(Guard::UnknownWord)
        } else {
            guard::check(catalogue, intent, text, &takings.covers)
        };
        found.0.extend(takings.slots.0);
        Self { found, guard }
    }

    /// The slots that were given with a message, which is then not read for any:
    /// no guard can withhold them.
    pub(crate) fn given(Carried(found): Carried) -> Self {
        let guard = None;
        Self { found, guard }
    }

    /// The slots found, whether or not a guard applies.
    pub fn found(&self) -> &Slots {
        &self.found
    }

    /// The slots that may narrow the answer: those found, or none if a guard
    /// applies.
    pub fn slots(&self) -> &Slots {
        match self.guard {
            None => &self.found,
            Some(_) => &NONE,
        }
    }

    /// The [`slots`](Self::slots), without a copy.
    pub(crate) fn into_slots(self) -> Slots {
        match self.guard {
            None => self.found,
            Some(_) => Slots::default(),
        }
    }

    /// The guard that applies; `None` if the slots say all of the message, and for
    /// an intent without slots.
    pub fn guard(&self) -> Option<Guard> {
        self.guard
    }

    /// The text that replaces the message in the key mode `slots`: the list of
    /// its slots ([`Slots::key_text`]), or the message if a guard applies.
    ///
    /// A message that is empty or contains `=` is prefixed with `=`. So it never
    /// equals the slot list of another message, which is empty, or contains `=`
    /// and begins with the name of a slot. Different messages stay different, as
    /// every message that begins with `=` is prefixed.
    pub fn key_text<'m>(&self, message: &'m str) -> Cow<'m, str> {
        if self.guard.is_none() {
            Cow::Owned(self.found.key_text())
        } else if message.is_empty() || message.contains('=') {
            Cow::Owned(format!("={message}"))
        } else {
            Cow::Borrowed(message)
        }
    }
}
