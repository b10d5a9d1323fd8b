//! Products of dense matrices.
//!
//! Every sum is taken in one order, without fused operations, so the numbers
//! are the same on every machine.

/// The block of rows and columns computed together: its sums fit the registers
/// of any 64-bit processor.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// The length of the partial sums of a block, whose operands stay in the
/// processor's cache.
const DEPTH: usize = 256;

/// A view of a slice as a matrix: the strides from row to row and from column
/// to column.
#[derive(Clone, Copy)]
pub(super) struct DenseMatrix<'a> {
    values: &'a [f32],
    row: usize,
    column: usize,
}

impl<'a> DenseMatrix<'a> {
    /// A matrix stored row by row.
    pub(super) fn new(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            column: 1,
        }
    }

    /// The transpose.
    pub(super) fn transposed(self) -> Self {
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

/// Writes the product of `a` and `b` to `out`, which is stored row by row with
/// `columns` columns. `depth` is the number of columns of `a`.
pub(super) fn multiply(
    a: DenseMatrix<'_>,
    b: DenseMatrix<'_>,
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
#[allow(clippy::needless_range_loop, reason = "indexed loops are vectorised")]
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
            let (a, b) = (DenseMatrix::new(&a, depth), DenseMatrix::new(&b, columns));
            let mut out = vec![9.0; rows * columns];
            multiply(a, b, depth, columns, &mut out);
            assert_eq!(out, expect, "{rows} {depth} {columns}");
            // The transpose of the product is the product of the transposes,
            // the other way round.
            let mut transposed = vec![0.0; rows * columns];
            multiply(b.transposed(), a.transposed(), depth, rows, &mut transposed);
            let transposed = DenseMatrix::new(&transposed, rows);
            for (i, expect) in expect.iter().enumerate() {
                assert_eq!(transposed.at(i % columns, i / columns), *expect);
            }
        }
    }
}
