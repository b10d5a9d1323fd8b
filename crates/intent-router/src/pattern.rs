//! Invalidation patterns: a plain string is a substring, `*` is a glob.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A pattern over digests and readable scopes.
///
/// Without `*` it matches every text that contains it, as the Python service
/// did; with `*` it is a glob that matches whole texts, each `*` standing for
/// any run of characters.
///
/// ```
/// use intent_router::Pattern;
///
/// let substring = Pattern::new("BEN-000001");
/// assert!(substring.matches("claim_status/BEN-000001/beneficiary"));
/// let glob = Pattern::new("claim_*/*/employer");
/// assert!(glob.matches("claim_status/EMP-0001/employer"));
/// assert!(!glob.matches("my_claim_status/EMP-0001/employer"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The pattern, with each run of `*` reduced to one.
    text: Box<str>,
    /// The length of the text without its `*`.
    literal: usize,
}

/// The text that the pattern is of, with each run of `*` reduced to one.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = Infallible;

    /// The same as [`new`](Self::new).
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl Pattern {
    /// A pattern of this text. An empty text is contained in every text.
    /// `**` is the same as `*`.
    pub fn new(text: &str) -> Self {
        let mut last = None;
        let text: String = text
            .chars()
            .filter(|&c| last.replace(c) != Some('*') || c != '*')
            .collect();
        Self {
            literal: text.len() - text.matches('*').count(),
            text: text.into(),
        }
    }

    /// Whether the pattern matches `subject`. Costs time in proportion to the
    /// length of `subject`, however long the pattern, and no allocation.
    pub fn matches(&self, subject: &str) -> bool {
        if self.literal > subject.len() {
            return false;
        }
        // A glob's pieces can be matched greedily from the left: if any match
        // exists, one exists in which each inner piece is as far to the left as
        // possible.
        let mut pieces = self.text.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(last) = pieces.next_back() else {
            return subject.contains(first);
        };
        let Some(rest) = subject.strip_prefix(first) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(last) else {
            return false;
        };
        for piece in pieces {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use proptest::prelude::*;

    #[test]
    fn runs_of_stars_are_one() {
        assert_eq!(Pattern::new("a***b**"), Pattern::new("a*b*"));
        assert!(Pattern::new(&"*".repeat(1_000_000)).matches(""));
        assert!(!Pattern::new(&"*a".repeat(500_000)).matches("aaa"));
    }

    /// The textbook recursive glob, as the oracle.
    fn naive_glob(pattern: &[char], subject: &[char]) -> bool {
        match pattern.split_first() {
            None => subject.is_empty(),
            Some(('*', rest)) => (0..=subject.len()).any(|skip| naive_glob(rest, &subject[skip..])),
            Some((c, rest)) => subject
                .split_first()
                .is_some_and(|(s, tail)| s == c && naive_glob(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn prop_agrees_with_the_naive_glob(pattern in "[ab/*]{0,8}", subject in "[ab/]{0,10}") {
            let got = Pattern::new(&pattern).matches(&subject);
            if pattern.contains('*') {
                let p: Vec<char> = pattern.chars().collect();
                let s: Vec<char> = subject.chars().collect();
                prop_assert_eq!(got, naive_glob(&p, &s));
            } else {
                prop_assert_eq!(got, subject.contains(&pattern));
            }
        }
    }
}
