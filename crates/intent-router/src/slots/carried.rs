//! Slots carried over from the previous messages of a conversation.

use std::collections::BTreeMap;

use thiserror::Error;

use super::date::Date;
use super::takings::takings_of;
use super::values::Slots;
use crate::catalogue::{Catalogue, Intent, SlotSpec};
use crate::text::fold_message;

/// Slots of a conversation, in the form that slots of a message have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried(pub(super) Slots);

/// What is wrong with a slot of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The intent has no such slot.
    #[error("intent `{intent}` has no slot `{slot}`{}", names(.known))]
    UnknownSlot {
        /// The conversation's intent.
        intent: String,
        /// The slot.
        slot: String,
        /// The slots that the intent has.
        known: Vec<String>,
    },
    /// The slot is not found in the value.
    #[error("slot `{slot}` cannot be read: \"{value}\" is not {expected}")]
    Value {
        /// The slot.
        slot: String,
        /// The value, of which at most 64 characters are kept.
        value: String,
        /// What the slot takes.
        expected: String,
    },
}

fn names(slots: &[String]) -> String {
    match slots {
        [] => "; it has no slots".to_owned(),
        slots => format!("; its slots are {}", slots.join(", ")),
    }
}

impl Carried {
    /// Reads the slots of a conversation as the catalogue defines them. Costs a
    /// pass over each value.
    pub(crate) fn read(
        slots: &BTreeMap<String, String>,
        intent: &Intent,
        catalogue: &Catalogue,
        today: Date,
    ) -> Result<Self, ConversationError> {
        let mut carried = BTreeMap::new();
        for (name, value) in slots {
            let spec = catalogue.slot(name).filter(|_| intent.slots.contains(name));
            let Some(spec) = spec else {
                return Err(ConversationError::UnknownSlot {
                    intent: intent.name.clone(),
                    slot: name.clone(),
                    known: intent.slots.clone(),
                });
            };
            let value = canonical(name, spec, value, catalogue, today).ok_or_else(|| {
                ConversationError::Value {
                    slot: name.clone(),
                    value: value.chars().take(64).collect(),
                    expected: spec.form(),
                }
            })?;
            carried.insert(name.clone(), value);
        }
        Ok(Self(Slots(carried)))
    }
}

/// The canonical form of a value: a value of an enumeration, or what the slot
/// finds in the text if it takes the whole text.
fn canonical(
    name: &String,
    spec: &SlotSpec,
    value: &str,
    catalogue: &Catalogue,
    today: Date,
) -> Option<String> {
    if let SlotSpec::Enum { values } = spec
        && values.contains_key(value)
    {
        return Some(value.to_owned());
    }
    let text = fold_message(value)?;
    let takings = takings_of([name], catalogue, &text, today);
    let covers = &takings.covers;
    let is_taken = |(at, c): (usize, char)| {
        c == ' ' || c == ',' || covers.iter().any(|cover| cover.place.contains(&at))
    };
    let found = takings.slots.get(name)?.to_owned();
    text.char_indices().all(is_taken).then_some(found)
}
