//! Phrases: a list or a range of periods, with the words that give it a
//! direction.

use super::Reader;
use super::member::{Edge, Member, Part};
use super::sequence::{Link, Sequence};
use crate::slots::calendar::is_slash;
use crate::slots::span::{Span, Spans};
use crate::text::is_closing;

/// The meaning of the words before a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    /// No change; a number after it is a year.
    Within,
    /// No change; a number after it may be something else.
    For,
    Between,
    From,
    Since,
    After,
    Before,
    Until,
    /// Like `Until`, but a number after it may be something else.
    UpTo,
    /// Ambiguous.
    Unclear,
}

/// The words of each lead; a phrase comes before those that it begins with.
const LEADS: [(&str, Lead); 42] = [
    ("in or before", Lead::Until),
    ("in or after", Lead::Since),
    ("on or before", Lead::Until),
    ("on or after", Lead::Since),
    ("in the course of", Lead::Within),
    ("in", Lead::Within),
    ("during", Lead::Within),
    ("throughout", Lead::Within),
    ("within", Lead::Within),
    ("all of", Lead::Within),
    ("whole of", Lead::Within),
    ("for", Lead::For),
    ("in between", Lead::Between),
    ("between", Lead::Between),
    ("from", Lead::From),
    ("since", Lead::Since),
    ("as from", Lead::Since),
    ("starting from", Lead::Since),
    ("starting in", Lead::Since),
    ("starting on", Lead::Since),
    ("starting with", Lead::Since),
    ("starting", Lead::Since),
    ("beginning in", Lead::Since),
    ("beginning", Lead::Since),
    ("no earlier than", Lead::Since),
    ("not earlier than", Lead::Since),
    ("after", Lead::After),
    ("later than", Lead::After),
    ("before", Lead::Before),
    ("prior to", Lead::Before),
    ("earlier than", Lead::Before),
    ("no later than", Lead::Until),
    ("not later than", Lead::Until),
    ("until", Lead::Until),
    ("till", Lead::Until),
    ("up until", Lead::Until),
    ("up till", Lead::Until),
    ("up to and including", Lead::UpTo),
    ("up to", Lead::UpTo),
    ("as of", Lead::Unclear),
    ("as at", Lead::Unclear),
    ("through", Lead::Unclear),
];

/// Words directly before a period that change its meaning.
const SHIFTS: [&str; 11] = [
    "early",
    "late",
    "mid",
    "middle",
    "around",
    "circa",
    "approximately",
    "roughly",
    "near",
    "nearly",
    "as",
];

/// Words before "of" that name a part of what follows.
const PARTS: [&str; 22] = [
    "start",
    "beginning",
    "end",
    "middle",
    "rest",
    "remainder",
    "part",
    "parts",
    "half",
    "third",
    "quarter",
    "quarters",
    "month",
    "months",
    "week",
    "weeks",
    "weekend",
    "weekends",
    "day",
    "days",
    "most",
    "bulk",
];

/// The spans of a phrase, and its length in tokens. The spans are `None` for a
/// phrase about periods that is ambiguous.
type PeriodPhrase = (Option<Spans>, usize);

