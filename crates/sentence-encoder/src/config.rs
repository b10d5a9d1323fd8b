//! `config.json`: the shape of the network.

use std::path::Path;

use serde::Deserialize;

use crate::error::OpenError;
use crate::files;

/// The members of `config.json` that determine the computation.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    model_type: String,
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) layer_norm_eps: f32,
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl Config {
    /// Reads the file, and refuses what [`network`](crate::network) does not
    /// support. Reading the weights checks the sizes.
    pub(crate) fn read(file: &Path, bytes: &[u8]) -> Result<Self, OpenError> {
        let config: Self = files::json(file, bytes)?;
        for (name, value, only) in [
            ("model_type", &config.model_type, "bert"),
            ("hidden_act", &config.hidden_act, "gelu"),
            (
                "position_embedding_type",
                &config.position_embedding_type,
                "absolute",
            ),
        ] {
            if value != only {
                let reason = format!("its {name} is `{value}`, and only `{only}` is known");
                return Err(files::unsupported(file, reason));
            }
        }
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        if heads == 0 || hidden == 0 || !hidden.is_multiple_of(heads) {
            let reason = format!("{hidden} dimensions cannot be shared by {heads} attention heads");
            return Err(files::damaged(file, reason));
        }
        if config.num_hidden_layers == 0 || config.max_position_embeddings < 3 {
            return Err(files::damaged(file, "it has no layers or no positions"));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "model_type": "bert", "hidden_act": "gelu", "hidden_size": 8, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 16, "layer_norm_eps": 1e-12
    }"#;

    fn check(from: &str, to: &str, expect: &str) {
        let text = GOOD.replacen(from, to, 1);
        assert!(from == to || text != GOOD, "`{from}` is not in the sample");
        let said = match Config::read(Path::new("config.json"), text.as_bytes()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expect), "{to}: {said}");
        assert_eq!(said.is_empty(), expect.is_empty(), "{to}: {said}");
    }

    #[test]
    fn what_is_not_computed_is_refused() {
        check("", "", "");
        check("\"bert\"", "\"roberta\"", "model_type is `roberta`");
        check("\"gelu\"", "\"relu\"", "hidden_act is `relu`");
        check(
            "\"hidden_size\"",
            "\"position_embedding_type\": \"relative_key\", \"hidden_size\"",
            "`relative_key`",
        );
        check("_heads\": 2", "_heads\": 3", "8 dimensions");
        check("_heads\": 2", "_heads\": 0", "8 dimensions");
        check("_layers\": 2", "_layers\": 0", "no layers");
        check("16", "2", "no positions");
        check("\"hidden_size\": 8,", "", "hidden_size");
    }
}
