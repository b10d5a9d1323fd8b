//! The distance of misspelt names, for suggestions.

/// Levenshtein's distance in characters; `usize::MAX` if the lengths differ by
/// more than 16 bytes, which bounds its cost.
pub(super) fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 16 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
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
}
