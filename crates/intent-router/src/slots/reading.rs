//! One message read by one intent: its slots, and whether they say it all.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::guard::{self, Cover};
use super::span::Spans;
use super::{Date, Guard, Slots, Taken, amount, calendar, enumeration, pattern};
use crate::catalogue::{Catalogue, Intent, KeyMode, SlotSpec};
use crate::text::{self, normalise, tokens};

/// The slots of a message, and in the key mode `slots` whether they may stand
/// for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    slots: Slots,
    guard: Option<Guard>,
}

impl Reading {
    /// Reads a message whose intent was detected with this confidence.
    ///
    /// Periods such as "last month" count from `today`. Cost: one pass over the
    /// message a slot; in the key mode `slots` one more for the guards.
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
    /// let denied = read("Why is there no news of claim CLM-2025-000123?");
    /// assert_eq!(denied.slots(), plain.slots());
    /// assert_eq!(denied.guard(), Some(Guard::Negation));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(
        intent: &Intent,
        catalogue: &Catalogue,
        message: &str,
        today: Date,
        confidence: f64,
    ) -> Self {
        if intent.key != KeyMode::Slots {
            let slots = Slots::find(intent, catalogue, message, today);
            return Self { slots, guard: None };
        }
        let text = normalise(message);
        let takings = takings(intent, catalogue, &text, today);
        let guard = if confidence < catalogue.guards().confidence {
            Some(Guard::LowConfidence)
        } else if takings.has_several {
            Some(Guard::SeveralValues)
        } else if text::folds_a_number(message) {
            Some(Guard::Number)
        } else {
            guard::check(catalogue, intent, &text, &takings.covers)
        };
        let slots = takings.slots;
        Self { slots, guard }
    }

    /// The slots found.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Why the slots may not stand for the message; `None` where they may, and
    /// in any other key mode.
    pub fn guard(&self) -> Option<Guard> {
        self.guard
    }

    /// The text that replaces the message in the key mode `slots`: the list of
    /// its slots ([`Slots::key_text`]), or the message itself where a guard
    /// speaks against that.
    ///
    /// A message that is empty or holds a `=` has a `=` put before it. So none
    /// is ever the list of another message's slots: such a list is empty or
    /// holds a `=`, and begins with the name of a slot. Nor do two messages
    /// become the same, as one that begins with `=` holds one.
    pub fn key_text<'m>(&self, message: &'m str) -> Cow<'m, str> {
        if self.guard.is_none() {
            Cow::Owned(self.slots.key_text())
        } else if message.is_empty() || message.contains('=') {
            Cow::Owned(format!("={message}"))
        } else {
            Cow::Borrowed(message)
        }
    }
}

/// What the slots of an intent took of a text.
#[derive(Default)]
pub(super) struct Takings {
    pub(super) slots: Slots,
    /// Where, sorted by place.
    pub(super) covers: Vec<Cover>,
    /// Whether there were different values of one slot.
    pub(super) has_several: bool,
}

/// Finds the slots that `intent` lists in a text in normal form.
pub(super) fn takings(intent: &Intent, catalogue: &Catalogue, text: &str, today: Date) -> Takings {
    let mut takings = Takings::default();
    // Slots of one family read the same dates and words.
    let (mut spans, mut words) = (None, None);
    for name in &intent.slots {
        let lexicon = catalogue.lexicon();
        let mut in_calendar = |write: fn(&Spans) -> Option<String>| {
            let spans: &Vec<Taken<Spans>> =
                spans.get_or_insert_with(|| calendar::scan(text, today, lexicon.amounts()));
            let written = |taken: &Taken<Spans>| {
                let place = taken.place.clone();
                write(&taken.value).map(|value| Taken { value, place })
            };
            spans.iter().filter_map(written).collect()
        };
        let found: Vec<Taken<String>> = match catalogue.slot(name) {
            None => continue,
            Some(SlotSpec::Pattern { pattern }) => pattern::find(pattern, text),
            Some(SlotSpec::Date) => in_calendar(Spans::as_date),
            Some(SlotSpec::Period) => in_calendar(Spans::as_period),
            Some(SlotSpec::Range) => in_calendar(Spans::as_range),
            Some(SlotSpec::Amount { .. }) => {
                let marks = lexicon.marks(name);
                marks
                    .map(|marks| amount::find(marks, text))
                    .unwrap_or_default()
            }
            Some(SlotSpec::Enum { .. }) => {
                let words = words.get_or_insert_with(|| tokens(text).collect::<Vec<_>>());
                let synonyms = lexicon.synonyms(name);
                synonyms
                    .map(|synonyms| enumeration::find(synonyms, words))
                    .unwrap_or_default()
            }
        };
        let is_words = matches!(catalogue.slot(name), Some(SlotSpec::Enum { .. }));
        let mut values = BTreeSet::new();
        for Taken { value, place } in found {
            values.insert(value);
            takings.covers.push(Cover { place, is_words });
        }
        takings.has_several |= values.len() > 1;
        // One value may be a list itself: a quarter is three months.
        let parts: BTreeSet<_> = values.iter().flat_map(|value| value.split(',')).collect();
        if !parts.is_empty() {
            let joined = parts.into_iter().collect::<Vec<_>>().join(",");
            takings.slots.0.insert(name.clone(), joined);
        }
    }
    takings.covers.sort_by_key(|cover| cover.place.start);
    takings
}
