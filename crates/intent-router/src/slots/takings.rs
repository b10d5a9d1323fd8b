//! Finds the slots of an intent in a message.

use std::collections::BTreeSet;
use std::ops::Range;

use super::date::Date;
use super::guard::{Cover, Guard};
use super::span::Spans;
use super::taken::Taken;
use super::values::Slots;
use super::{amount, calendar, enumeration, pattern};
use crate::catalogue::{Catalogue, Intent, Role, SlotSpec};
use crate::text::{Token, fold_message, tokens};

impl Slots {
    /// Finds the slots that `intent` lists, as `catalogue` defines them.
    ///
    /// Periods such as "last month" count from `today`, which the caller
    /// supplies. The result is the same for all messages that
    /// [normalise](crate::normalise) to the same text. A message that is too long
    /// to be folded or has more than 600 words has no slots. Cost: one pass over
    /// the message per slot.
    ///
    /// ```
    /// use intent_router::Catalogue;
    /// use intent_router::{Date, Slots};
    ///
    /// let catalogue = Catalogue::parse(
    ///     r#"
    ///     [slots.claim_number]
    ///     kind = "pattern"
    ///     pattern = "CLM-####-######"
    ///     [slots.period]
    ///     kind = "period"
    ///     [[intent]]
    ///     name = "claims"
    ///     kind = "live_data"
    ///     phrases = ["claim"]
    ///     slots = ["claim_number", "period"]
    ///     "#,
    /// )?;
    /// let today = Date::new(2025, 3, 14).ok_or("no such day")?;
    /// let message = "What became of clm 2025 000123 last month?";
    /// let slots = Slots::find(&catalogue.intents()[0], &catalogue, message, today);
    /// assert_eq!(slots.get("claim_number"), Some("CLM-2025-000123"));
    /// assert_eq!(slots.key_text(), "claim_number=CLM-2025-000123;period=2025-02");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find(intent: &Intent, catalogue: &Catalogue, message: &str, today: Date) -> Self {
        if intent.slots.is_empty() {
            return Self::default();
        }
        let Some(text) = fold_message(message) else {
            return Self::default();
        };
        takings(intent, catalogue, &text, today)
            .unwrap_or_default()
            .slots
    }
}

/// The parts of a text that the slots of an intent took.
#[derive(Default)]
pub(super) struct Takings {
    pub(super) slots: Slots,
    /// The ranges that they took, sorted.
    pub(super) covers: Vec<Cover>,
    /// Whether one slot has different values that are not a list of records.
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

/// The most words of a text that is searched for slots. What a slot takes counts
/// as one word for [`Guard::MAX_WORDS`], and is seldom more than three words.
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
    // Computed once for all slots that need them.
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
        // A list of records asks for each of them, in any order.
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

/// Whether only conjunctions and commas are between these ranges.
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
