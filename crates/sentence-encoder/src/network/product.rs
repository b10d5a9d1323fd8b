//! The product with a layer's weights, which takes nearly all the time.
//!
//! The weights are laid out once, when the model is read, so that the inner loop
//! reads them sequentially. For a message of ten words, reading them (42 MB for
//! MiniLM-L6) is the bottleneck: libraries that lay out both sides of a product on
//! every call take three times as long.

use pulp::{Arch, Simd, WithSimd};

use crate::rows::Rows;

/// Outputs that are computed together: two of AVX2's registers.
const OUTPUTS: usize = 16;

/// Rows that are computed together: their sums fill eight registers.
const TOGETHER: usize = 4;

/// A product with weights, and a bias.
#[derive(Debug)]
pub(super) struct Linear {
    /// For each group of outputs and each input, the weights between them.
    groups: Vec<[f32; OUTPUTS]>,
    /// Padded to whole groups.
    bias: Vec<[f32; OUTPUTS]>,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// `weights` has a row for each output.
    pub(super) fn new(weights: &Rows, bias: &[f32]) -> Self {
        let (inputs, outputs) = (weights.columns(), weights.count());
        let count = outputs.div_ceil(OUTPUTS);
        let mut groups = vec![[0.0; OUTPUTS]; count * inputs];
        for (output, row) in weights.iter().enumerate() {
            let group = &mut groups[output / OUTPUTS * inputs..][..inputs];
            for (places, weight) in group.iter_mut().zip(row) {
                places[output % OUTPUTS] = *weight;
            }
        }
        let mut filled = vec![[0.0; OUTPUTS]; count];
        for (place, value) in filled.as_flattened_mut().iter_mut().zip(bias) {
            *place = *value;
        }
        Self {
            groups,
            bias: filled,
            inputs,
            outputs,
        }
    }

    /// The outputs for each of the rows.
    pub(super) fn apply(&self, arch: Arch, rows: &Rows) -> Rows {
        let mut blocks = vec![[0.0; TOGETHER]; rows.count().div_ceil(TOGETHER) * self.inputs];
        for (number, row) in rows.iter().enumerate() {
            let block = &mut blocks[number / TOGETHER * self.inputs..][..self.inputs];
            for (places, value) in block.iter_mut().zip(row) {
                places[number % TOGETHER] = *value;
            }
        }
        let mut out = Rows::zeros(rows.count(), self.outputs);
        arch.dispatch(Product {
            linear: self,
            blocks: &blocks,
            out: &mut out,
        });
        out
    }
}

/// The product, compiled for each kind of processor.
struct Product<'a> {
    linear: &'a Linear,
    /// For each block of rows and each input, the rows' values.
    blocks: &'a [[f32; TOGETHER]],
    out: &'a mut Rows,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match S::IS_SCALAR {
            true => self.run::<false>(),
            false => self.run::<true>(),
        }
    }
}

impl Product<'_> {
    /// `FUSED` if the processor multiplies and adds in one instruction; otherwise
    /// `mul_add` would call a function.
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Linear {
            groups,
            bias,
            inputs,
            outputs,
        } = self.linear;
        // A group's weights stay in the nearest cache while all rows pass.
        for (group, (weights, bias)) in groups.chunks_exact(*inputs).zip(bias).enumerate() {
            let from = group * OUTPUTS;
            let width = OUTPUTS.min(outputs - from);
            let blocks = self.blocks.chunks_exact(*inputs);
            for (block, out) in blocks.zip(self.out.values_mut().chunks_mut(TOGETHER * outputs)) {
                let sums = sums::<FUSED>(block, weights, bias);
                for (row, sums) in out.chunks_exact_mut(*outputs).zip(&sums) {
                    row[from..from + width].copy_from_slice(&sums[..width]);
                }
            }
        }
    }
}

/// The outputs of one group for one block of rows. Written with indices, because
/// the compiler vectorises this form.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "as said above")]
fn sums<const FUSED: bool>(
    block: &[[f32; TOGETHER]],
    weights: &[[f32; OUTPUTS]],
    bias: &[f32; OUTPUTS],
) -> [[f32; OUTPUTS]; TOGETHER] {
    let mut sums = [*bias; TOGETHER];
    for (values, weights) in block.iter().zip(weights) {
        for row in 0..TOGETHER {
            for output in 0..OUTPUTS {
                sums[row][output] = match FUSED {
                    true => values[row].mul_add(weights[output], sums[row][output]),
                    false => values[row] * weights[output] + sums[row][output],
                };
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, whose sums are exact in any order.
    fn number(seed: usize) -> f32 {
        (seed * 7919 % 17) as f32 - 8.0
    }

    #[test]
    fn it_is_the_product_for_every_number_of_rows_and_outputs() {
        for (count, inputs, outputs) in [(0, 3, 5), (1, 1, 1), (4, 5, 16), (5, 7, 17), (9, 3, 40)] {
            let weights = (0..inputs * outputs).map(number).collect();
            let weights = Rows::from_values(inputs, weights);
            let bias: Vec<_> = (0..outputs).map(|output| number(output + 5)).collect();
            let rows = (0..count * inputs).map(|place| number(place + 3)).collect();
            let rows = Rows::from_values(inputs, rows);
            let linear = Linear::new(&weights, &bias);
            for arch in [Arch::Scalar, Arch::new()] {
                let out = linear.apply(arch, &rows);
                assert_eq!((out.count(), out.columns()), (count, outputs));
                for (row, out) in rows.iter().zip(out.iter()) {
                    for (output, found) in out.iter().enumerate() {
                        let pairs = row.iter().zip(weights.row(output));
                        let expect = bias[output] + pairs.map(|(a, b)| a * b).sum::<f32>();
                        assert_eq!(*found, expect, "{count} {inputs} {outputs}");
                    }
                }
            }
        }
    }
}
