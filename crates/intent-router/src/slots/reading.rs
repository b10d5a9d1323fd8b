//! One message read by one intent: its slots, and whether they say it all.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::guard::{self, Cover};
use super::span::Spans;
use super::{Carried, Date, Guard, Slots, Taken, amount, calendar, enumeration, pattern};
use crate::catalogue::{Catalogue, Intent, KeyMode, Role, SlotSpec};
use crate::text::{self, Folded, Token, tokens};

/// The slots of a message, and whether they say all of it.
///
/// Where a guard doubts that, the slots are withheld: they neither stand for
/// the message in its key nor narrow the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    found: Slots,
    guard: Option<Guard>,
}

/// What a doubted message lets through.
static NONE: Slots = Slots(BTreeMap::new());

impl Reading {
    /// Reads a message whose intent was detected with this confidence.
    ///
    /// Periods such as "last month" count from `today`. Cost: one pass over the
    /// message a slot, and one more for the guards. An intent without slots
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

    /// Reads a message that goes on from others, which named the slots that are
    /// carried over. What the message names itself goes before that. A message
    /// that is too long to be folded or read has no slots and the guard
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

    /// The slots found, be they doubted or not.
    pub fn found(&self) -> &Slots {
        &self.found
    }

    /// The slots that may narrow the answer: those found, or none where a guard
    /// speaks.
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

    /// Why the slots found may say less than the message; `None` where they say
    /// all of it, and for an intent that has none.
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
            Cow::Owned(self.found.key_text())
        } else if message.is_empty() || message.contains('=') {
            Cow::Owned(format!("={message}"))
        } else {
            Cow::Borrowed(message)
        }
    }
}

/// Whether nothing but a conjunction or a comma stands between these places.
fn is_list(catalogue: &Catalogue, text: &str, places: &[Range<usize>]) -> bool {
    let phrases = &catalogue.lexicon().phrases;
    let joins = |word: &Token<'_>| {
        let mut known = phrases.at(std::slice::from_ref(word));
        known.any(|(_, word)| word.role == Some(Role::Conjunction))
    };
    places.windows(2).all(|pair| {
        let between = &text[pair[0].end..pair[1].start];
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | ',' | ';');
        between.chars().all(is_plain) && tokens(between).all(|word| joins(&word))
    })
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

/// Finds the slots that `intent` lists in a text in normal form; `None` where it
/// is too long to be read.
pub(super) fn takings(
    intent: &Intent,
    catalogue: &Catalogue,
    text: &str,
    today: Date,
) -> Option<Takings> {
    let is_long = has_more_words(text, MAX_PARTS);
    (!is_long).then(|| takings_of(&intent.slots, catalogue, text, today))
}

/// The most words that slots are looked for in. What a slot takes is one word for
/// [`Guard::MAX_WORDS`] and seldom more than three here.
const MAX_PARTS: usize = 3 * Guard::MAX_WORDS;

/// Whether a text in normal form has more words than `most`. Costs nothing for a
/// text of few bytes.
fn has_more_words(text: &str, most: usize) -> bool {
    // Words have a sign between them.
    text.len() > 2 * most && tokens(text).nth(most).is_some()
}

/// Finds slots in a text in normal form.
pub(super) fn takings_of<'n>(
    names: impl IntoIterator<Item = &'n String>,
    catalogue: &Catalogue,
    text: &str,
    today: Date,
) -> Takings {
    let mut takings = Takings::default();
    // Slots of one family read the same dates and words.
    let (mut spans, mut words) = (None, None);
    for (slot, name) in names.into_iter().enumerate() {
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
        let mut places = Vec::new();
        for Taken { value, place } in found {
            values.insert(value);
            places.push(place.clone());
            takings.covers.push(Cover {
                place,
                slot,
                is_words,
            });
        }
        // A list of records asks for each of them, in whatever order.
        let is_record = matches!(catalogue.slot(name), Some(SlotSpec::Pattern { .. }));
        let is_list = is_record && is_list(catalogue, text, &places);
        takings.has_several |= values.len() > 1 && !is_list;
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
