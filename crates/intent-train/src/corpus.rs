//! The n-grams of all examples, extracted once for all folds.

use std::collections::HashMap;

use intent_model::LinearModel;
use intent_model::features::{Group, each_gram, preprocess, weigh};

use crate::Example;

/// The n-grams of examples, numbered in the order of their hashes.
pub(crate) struct Corpus {
    hashes: Vec<u64>,
    /// For each example and group the n-grams, with repetitions.
    examples: Vec<[Vec<u32>; Group::COUNT]>,
}

impl Corpus {
    pub(crate) fn new(examples: &[Example]) -> Self {
        let mut numbers = HashMap::<u64, u32>::new();
        let mut found: Vec<[Vec<u32>; Group::COUNT]> = examples
            .iter()
            .map(|example| {
                let mut groups: [Vec<u32>; Group::COUNT] = Default::default();
                each_gram(&preprocess(&example.text), |gram, hash| {
                    let next = numbers.len() as u32;
                    let number = *numbers.entry(hash).or_insert(next);
                    groups[gram.group() as usize].push(number);
                });
                groups
            })
            .collect();
        let mut hashes: Vec<(u64, u32)> = numbers.into_iter().collect();
        hashes.sort_unstable();
        let mut place = vec![0; hashes.len()];
        for (i, (_, number)) in hashes.iter().enumerate() {
            place[*number as usize] = i as u32;
        }
        for number in found.iter_mut().flatten().flatten() {
            *number = place[*number as usize];
        }
        Self {
            hashes: hashes.into_iter().map(|(hash, _)| hash).collect(),
            examples: found,
        }
    }

    /// The hashes of the n-grams worth a weight, in ascending order: those
    /// that occur in enough of the examples, and of these as many as
    /// [`LinearModel::MAX_WEIGHTS`] allows beyond the `reserved` weights, those
    /// in the most examples first.
    pub(crate) fn vocabulary(
        &self,
        examples: &[usize],
        columns: usize,
        reserved: usize,
    ) -> Vec<u64> {
        let mut counts = vec![0_u32; self.hashes.len()];
        let mut seen = vec![usize::MAX; self.hashes.len()];
        for example in examples {
            for gram in self.examples[*example].iter().flatten() {
                let gram = *gram as usize;
                if seen[gram] != *example {
                    seen[gram] = *example;
                    counts[gram] += 1;
                }
            }
        }
        // Depends on all examples, so that folds choose as the whole does.
        let is_few = self.examples.len() < FEW_EXAMPLES;
        let least = if is_few { 1 } else { 2 };
        let mut kept: Vec<usize> = (0..counts.len())
            .filter(|gram| counts[*gram] >= least)
            .collect();
        let most = LinearModel::MAX_WEIGHTS.saturating_sub(reserved) / columns;
        if kept.len() > most {
            kept.sort_by_key(|gram| std::cmp::Reverse(counts[*gram]));
            kept.truncate(most);
            kept.sort_unstable();
        }
        kept.into_iter().map(|gram| self.hashes[gram]).collect()
    }

    /// The row of each n-gram in a vocabulary; `u32::MAX` where it has none.
    pub(crate) fn rows(&self, vocabulary: &[u64]) -> Vec<u32> {
        let mut kept = vocabulary.iter().zip(0..).peekable();
        let row = |hash: &u64| kept.next_if(|(next, _)| *next == hash).map(|(_, row)| row);
        self.hashes
            .iter()
            .map(row)
            .map(|row| row.unwrap_or(u32::MAX))
            .collect()
    }

    /// The values of an example's rows, as the model computes them.
    pub(crate) fn values(&self, example: usize, row_of: &[u32], values: &mut Vec<(u32, f32)>) {
        for group in &self.examples[example] {
            let rows = group.iter().map(|gram| row_of[*gram as usize]);
            let mut rows: Vec<u32> = rows.filter(|row| *row != u32::MAX).collect();
            weigh(&mut rows, group.len(), values);
        }
    }
}

/// Among fewer examples, an n-gram in one of them alone is worth a weight.
const FEW_EXAMPLES: usize = 12_000;
