//! Products of matrices, for training.
//!
//! Every sum is taken in one order, without fused operations: the same numbers
//! on every machine.

/// Rows and columns that are computed together: their sums fit the registers
/// that every 64-bit processor has.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// How far a sum goes before others take their turn, so that what they share
/// stays in the cache.
const DEPTH: usize = 256;

/// A matrix as it lies in a slice: how far it is from one row to the next, and
/// from one column to the next.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// One row after the other, of so many columns.
    pub(super) fn new(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            column: 1,
        }
    }

    /// Its rows as columns.
    pub(super) fn turned(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.row + column * self.column]
    }
}

/// The product of `a` and `b`, the sums of `depth` products each, into `out`,
/// which has one row after the other, of `columns` columns.
pub(super) fn multiply(
    a: Matrix<'_>,
    b: Matrix<'_>,
    depth: usize,
    columns: usize,
    out: &mut [f32],
) {
    out.fill(0.0);
    let rows = out.len() / columns;
    let mut panels = Vec::new();
    let mut block = Vec::new();
    for from in (0..depth).step_by(DEPTH) {
        let steps = from..depth.min(from + DEPTH);
        let count = steps.len();
        panels.clear();
        for first in (0..columns).step_by(COLUMNS) {
            panels.extend(steps.clone().map(|step| {
                let mut panel = [0.0; COLUMNS];
                let width = COLUMNS.min(columns - first);
                for (i, value) in panel[..width].iter_mut().enumerate() {
                    *value = b.at(step, first + i);
                }
                panel
            }));
        }
        for first in (0..rows).step_by(ROWS) {
            let height = ROWS.min(rows - first);
            block.clear();
            block.extend(steps.clone().map(|step| {
                let mut block = [0.0; ROWS];
                for (i, value) in block[..height].iter_mut().enumerate() {
                    *value = a.at(first + i, step);
                }
                block
            }));
            for (panel, left) in panels
                .chunks_exact(count)
                .zip((0..columns).step_by(COLUMNS))
            {
                let sums = sums(&block, panel);
                let width = COLUMNS.min(columns - left);
                for (i, sums) in sums[..height].iter().enumerate() {
                    let out = &mut out[(first + i) * columns + left..][..width];
                    for (out, sum) in out.iter_mut().zip(sums) {
                        *out += sum;
                    }
                }
            }
        }
    }
}

/// The sums of one block. Written with indices, which is the form that the
/// compiler turns into operations on whole registers.
#[allow(clippy::needless_range_loop, reason = "as said above")]
fn sums(block: &[[f32; ROWS]], panel: &[[f32; COLUMNS]]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (block, panel) in block.iter().zip(panel) {
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                sums[row][column] += block[row] * panel[column];
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
    fn it_is_the_product_for_every_shape() {
        for (rows, depth, columns) in [(1, 1, 1), (4, 8, 8), (5, 300, 9), (13, 257, 3), (3, 2, 17)]
        {
            let a: Vec<_> = (0..rows * depth).map(number).collect();
            let b: Vec<_> = (0..depth * columns).map(|i| number(i + 5)).collect();
            let mut expect = vec![0.0; rows * columns];
            for (i, out) in expect.iter_mut().enumerate() {
                let (row, column) = (i / columns, i % columns);
                let products = (0..depth).map(|k| a[row * depth + k] * b[k * columns + column]);
                *out = products.sum::<f32>();
            }
            let (a, b) = (Matrix::new(&a, depth), Matrix::new(&b, columns));
            let mut out = vec![9.0; rows * columns];
            multiply(a, b, depth, columns, &mut out);
            assert_eq!(out, expect, "{rows} {depth} {columns}");
            // The product turned is that of both turned, the other way round.
            let mut turned = vec![0.0; rows * columns];
            multiply(b.turned(), a.turned(), depth, rows, &mut turned);
            let turned = Matrix::new(&turned, rows);
            for (i, expect) in expect.iter().enumerate() {
                assert_eq!(turned.at(i % columns, i / columns), *expect);
            }
        }
    }
}
