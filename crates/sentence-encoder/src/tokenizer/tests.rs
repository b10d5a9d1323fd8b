use super::*;

/// A file with a few pieces, numbered by their place; `settings` are the
/// normaliser's beyond its kind.
fn file(settings: &str) -> String {
    let pieces = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "card", "##s", "##less", "a", "##b", "中", "文", ".",
        "cafe", "café", "Card", "##é", "ß", "i", "'",
    ];
    let vocab: serde_json::Map<_, _> = pieces
        .iter()
        .enumerate()
        .map(|(number, piece)| ((*piece).to_owned(), number.into()))
        .collect();
    let vocab = serde_json::Value::Object(vocab);
    format!(
        r###"{{
            "normalizer": {{"type": "BertNormalizer"{settings}}},
            "pre_tokenizer": {{"type": "BertPreTokenizer"}},
            "model": {{"type": "WordPiece", "unk_token": "[UNK]",
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 10,
                "vocab": {vocab}}}
        }}"###
    )
}

fn tokenizer(settings: &str) -> Tokenizer {
    Tokenizer::read(Path::new("tokenizer.json"), file(settings).as_bytes()).unwrap()
}

/// The tokens between the opening and the closing one.
#[track_caller]
fn check(settings: &str, text: &str, expect: &[u32]) {
    let tokens = tokenizer(settings).encode(text, 100);
    let (first, rest) = tokens.split_first().unwrap();
    let (last, inner) = rest.split_last().unwrap();
    assert_eq!((*first, *last), (2, 3), "{text}");
    assert_eq!(inner, expect, "{text}");
}

#[test]
fn words_are_spelt_with_the_longest_pieces() {
    check("", "", &[]);
    check("", "cards", &[4, 5]);
    check("", "cardless cardlesss", &[4, 6, 4, 6, 5]);
    check("", "ab abb a", &[7, 8, 7, 8, 8, 7]);
    // A word that cannot be spelt to its end is unknown as a whole.
    check("", "cardz cards", &[1, 4, 5]);
    // So is one of more than ten characters, however it could be spelt.
    check("", "abbbbbbbbb", &[7, 8, 8, 8, 8, 8, 8, 8, 8, 8]);
    check("", "abbbbbbbbbb", &[1]);
}

#[test]
fn what_of_the_spelling_counts_is_what_the_file_says() {
    check("", "CARDS Café cafe\u{301}", &[4, 5, 12, 12]);
    check(", \"lowercase\": false", "Card café", &[14, 13]);
    check(", \"strip_accents\": false", "CAFÉ", &[13]);
    check(
        ", \"lowercase\": false, \"strip_accents\": true",
        "Card café",
        &[14, 12],
    );
    check("", "ẞ", &[16]);
    // Lower case of one character may be two; the dot above is an accent.
    check("", "İ", &[17]);
}

#[test]
fn marks_ideographs_and_controls_part_words_as_in_bert() {
    check("", "card.card", &[4, 11, 4]);
    check("", "..", &[11, 11]);
    check("", "中文card文", &[9, 10, 4, 10]);
    check("", "card\u{a0}card\tcard\ncard\u{3000}card", &[4; 5]);
    // Left out, and so not between the letters either.
    check("", "ca\0r\u{200b}\u{fffd}d", &[4]);
    // A text is only ever text: no token but words.
    check("", "[SEP]", &[1, 1, 1]);
}

#[test]
fn long_texts_are_cut_and_end_like_others() {
    let tokenizer = tokenizer("");
    assert_eq!(
        tokenizer.encode(&"a ".repeat(1 << 20), 6),
        [2, 7, 7, 7, 7, 3]
    );
    assert_eq!(tokenizer.encode("cards cards", 5), [2, 4, 5, 4, 3]);
    // A word that is spelt beyond the limit is cut within.
    assert_eq!(tokenizer.encode("abbbbb", 5), [2, 7, 8, 8, 3]);
    // Beyond what is searched: a megabyte of white space, and of one word.
    assert_eq!(tokenizer.encode(&" ".repeat(1 << 20), 6), [2, 3]);
    assert_eq!(tokenizer.encode(&"é".repeat(1 << 20), 6), [2, 1, 3]);
    assert_eq!(tokenizer.encode("a", 0), [2, 3]);
}

#[test]
fn other_tokenizers_are_refused_by_name() {
    for (from, to, expect) in [
        ("WordPiece", "Unigram", "its model is Unigram"),
        (
            "BertPreTokenizer",
            "Metaspace",
            "its pre_tokenizer is Metaspace",
        ),
        ("BertNormalizer", "Lowercase", "its normalizer is Lowercase"),
        ("[CLS]", "<s>", "no `[CLS]`"),
        ("[UNK]\",\n", "<unk>\",\n", "no `<unk>`"),
        ("\"vocab\": {", "\"vocab\": [{", "tokenizer.json"),
        (
            "BertNormalizer\"",
            "BertNormalizer\", \"clean_text\": false",
            "control characters",
        ),
    ] {
        let text = file("").replace(from, to);
        assert_ne!(text, file(""), "{from}");
        let read = Tokenizer::read(Path::new("tokenizer.json"), text.as_bytes());
        let said = read.unwrap_err().to_string();
        assert!(
            said.contains(expect) && said.contains("tokenizer.json"),
            "{said}"
        );
    }
}

#[test]
fn the_size_is_beyond_every_number() {
    assert_eq!(tokenizer("").size(), 19);
}
