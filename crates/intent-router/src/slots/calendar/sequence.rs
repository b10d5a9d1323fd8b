//! Lists and ranges, whose members may share a month or a year:
//! "March, April and May 2025", "1 to 15 March 2025", "Q1-Q3 2025".

use super::Reader;
use super::member::{Edge, Member, Part, YearPart};
use crate::slots::pattern::is_dash;
use crate::slots::span::Span;

/// What joins a member to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// "and", "or", a comma
    And,
    /// "to", a dash
    To,
}

/// Consecutive members, in the order of the text.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) members: Vec<Member>,
    /// The link before each member except the first.
    pub(super) links: Vec<Link>,
    /// The number of tokens.
    pub(super) length: usize,
}

impl Reader<'_> {
    /// The longest sequence that begins here. After "between", it is two members,
    /// and "and" joins the first day to the last.
    pub(super) fn sequence(&self, is_between: bool) -> Option<Sequence> {
        let (first, mut length) = self.member()?;
        let (mut members, mut links) = (vec![first], Vec::new());
        while let Some((link, joint)) = self.link(length) {
            let reader = self.after(length + joint);
            let next = match link {
                Link::To => reader.today_as_end().or_else(|| reader.member()),
                Link::And if is_between => reader.today_as_end().or_else(|| reader.member()),
                Link::And => reader.member(),
            };
            let Some((mut member, more)) = next else {
                break;
            };
            if link == Link::And && !is_between && reader.counts_from_another() {
                member.part = Part::Unclear;
            }
            let last = members.last().and_then(Member::is_day);
            let is_alike = || last.zip(member.is_day()).is_none_or(|(a, b)| a == b);
            if link == Link::And && !is_between && !is_alike() {
                break;
            }
            members.push(member);
            links.push(if is_between { Link::To } else { link });
            length += joint + more;
            if is_between && members.len() == 2 {
                break;
            }
        }
        Some(Sequence {
            members,
            links,
            length,
        })
    }

    /// The link after the first `length` tokens, and how many tokens it has.
    pub(super) fn link(&self, length: usize) -> Option<(Link, usize)> {
        // The dot of an abbreviation.
        let gap = self.gap(length.checked_sub(1)?)?;
        let gap = gap.strip_prefix('.').unwrap_or(gap);
        let next = self.after(length);
        let more = |words: usize| {
            let close = words == 0 || next.gap(words - 1) == Some(" ");
            close.then(|| words + next.after(words).preposition())
        };
        match gap.trim_matches(' ') {
            "" if gap == " " => {
                const TO: [&str; 11] = [
                    "to",
                    "through to",
                    "through",
                    "thru",
                    "until",
                    "till",
                    "til",
                    "up to and including",
                    "up to",
                    "up until",
                    "up till",
                ];
                const AND: [&str; 5] = ["and also", "and", "or", "plus", "as well as"];
                let to = next.says_any(&TO).filter(|_| next.says("to and").is_none());
                if let Some(words) = to.or_else(|| next.says("to and including")) {
                    let close = next.gap(words - 1) == Some(" ");
                    return close.then_some((Link::To, words));
                }
                let words = next.says_any(&AND)?;
                Some((Link::And, more(words)?))
            }
            "," | "&" | "+" | ";" => {
                let and = next.says_any(&["and also", "and", "or"]).unwrap_or(0);
                Some((Link::And, more(and)?))
            }
            joint => {
                let mut chars = joint.chars();
                let is_range = chars.next().is_some_and(|c| is_dash(c) || c == '—');
                (is_range && chars.next().is_none()).then_some((Link::To, 0))
            }
        }
    }

    /// A preposition repeated before a member of a list: "in March and in April".
    fn preposition(&self) -> usize {
        let words = ["in", "for", "of", "during"];
        let found = self.says_any(&words);
        found.filter(|_| self.gap(0) == Some(" ")).unwrap_or(0)
    }

    /// "now", where a range may end.
    pub(super) fn today_as_end(&self) -> Option<(Member, usize)> {
        let words = ["now", "date", "present", "the present", "this day"];
        let length = self.says_any(&words)?;
        let today = Part::Whole(Span::day(self.today));
        Some((Member::new(today), length))
    }
}

