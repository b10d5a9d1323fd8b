//! Templates of record tags, such as `claim:{claim_number}`.

/// Says what is wrong with a template; nothing if it names a column in
/// braces at least once and every brace has its partner.
pub(super) fn problem(template: &str) -> Option<String> {
    let mut rest = template;
    let mut columns = 0;
    while let Some(at) = rest.find(['{', '}']) {
        if rest[at..].starts_with('}') {
            return Some("has a } without a { before it".to_owned());
        }
        let Some((column, tail)) = rest[at + 1..].split_once('}') else {
            return Some("has a { without a } after it".to_owned());
        };
        if column.is_empty()
            || !column
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            return Some(format!(
                "names no column in {{{column}}}; a column is letters, digits and _"
            ));
        }
        columns += 1;
        rest = tail;
    }
    (columns == 0).then(|| {
        "names no column, so every row would get the same tag; write such as claim:{claim_number}"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn tells_good_from_bad() {
        for good in ["claim:{claim_number}", "{a}", "{a}-{b_2}"] {
            assert_eq!(problem(good), None, "of {good}");
        }
        for bad in [
            "", "claim", "claim:{", "claim:{a", "a}", "{}", "{a b}", "{a}{", "{a}}", "{{a}}",
        ] {
            assert!(problem(bad).is_some(), "of {bad}");
        }
    }
}
