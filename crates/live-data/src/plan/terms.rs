//! The words of a message that a full-text query looks for.

/// The maximum number of distinct words: more do not make a question clearer.
pub(crate) const MOST_WORDS: usize = 32;
/// The longest word in bytes: longer runs are encoded data, not words.
pub(crate) const LONGEST_WORD: usize = 64;

/// The message's first distinct words in lower case. They are runs of letters and
/// digits, so none contains a quote or another character with a meaning in a query.
pub(crate) fn words(message: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let runs = message.split(|c: char| !c.is_alphanumeric());
    for run in runs.filter(|run| !run.is_empty() && run.len() <= LONGEST_WORD) {
        let word = run.to_lowercase();
        if !words.contains(&word) {
            words.push(word);
            if words.len() == MOST_WORDS {
                break;
            }
        }
    }
    words
}
