//! The word lists of the guards.

/// The function of a word in a message, whatever the intent. A word in several
/// lists has the first of these roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Negation,
    Number,
    Time,
    Comparison,
    Opposite,
    Direction,
    Conjunction,
    Article,
    Neutral,
}

/// The word lists that decide whether its slots can replace a message: words that
/// prevent it, and words without a meaning of their own.
///
/// Each entry is a word or a phrase of whole words. The default lists are
/// English; the catalogue's `[guards]` replaces any of them. `docs/catalogue.md`
/// describes each list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Guards {
    /// The least confidence of the detection, from 0 to 1. The default is 0.35.
    pub confidence: f64,
    /// Words that deny or exclude, such as "not" and "except".
    pub negations: Vec<String>,
    /// Numbers in words, such as "three" and "third".
    pub numbers: Vec<String>,
    /// Words of the calendar, such as "week" and "monday".
    pub times: Vec<String>,
    /// Words that compare, such as "since" and "more".
    pub comparisons: Vec<String>,
    /// Words whose opposite asks for something else, such as "open".
    pub opposites: Vec<String>,
    /// Prepositions of direction, such as "to".
    pub directions: Vec<String>,
    /// Words that join clauses, such as "and".
    pub conjunctions: Vec<String>,
    /// Words between a direction and its object, such as "the".
    pub articles: Vec<String>,
    /// Words without a meaning of their own, such as "please".
    pub neutral: Vec<String>,
    /// Words and signs next to a number that mark it as an amount of money, not a
    /// year or a day, such as "kwacha", "$" and "amount".
    pub amounts: Vec<String>,
}

impl Guards {
    /// Empty lists.
    pub(super) fn none() -> Self {
        Self {
            confidence: 0.0,
            negations: Vec::new(),
            numbers: Vec::new(),
            times: Vec::new(),
            comparisons: Vec::new(),
            opposites: Vec::new(),
            directions: Vec::new(),
            conjunctions: Vec::new(),
            articles: Vec::new(),
            neutral: Vec::new(),
            amounts: Vec::new(),
        }
    }

    pub(super) fn lists(&self) -> [(Role, &[String]); 9] {
        [
            (Role::Negation, &self.negations),
            (Role::Number, &self.numbers),
            (Role::Time, &self.times),
            (Role::Comparison, &self.comparisons),
            (Role::Opposite, &self.opposites),
            (Role::Direction, &self.directions),
            (Role::Conjunction, &self.conjunctions),
            (Role::Article, &self.articles),
            (Role::Neutral, &self.neutral),
        ]
    }
}
