//! Lines of code, of comments, and blank ones.

use std::ops::{AddAssign, RangeInclusive};

use anyhow::{Context as _, Result};
use proc_macro2::{TokenStream, TokenTree};

/// How many lines of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    pub(super) code: usize,
    pub(super) comments: usize,
    pub(super) blank: usize,
}

impl Lines {
    pub(super) fn all(self) -> usize {
        self.code + self.comments + self.blank
    }
}

impl AddAssign for Lines {
    fn add_assign(&mut self, other: Self) {
        self.code += other.code;
        self.comments += other.comments;
        self.blank += other.blank;
    }
}

/// Counts the lines of a source text: first those outside `test_lines`, then
/// those in it. A line with code and a comment is code; documentation is a
/// comment; the blank lines of a string are code.
pub(super) fn count(text: &str, test_lines: &[RangeInclusive<usize>]) -> Result<(Lines, Lines)> {
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("the text is not Rust that can be read")?;
    let mut is_code = vec![false; text.lines().count() + 1];
    mark(tokens, &mut is_code);
    let (mut product, mut tests) = (Lines::default(), Lines::default());
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let within_test = test_lines.iter().any(|lines| lines.contains(&number));
        let lines = if within_test {
            &mut tests
        } else {
            &mut product
        };
        if is_code[number] {
            lines.code += 1;
        } else if line.trim().is_empty() {
            lines.blank += 1;
        } else {
            lines.comments += 1;
        }
    }
    Ok((product, tests))
}

fn mark(tokens: TokenStream, is_code: &mut [bool]) {
    for token in tokens {
        let span = token.span();
        let (first, last) = (span.start().line, span.end().line);
        match token {
            TokenTree::Group(group) => {
                // A documentation comment becomes the tokens `#[doc = "…"]`, all
                // with the comment's place.
                let of_comment = group
                    .stream()
                    .into_iter()
                    .next()
                    .is_some_and(|one| one.span().start() == span.start());
                if !of_comment {
                    is_code[first] = true;
                    is_code[last] = true;
                    mark(group.stream(), is_code);
                }
            }
            // The `#` and `!` of a documentation comment span all of it.
            TokenTree::Punct(_) if span.end().column > span.start().column + 1 || first != last => {
            }
            _ => is_code[first..=last].fill(true),
        }
    }
}
