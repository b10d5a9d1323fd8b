//! A model of three layers and four dimensions, written by the tests: opening
//! it, what is wrong with it, and what must hold of every model's vectors.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use intent_model::SentenceEncoder;
use sentence_encoder::{BertEncoder, OpenError};
use tempfile::TempDir;

const CONFIG: &str = r#"{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 4,
    "num_hidden_layers": 3, "num_attention_heads": 2, "max_position_embeddings": 16,
    "layer_norm_eps": 1e-12}"#;

const TOKENIZER: &str = r###"{"model": {"type": "WordPiece", "unk_token": "[UNK]",
    "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
    "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "card": 3, "lost": 4, "my": 5}},
    "normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"}}"###;

/// The folder of a model.
struct Model(TempDir);

impl Model {
    fn new() -> Self {
        let model = Self(tempfile::tempdir().unwrap());
        model.write("config.json", CONFIG.as_bytes());
        model.write("tokenizer.json", TOKENIZER.as_bytes());
        model.write("model.safetensors", &weights());
        model
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(file), bytes).unwrap();
    }

    fn open(&self) -> BertEncoder {
        BertEncoder::open(self.0.path()).unwrap()
    }

    #[track_caller]
    fn fails(&self, expect: &[&str]) {
        let said = BertEncoder::open(self.0.path()).unwrap_err().to_string();
        for expect in expect {
            assert!(said.contains(expect), "{said}");
        }
    }
}

/// Tensors of the right shapes, filled with numbers that are all over.
fn weights() -> Vec<u8> {
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![6, 4]),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![16, 4],
        ),
        (
            "embeddings.token_type_embeddings.weight".to_owned(),
            vec![2, 4],
        ),
        ("embeddings.LayerNorm.weight".to_owned(), vec![4]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![4]),
    ];
    for layer in 0..3 {
        for (part, to, from) in [
            ("attention.self.query", 4, 4),
            ("attention.self.key", 4, 4),
            ("attention.self.value", 4, 4),
            ("attention.output.dense", 4, 4),
            ("intermediate.dense", 8, 4),
            ("output.dense", 4, 8),
        ] {
            let name = format!("encoder.layer.{layer}.{part}");
            shapes.push((format!("{name}.weight"), vec![to, from]));
            shapes.push((format!("{name}.bias"), vec![to]));
        }
        for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
            let name = format!("encoder.layer.{layer}.{part}");
            shapes.push((format!("{name}.weight"), vec![4]));
            shapes.push((format!("{name}.bias"), vec![4]));
        }
    }
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape) in shapes {
        let from = data.len();
        for _ in 0..shape.iter().product() {
            let value = (data.len() * 7919 % 201) as f32 / 100.0 - 1.0;
            data.extend(value.to_le_bytes());
        }
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [from, data.len()]
        });
        header.insert(name, entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    file
}

#[test]
fn a_text_has_one_vector_alone_and_among_others() {
    let encoder = Model::new().open();
    let long = "my card ".repeat(100_000);
    let texts = ["lost my card", "", "card", "?", &long];
    let texts: Vec<_> = texts.iter().copied().cycle().take(50).collect();
    let all = encoder.encode_all(&texts).unwrap();
    assert_eq!(all.len(), 50);
    for (text, vector) in texts.iter().zip(&all) {
        assert_eq!(*vector, encoder.encode(text).unwrap());
        assert_eq!(vector.len(), encoder.dimensions());
        for part in vector.chunks(4) {
            let length: f32 = part.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{vector:?}");
        }
    }
    assert_ne!(all[0], all[1]);
    // The order of the words counts, so that positions and attention do.
    assert_ne!(all[0], encoder.encode("card my lost").unwrap());
    assert!(encoder.encode_all::<&str>(&[]).unwrap().is_empty());
}

#[test]
fn it_is_the_sentence_encoder_of_a_detector() {
    let encoder: Box<dyn SentenceEncoder> = Box::new(Model::new().open());
    let vector = encoder.encode("lost").unwrap();
    assert_eq!(vector.len(), encoder.dimensions());
    assert_eq!(encoder.encode_all(&["lost"]).unwrap(), [vector]);
    assert!(
        encoder.id().starts_with("bert-3x4-mean3-max1-"),
        "{}",
        encoder.id()
    );
}

#[test]
fn the_id_changes_with_every_file() {
    let model = Model::new();
    let id = model.open().id().to_owned();
    assert_eq!(model.open().id(), id);
    model.write("config.json", CONFIG.replace("1e-12", "1e-6").as_bytes());
    let other = model.open().id().to_owned();
    assert_ne!(other, id);
    let mut changed = weights();
    let last = changed.len() - 3;
    changed[last] ^= 1;
    model.write("model.safetensors", &changed);
    assert_ne!(model.open().id(), other);
}

#[test]
fn what_is_wrong_is_said_of_the_file() {
    let model = Model::new();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let whole = fs::read(model.0.path().join(file)).unwrap();
        fs::remove_file(model.0.path().join(file)).unwrap();
        model.fails(&[file, "cannot be read"]);
        model.write(file, &whole[..whole.len() / 2]);
        model.fails(&[file, "damaged"]);
        model.write(file, &whole);
    }
    let config = |from: &str, to: &str| {
        model.write("config.json", CONFIG.replace(from, to).as_bytes());
    };
    config("_layers\": 3", "_layers\": 4");
    model.fails(&["model.safetensors", "no tensor encoder.layer.3."]);
    config("_size\": 4", "_size\": 8");
    model.fails(&["model.safetensors", "[6, 4]", "[6, 8]"]);
    config("", "");
    let more = TOKENIZER.replace("\"my\": 5", "\"my\": 6");
    model.write("tokenizer.json", more.as_bytes());
    model.fails(&["tokenizer.json", "7 tokens", "6"]);
}

#[test]
fn a_missing_folder_is_told_with_what_it_should_hold() {
    let error = BertEncoder::open("/no/such/model").unwrap_err();
    assert!(matches!(error, OpenError::Read { .. }));
    assert!(
        error
            .to_string()
            .contains("config.json, tokenizer.json and model.safetensors")
    );
}
