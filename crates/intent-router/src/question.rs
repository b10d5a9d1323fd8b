//! One question to the source of records: what the source is given, and so the
//! identity of the answer.

use std::borrow::Cow;

use md5::{Digest as _, Md5};

use crate::catalogue::{Definition, Intent};
use crate::policy;
use crate::principal::{Owner, Principal};
use crate::slots::{Date, Reading, Slots};
use crate::source::Ask;

/// What a source is asked: everything that its answer may depend on.
///
/// A stored answer is identified by its question: owner, intent, the intent's
/// definition, text, and every parameter. [`Ask`], which is all that a source
/// gets to see, is made from a question and from nothing else. So two requests
/// whose questions are equal ask the source the same thing, and may share an
/// answer; two whose questions differ never do.
#[derive(Clone, Debug, PartialEq)]
pub struct Question<'a> {
    intent: &'a Intent,
    definition: Definition,
    owner: Owner,
    text: Cow<'a, str>,
    parameters: Parameters,
}

/// What a source is given besides intent, owner and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The slots that may narrow the answer.
    pub(crate) slots: Slots,
    /// Whether the message may say more than its slots, which were withheld.
    pub(crate) doubtful: bool,
    /// The day, where a query reads it.
    pub(crate) today: Option<Date>,
}

impl Parameters {
    /// Those that a reading of the message gives: its slots only by way of the
    /// guards' verdict.
    pub(crate) fn new(reading: &Reading, today: Option<Date>) -> Self {
        Self {
            slots: reading.slots().clone(),
            doubtful: reading.guard().is_some(),
            today,
        }
    }

    /// 128 bits that differ wherever the parameters do; 0 where there are none.
    /// Costs an MD5 where there are some.
    fn bits(&self) -> u128 {
        // Taken apart in full, so that a parameter that is added enters here.
        let Self {
            slots,
            doubtful,
            today,
        } = self;
        if slots.is_empty() && !doubtful && today.is_none() {
            return 0;
        }
        let mut hash = Md5::new();
        hash.update([u8::from(*doubtful)]);
        if let Some(day) = today {
            hash.update(day.to_string());
        }
        hash.update(b";");
        // Escaped, so that no two sets of slots have one text.
        hash.update(slots.key_text());
        u128::from_le_bytes(hash.finalize().into())
    }
}

impl<'a> Question<'a> {
    /// A question with these slots and this text, such as a test of a source
    /// asks. A knowledge-base intent has no principal, whoever asks.
    pub fn new(
        intent: &'a Intent,
        principal: Option<&Principal>,
        slots: Slots,
        text: impl Into<Cow<'a, str>>,
    ) -> Self {
        let parameters = Parameters {
            slots,
            ..Parameters::default()
        };
        let owner = policy::owner(intent, principal);
        Self::of(intent, Definition::NONE, owner, text, parameters)
    }

    /// The question of a request, under the intent's definition.
    pub(crate) fn of(
        intent: &'a Intent,
        definition: Definition,
        owner: Owner,
        text: impl Into<Cow<'a, str>>,
        parameters: Parameters,
    ) -> Self {
        Self {
            intent,
            definition,
            owner,
            text: text.into(),
            parameters,
        }
    }

    /// The same question with the doubt that a guard has: its slots are withheld.
    #[must_use]
    pub fn doubtful(mut self) -> Self {
        self.parameters.slots = Slots::default();
        self.parameters.doubtful = true;
        self
    }

    /// The same question, asked on that day.
    #[must_use]
    pub fn on(mut self, today: Date) -> Self {
        self.parameters.today = Some(today);
        self
    }

    /// What the source is given.
    pub fn ask(&self) -> Ask<'_> {
        // Taken apart in full on both sides, so that what a source is given is
        // part of the question, and what is part of the question is keyed.
        let Self {
            intent,
            definition: _,
            owner,
            text,
            parameters:
                Parameters {
                    slots,
                    doubtful,
                    today,
                },
        } = self;
        Ask {
            intent,
            principal: match owner {
                Owner::Person(who) => Some(who),
                Owner::Everyone => None,
            },
            slots,
            message: text,
            doubtful: *doubtful,
            today: *today,
        }
    }

    /// The intent.
    pub fn intent(&self) -> &'a Intent {
        self.intent
    }

    /// Whose answer it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The text that the intent's key mode makes of the message, which enters
    /// the key's digest.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The slots that the source is given.
    pub fn slots(&self) -> &Slots {
        &self.parameters.slots
    }

    /// What identifies the answer besides owner, intent and text, as 128 bits
    /// for the key's independent check.
    pub(crate) fn check(&self) -> u128 {
        self.definition.bits() ^ self.parameters.bits()
    }

    /// The question without its intent, which a task of its own borrows from a
    /// catalogue of its own.
    pub(crate) fn detach(&self) -> Detached {
        Detached {
            definition: self.definition,
            owner: self.owner.clone(),
            text: self.text.clone().into_owned(),
            parameters: self.parameters.clone(),
        }
    }
}

/// A question without its intent.
pub(crate) struct Detached {
    definition: Definition,
    owner: Owner,
    text: String,
    parameters: Parameters,
}

impl Detached {
    /// The question again, about the intent that it was detached from.
    pub(crate) fn about(self, intent: &Intent) -> Question<'_> {
        let Self {
            definition,
            owner,
            text,
            parameters,
        } = self;
        Question::of(intent, definition, owner, text, parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn every_parameter_is_part_of_the_check() {
        let intent = Catalogue::built_in().get("payment_history").unwrap();
        let day = |day| Date::new(2025, 11, day).unwrap();
        let slots = |month: &str| Slots::from_iter([("period", month)]);
        let plain = Question::new(intent, None, Slots::default(), "text");
        let named = Question::new(intent, None, slots("2025-10"), "text");
        let asked = [
            plain.clone(),
            plain.clone().doubtful(),
            plain.clone().on(day(1)),
            plain.clone().on(day(2)),
            plain.doubtful().on(day(2)),
            named.clone(),
            named.clone().on(day(1)),
            Question::new(intent, None, slots("2025-09"), "text"),
            Question::new(intent, None, Slots::from_iter([("day", "2025-10")]), "text"),
        ];
        for (at, one) in asked.iter().enumerate() {
            for other in &asked[at + 1..] {
                assert_ne!(one.check(), other.check(), "{one:?} and {other:?}");
            }
        }
        assert_eq!(asked[0].check(), 0);
    }
}
