//! The word lists by which messages are guarded in the key mode `slots`.

/// What a word does to a message, whatever the intent. A word in several lists
/// counts as the first of these.
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

/// What a message may not hold, and what says nothing in it, if it is to be
/// replaced by its slots.
///
/// Every list has whole words, or phrases of several. The default ones are
/// English; the catalogue's `[guards]` replaces any of them. `docs/catalogue.md`
/// tells what each is for.
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
    /// Words that give what follows a direction, such as "to".
    pub directions: Vec<String>,
    /// Words that join clauses, such as "and".
    pub conjunctions: Vec<String>,
    /// Words between a direction and what it is of, such as "the".
    pub articles: Vec<String>,
    /// Words that say nothing, such as "please".
    pub neutral: Vec<String>,
    /// Words and signs beside a number that is an amount of money and so no
    /// year or day, such as "kwacha", "$" and "amount".
    pub amounts: Vec<String>,
}

impl Guards {
    /// No words at all.
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
