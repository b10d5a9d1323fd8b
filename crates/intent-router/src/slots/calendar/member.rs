//! One member of a list or a range of periods.

use super::Reader;
use crate::slots::Date;
use crate::slots::span::Span;

/// A part of some year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum YearPart {
    Month(u8),
    Quarter(u8),
    Half(u8),
    Day { month: u8, day: u8 },
}

impl YearPart {
    /// Its days in that year.
    pub(super) fn span(self, year: u16) -> Option<Span> {
        match self {
            Self::Month(month) => Span::month(year, month),
            Self::Quarter(quarter) => Span::quarter(year, quarter),
            Self::Half(half) => Span::half(year, half),
            Self::Day { month, day } => Date::new(year, month, day).map(Span::day),
        }
    }

    /// Whether it is of the other's kind and comes before it in one year.
    pub(super) fn precedes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Month(a), Self::Month(b))
            | (Self::Quarter(a), Self::Quarter(b))
            | (Self::Half(a), Self::Half(b)) => a < b,
            (Self::Day { month, day }, Self::Day { month: m, day: d }) => (month, day) < (m, d),
            _ => false,
        }
    }

    /// The part of the other's kind with this number: the 1 in "1 to 15 March".
    pub(super) fn number_of(number: u8, other: Self) -> Option<Self> {
        match other {
            Self::Day { month, .. } => Some(Self::Day { month, day: number }),
            _ => Self::ordinal_of(number, other),
        }
    }

    /// The quarter or half with this number: the "first" in "first and second
    /// quarter".
    pub(super) fn ordinal_of(number: u8, other: Self) -> Option<Self> {
        match other {
            Self::Quarter(_) => Some(Self::Quarter(number)),
            Self::Half(_) => Some(Self::Half(number)),
            Self::Month(_) | Self::Day { .. } => None,
        }
    }
}

/// What a member says by itself; the rest comes from its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole(Span),
    Dated(YearPart, u16),
    /// A part of a year that is not given.
    YearPart(YearPart),
    /// "March 1", which gives its month to what follows: "to 15, 2025".
    MonthDay {
        month: u8,
        day: u8,
    },
    /// "15, 2025", whose month came before.
    DayYear {
        day: u8,
        year: u16,
    },
    /// "1" or "1st", which counts days, quarters or halves.
    Number(u8),
    /// "first", which counts quarters or halves.
    Ordinal(u8),
    /// A number that may be a year; `announced` if the word "year" says so.
    Year {
        year: u16,
        announced: bool,
    },
    /// A period that can be read in several ways.
    Unclear,
}

/// Which end of a period is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Start,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) part: Part,
    pub(super) edge: Option<Edge>,
    /// Whether it is the whole unit around an unspecified day: "two months ago".
    pub(super) is_rough: bool,
}

impl Member {
    pub(super) fn new(part: Part) -> Self {
        Self {
            part,
            edge: None,
            is_rough: false,
        }
    }

    /// Whether it is a day; `None` for a number that may be one.
    pub(super) fn is_day(&self) -> Option<bool> {
        match self.part {
            Part::Whole(span) => Some(span.is_day()),
            Part::Dated(piece, _) | Part::YearPart(piece) => {
                Some(matches!(piece, YearPart::Day { .. }))
            }
            Part::MonthDay { .. } | Part::DayYear { .. } => Some(true),
            Part::Year { .. } | Part::Ordinal(_) => Some(false),
            Part::Number(_) | Part::Unclear => None,
        }
    }
}

impl Reader<'_> {
    /// The member that begins here, with its edge and its article, and its length.
    pub(super) fn member(&self) -> Option<(Member, usize)> {
        let (edge, to_edge) = self.edge();
        let reader = self.after(to_edge);
        let article = usize::from(reader.says("the").is_some() && reader.gap(0) == Some(" "));
        if edge.is_some()
            && let Some(span) = reader.after(article).own_unit().filter(|_| article > 0)
        {
            let member = Member {
                edge,
                ..Member::new(Part::Whole(span))
            };
            return Some((member, to_edge + 2));
        }
        let reader = reader.after(article);
        let (member, length) = reader
            .absolute()
            .map(|(part, length)| (Member::new(part), length))
            .or_else(|| reader.relative(article > 0))
            .or_else(|| reader.bare_number())?;
        Some((Member { edge, ..member }, to_edge + article + length))
    }

    /// The edge in words such as "the beginning of", and its length; `None` and 0
    /// without one.
    fn edge(&self) -> (Option<Edge>, usize) {
        let article = usize::from(self.says("the").is_some());
        let spaced = article == 0 || self.gap(0) == Some(" ");
        let edges = [
            ("start of", Edge::Start),
            ("beginning of", Edge::Start),
            ("end of", Edge::End),
        ];
        let reader = self.after(article);
        let found = edges
            .iter()
            .filter(|_| spaced)
            .find(|(words, _)| reader.says(words).is_some() && reader.gap(1) == Some(" "));
        match found {
            Some((_, edge)) => (Some(*edge), article + 2),
            None => (None, 0),
        }
    }
}