impl Sequence {
    /// The spans that it names, if it can be read in one way.
    ///
    /// `is_year` returns whether a number without an announcing word is a year.
    pub(super) fn spans(&self, is_year: impl Fn(u16) -> bool) -> Option<Vec<Span>> {
        let members = self.resolved(is_year)?;
        let mut spans = Vec::new();
        let mut at = 0;
        while at < members.len() {
            let (first, edge) = members[at];
            let (_, is_range) = (at += 1, self.links.get(at - 1) == Some(&Link::To));
            if !is_range {
                spans.push(first);
                if edge.is_some() {
                    return None;
                }
                continue;
            }
            let (last, end) = *members.get(at)?;
            let last = match end {
                Some(Edge::Start) => last.first_day(),
                Some(Edge::End) | None => last,
            };
            let is_clear = edge != Some(Edge::End) && self.links.get(at) != Some(&Link::To);
            spans.push(first.through(last).filter(|_| is_clear)?);
            at += 1;
        }
        Some(spans)
    }

    /// Each member's span, and the edge of it that is meant.
    pub(super) fn resolved(
        &self,
        is_year: impl Fn(u16) -> bool,
    ) -> Option<Vec<(Span, Option<Edge>)>> {
        // "First until Q2 2025" need not begin with a quarter.
        let is_ordinal = |member: &Member| matches!(member.part, Part::Ordinal(_));
        if self.links.contains(&Link::To) && self.members.iter().any(is_ordinal) {
            return None;
        }
        let mut parts = self.with_months()?;
        with_years(&mut parts);
        let mut spans = Vec::with_capacity(parts.len());
        let mut follows_year = true;
        for (part, member) in parts.iter().zip(&self.members) {
            let span = match *part {
                Part::Whole(span) => span,
                Part::Dated(piece, year) => piece.span(year)?,
                Part::Year { year, announced } => {
                    // "March 2024 and 2025" may be two months.
                    let is_clear = follows_year || announced || member.edge.is_some();
                    let is_clear = is_clear && (announced || is_year(year));
                    Span::year(year).filter(|_| is_clear)?
                }
                _ => return None,
            };
            follows_year &= span.is_year();
            spans.push((span, member.edge));
        }
        Some(spans)
    }

    /// The parts, with numbers after "March 1" made days of March.
    fn with_months(&self) -> Option<Vec<Part>> {
        let mut given = None;
        let mut parts = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let part = match (member.part, given) {
                (Part::MonthDay { month, day }, _) => {
                    given = Some(month);
                    Part::YearPart(YearPart::Day { month, day })
                }
                (Part::Number(day), Some(month)) => Part::YearPart(YearPart::Day { month, day }),
                (Part::DayYear { day, year }, Some(month)) => {
                    given = None;
                    Part::Dated(YearPart::Day { month, day }, year)
                }
                (Part::DayYear { .. } | Part::Unclear, _) => return None,
                (part, _) => {
                    given = None;
                    part
                }
            };
            parts.push(part);
        }
        Some(parts)
    }
}

/// Gives each part without a year the year of the next part that has one, else of
/// the previous one. Only parts in calendar order share a year: "December and
/// January 2025" may be of two years.
fn with_years(parts: &mut [Part]) {
    let mut next = None;
    for part in parts.iter_mut().rev() {
        let piece = match (*part, next) {
            (Part::Dated(piece, year), _) => {
                next = Some((piece, year));
                continue;
            }
            (Part::YearPart(piece), Some((other, year))) => Some((piece, other, year)),
            (Part::Number(number), Some((other, year))) => {
                YearPart::number_of(number, other).map(|piece| (piece, other, year))
            }
            (Part::Ordinal(number), Some((other, year))) => {
                YearPart::ordinal_of(number, other).map(|piece| (piece, other, year))
            }
            _ => None,
        };
        next = piece
            .filter(|(piece, other, _)| piece.precedes(*other))
            .map(|(piece, _, year)| (piece, year));
        if let Some((piece, year)) = next {
            *part = Part::Dated(piece, year);
        }
    }
    let mut last = None;
    for part in parts {
        match (*part, last) {
            (Part::Dated(piece, year), _) => last = Some((piece, year)),
            (Part::YearPart(piece), Some((other, year))) if other.precedes(piece) => {
                *part = Part::Dated(piece, year);
                last = Some((piece, year));
            }
            _ => last = None,
        }
    }
}