impl Reader<'_> {
    /// The phrase that begins here.
    pub(super) fn phrase(&self) -> Option<PeriodPhrase> {
        let (lead, at) = self.lead();
        let reader = self.after(at);
        let is_between = lead == Some(Lead::Between);
        // "until now", but not "up to date"
        let now = matches!(lead, Some(Lead::Until | Lead::UpTo)).then(|| reader.today_as_end());
        let now = now.flatten().filter(|_| reader.word(0) != Some("date"));
        let sequence = match now {
            Some((member, length)) => Sequence {
                members: vec![member],
                links: Vec::new(),
                length,
            },
            None => reader.sequence(is_between)?,
        };
        let whole = reader.stands_alone(sequence.length);
        let (tail, mut end) = self.tail(lead, at + sequence.length);
        let mut spans = self.read(lead, &sequence, tail);
        if let Some((bound, length)) = self.second_bound(lead, &sequence, end) {
            spans = spans.and_then(|spans| Some(vec![spans.first()?.within(bound?)?]));
            end += length;
        }
        let is_whole = whole && !self.is_shifted() && !self.goes_on(lead, end);
        Some((spans.filter(|_| is_whole).map(Spans), end))
    }

    /// The lead before a period, and its number of tokens.
    fn lead(&self) -> (Option<Lead>, usize) {
        // "Over 2025" is not a time, but "over the last 30 days" is.
        let over = self.says_any(&[
            "over the last",
            "over the past",
            "over the next",
            "over last",
        ]);
        if over.is_some() {
            return (Some(Lead::Within), 1);
        }
        let found = LEADS
            .iter()
            .find_map(|(words, lead)| Some((*lead, self.says(words)?)));
        match found {
            Some((lead, length)) if self.gap(length - 1) == Some(" ") => (Some(lead), length),
            _ => (None, 0),
        }
    }

    /// The meaning of the words after a period, and where they end.
    fn tail(&self, lead: Option<Lead>, end: usize) -> (Option<Lead>, usize) {
        let tails: [(&str, Lead); 13] = [
            ("onwards", Lead::Since),
            ("onward", Lead::Since),
            ("forwards", Lead::Since),
            ("forward", Lead::Since),
            ("going forward", Lead::Since),
            ("and onwards", Lead::Since),
            ("and later", Lead::Since),
            ("or later", Lead::Since),
            ("and beyond", Lead::Since),
            ("and earlier", Lead::Until),
            ("or earlier", Lead::Until),
            ("on", Lead::Since),
            ("or before", Lead::Until),
        ];
        let reader = self.after(end);
        let found = tails.iter().find_map(|(words, tail)| {
            let length = reader.says(words)?;
            let is_on = *words == "on" || *words == "or before";
            // "From March on", but not "from March on my account".
            let fits = !is_on || reader.is_end_of_clause(length);
            let fits = fits && (*words != "on" || matches!(lead, Some(Lead::From | Lead::Since)));
            fits.then_some((*tail, length))
        });
        match found {
            Some((tail, length)) if self.gap(end - 1) == Some(" ") => (Some(tail), end + length),
            _ => (None, end),
        }
    }

    /// Whether the first `length` tokens end the text or a clause, with or
    /// without a "please".
    fn is_end_of_clause(&self, length: usize) -> bool {
        let gap = self.gap(length - 1);
        let is_please = self.word(length) == Some("please");
        is_please || gap.is_none_or(|gap| gap.starts_with(|c| c != ' ' && is_closing(c)))
    }

    /// The spans of a sequence with its lead and tail.
    fn read(
        &self,
        lead: Option<Lead>,
        sequence: &Sequence,
        tail: Option<Lead>,
    ) -> Option<Vec<Span>> {
        let is_sure = matches!(
            lead,
            Some(Lead::Within | Lead::Since | Lead::After | Lead::Before | Lead::Until)
        );
        let is_year = |year| is_sure || self.is_near(year);
        let is_single = sequence.members.len() == 1;
        let is_range = sequence.links.first() == Some(&Link::To) && sequence.members.len() == 2;
        let direction = match (lead, tail) {
            (None | Some(Lead::Within | Lead::For), None) => {
                // A number alone is a year only after "in" and the like.
                let bare = lead.is_none() && is_single;
                return sequence.spans(|year| !bare && is_year(year));
            }
            (None | Some(Lead::Within | Lead::For), Some(tail)) => tail,
            (Some(Lead::Between), None) if is_range => return sequence.spans(is_year),
            (Some(Lead::From), None) if sequence.links.first() == Some(&Link::To) => {
                return sequence.spans(is_year);
            }
            (Some(Lead::From | Lead::Since), Some(Lead::Since)) => Lead::Since,
            // "Since March to date" bounds nothing.
            (Some(lead @ (Lead::Since | Lead::After)), None)
                if is_range && self.is_today(&sequence.members[1]) =>
            {
                let (span, _) = *sequence.resolved(is_year)?.first()?;
                return Some(vec![towards(lead, &sequence.members[0], span)?]);
            }
            (Some(Lead::Since), None) if is_range => return sequence.spans(is_year),
            (Some(Lead::After), None) if is_range => {
                let all = sequence.resolved(is_year)?;
                let from = towards(Lead::After, &sequence.members[0], all[0].0)?;
                let to = towards(Lead::Until, &sequence.members[1], all[1].0)?;
                return Some(vec![from.within(to)?]);
            }
            (Some(Lead::UpTo), None) => Lead::Until,
            (Some(lead @ (Lead::Since | Lead::After | Lead::Before | Lead::Until)), None) => lead,
            _ => return None,
        };
        let (span, _) = *sequence.resolved(is_year)?.first().filter(|_| is_single)?;
        Some(vec![towards(direction, &sequence.members[0], span)?])
    }

    fn is_today(&self, member: &Member) -> bool {
        member.part == Part::Whole(Span::day(self.today))
    }

    /// The second half of "after March and before June", and its length; the span
    /// is `None` if it cannot be read.
    fn second_bound(
        &self,
        lead: Option<Lead>,
        sequence: &Sequence,
        end: usize,
    ) -> Option<(Option<Span>, usize)> {
        let is_open = matches!(lead, Some(Lead::Since | Lead::After));
        if !is_open || sequence.members.len() > 1 || self.gap(end - 1)? != " " {
            return None;
        }
        let and = self.after(end).says_any(&["and", "but"]).unwrap_or(0);
        let reader = self.after(end + and);
        let (lead, at) = reader.lead();
        let lead = lead.filter(|lead| matches!(lead, Lead::Before | Lead::Until | Lead::UpTo))?;
        let second = reader.after(at).sequence(false)?;
        let span = reader.read(Some(lead), &second, None);
        let whole = reader.after(at).stands_alone(second.length);
        let span = span
            .filter(|_| whole)
            .and_then(|spans| spans.first().copied());
        Some((span, and + at + second.length))
    }

    /// Whether the words before the phrase change its meaning.
    fn is_shifted(&self) -> bool {
        let Some(gap) = self.gap_before() else {
            return false;
        };
        if gap != " " {
            // "On/after March"
            return is_slash(gap) && self.lead().0.is_some();
        }
        let back = 1 + usize::from(self.word_before(1) == Some("the"));
        let is_part = || {
            self.word_before(back) == Some("of")
                && self
                    .word_before(back + 1)
                    .is_some_and(|word| PARTS.contains(&word))
        };
        // "About March", but not "tell me about March" or "what about March".
        let is_about = || {
            let to_whom = matches!(self.word_before(2), Some("me" | "us"));
            let topic = self.word_before(2 + usize::from(to_whom));
            let topics = ["tell", "inform", "know", "what", "how", "ask", "asking"];
            self.word_before(1) == Some("about")
                && !topic.is_some_and(|word| topics.contains(&word))
        };
        self.word_before(1)
            .is_some_and(|word| SHIFTS.contains(&word))
            || is_about()
            || is_part()
    }

    /// Whether the following words belong to the phrase but cannot be read.
    fn goes_on(&self, lead: Option<Lead>, end: usize) -> bool {
        let next = self.after(end);
        let is_on = self.gap(end - 1) == Some(" ")
            && next.says("on").is_some()
            && (next.is_end_of_clause(1) || lead == Some(Lead::From));
        let is_last = next.token(1).is_none();
        let ends_with_to = is_last && next.word(0) == Some("to");
        let has_member = self.link(end).is_some_and(|(link, words)| {
            let next = self.after(end + words);
            let is_number = next
                .word(0)
                .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            let is_now = link == Link::And && next.says_any(&["now", "currently"]).is_some();
            is_now || is_number && next.member().is_none()
        });
        is_on || ends_with_to || has_member
    }
}

/// The days before or after a member, as `lead` says.
///
/// The whole unit of "two months ago" surrounds an unspecified day, so it is part
/// of the days before or after that day.
fn towards(lead: Lead, member: &Member, span: Span) -> Option<Span> {
    let is_rough = member.is_rough;
    match (lead, member.edge) {
        (Lead::Since, Some(Edge::End)) => None,
        (Lead::Since | Lead::After, Some(Edge::Start)) => span.first_day().onwards(),
        (Lead::Before, Some(Edge::Start)) => span.first_day().before(),
        (Lead::Before, Some(Edge::End)) => span.and_before(),
        (Lead::Until, Some(Edge::Start)) => span.first_day().and_before(),
        (Lead::Since, None) => span.onwards(),
        (Lead::After, None) if is_rough => span.onwards(),
        (Lead::After, _) => span.after(),
        (Lead::Before, None) if is_rough => span.and_before(),
        (Lead::Before, None) => span.before(),
        (Lead::Until, _) => span.and_before(),
        _ => None,
    }
}
