//! The network: embeddings and layers of attention, as in "BERT: Pre-training
//! of Deep Bidirectional Transformers" (Devlin et al. 2018).
//!
//! Sentences are concatenated as the rows of one matrix, without padding: all steps
//! but attention work row by row.

mod attention;
mod parts;
mod product;

use std::ops::Range;

use pulp::Arch;

use crate::config::Config;
use crate::error::OpenError;
use crate::rows::{self, Rows};
use crate::weights::Weights;

use parts::{Norm, gelu};
use product::Linear;

/// The weights, as they are applied.
#[derive(Debug)]
pub(crate) struct Network {
    words: Rows,
    /// By the position of a token, with the embedding of the only sentence type added.
    positions: Rows,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
    /// The instruction set of this processor.
    arch: Arch,
}

#[derive(Debug)]
struct Layer {
    /// Queries, keys and values in one product.
    inputs: Linear,
    mixed: Linear,
    mixed_norm: Norm,
    wide: Linear,
    narrow: Linear,
    narrow_norm: Norm,
}

impl Network {
    /// Takes its weights out of `weights`.
    pub(crate) fn new(config: &Config, weights: &mut Weights) -> Result<Self, OpenError> {
        let size = config.hidden_size;
        let words = "embeddings.word_embeddings.weight";
        let kinds = "embeddings.token_type_embeddings.weight";
        let count = weights.rows(words)?;
        let words = weights.matrix(words, count, size)?;
        let count = weights.rows(kinds)?;
        let kinds = weights.matrix(kinds, count, size)?;
        let mut positions = weights.matrix(
            "embeddings.position_embeddings.weight",
            config.max_position_embeddings,
            size,
        )?;
        if let Some(first) = kinds.iter().next() {
            positions.iter_mut().for_each(|row| rows::add(row, first));
        }
        let layers = (0..config.num_hidden_layers)
            .map(|number| Layer::new(number, config, weights))
            .collect::<Result<_, OpenError>>()?;
        Ok(Self {
            words,
            positions,
            norm: norm(weights, "embeddings.LayerNorm", config)?,
            layers,
            heads: config.num_attention_heads,
            arch: Arch::new(),
        })
    }

    /// The size of its vocabulary, in tokens.
    pub(crate) fn vocabulary(&self) -> usize {
        self.words.count()
    }

    /// How many tokens a sentence may have.
    pub(crate) fn longest(&self) -> usize {
        self.positions.count()
    }

    /// Dimensions of a token's vector.
    pub(crate) fn size(&self) -> usize {
        self.words.columns()
    }

    /// How many layers it has.
    pub(crate) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Runs sentences through the layers. After each layer, counted from 1, passes on
    /// the rows of all tokens, and which sentence each belongs to. The tokens must be
    /// below [`vocabulary`](Self::vocabulary), the sentences at most
    /// [`longest`](Self::longest) long.
    pub(crate) fn run(
        &self,
        sentences: &[Vec<u32>],
        mut after: impl FnMut(usize, &[Range<usize>], &Rows),
    ) {
        let mut spans = Vec::with_capacity(sentences.len());
        let mut values = Vec::new();
        let mut end = 0;
        for sentence in sentences {
            spans.push(end..end + sentence.len());
            end += sentence.len();
            for (token, position) in sentence.iter().zip(self.positions.iter()) {
                let word = self.words.row(*token as usize);
                values.extend(word.iter().zip(position).map(|(a, b)| a + b));
            }
        }
        let mut rows = Rows::from_values(self.size(), values);
        self.norm.apply(&mut rows);
        for (number, layer) in self.layers.iter().enumerate() {
            layer.apply(self.arch, &mut rows, &spans, self.heads);
            after(number + 1, &spans, &rows);
        }
    }
}

impl Layer {
    fn new(number: usize, config: &Config, weights: &mut Weights) -> Result<Self, OpenError> {
        let size = config.hidden_size;
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let width = weights.rows(&name("intermediate.dense.weight"))?;
        let (mut together, mut bias) = (Vec::new(), Vec::new());
        for part in ["query", "key", "value"] {
            let part = name(&format!("attention.self.{part}"));
            let matrix = weights.matrix(&format!("{part}.weight"), size, size)?;
            together.extend_from_slice(matrix.values());
            bias.extend(weights.vector(&format!("{part}.bias"), size)?);
        }
        let mut linear = |part: &str, to: usize, from: usize| {
            let matrix = weights.matrix(&name(&format!("{part}.weight")), to, from)?;
            let bias = weights.vector(&name(&format!("{part}.bias")), to)?;
            Ok::<_, OpenError>(Linear::new(&matrix, &bias))
        };
        Ok(Self {
            inputs: Linear::new(&Rows::from_values(size, together), &bias),
            mixed: linear("attention.output.dense", size, size)?,
            wide: linear("intermediate.dense", width, size)?,
            narrow: linear("output.dense", size, width)?,
            mixed_norm: norm(weights, &name("attention.output.LayerNorm"), config)?,
            narrow_norm: norm(weights, &name("output.LayerNorm"), config)?,
        })
    }

    fn apply(&self, arch: Arch, rows: &mut Rows, spans: &[Range<usize>], heads: usize) {
        let inputs = self.inputs.apply(arch, rows);
        let attended = attention::apply(arch, &inputs, spans, heads);
        rows.add(&self.mixed.apply(arch, &attended));
        self.mixed_norm.apply(rows);
        let mut wide = self.wide.apply(arch, rows);
        gelu(arch, &mut wide);
        rows.add(&self.narrow.apply(arch, &wide));
        self.narrow_norm.apply(rows);
    }
}

fn norm(weights: &mut Weights, name: &str, config: &Config) -> Result<Norm, OpenError> {
    Ok(Norm {
        scale: weights.vector(&format!("{name}.weight"), config.hidden_size)?,
        shift: weights.vector(&format!("{name}.bias"), config.hidden_size)?,
        epsilon: config.layer_norm_eps,
    })
}
