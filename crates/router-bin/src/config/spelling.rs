//! The distance of misspelt names, for suggestions.

/// Levenshtein's distance in characters; `usize::MAX` if the lengths differ by
/// more than 16 bytes, which bounds its cost.
pub(super) fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 16 {
        return usize::MAX;
    }
    strsim::levenshtein(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshtein() {
        for (a, b, expected) in [
            ("listen", "listen", 0),
            ("listen", "lisen", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("ttl", "", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn texts_of_very_different_lengths_are_not_compared() {
        let text = "x".repeat(17);
        assert_eq!(distance("", &text[..16]), 16);
        assert_eq!(distance("", &text), usize::MAX);
    }
}
