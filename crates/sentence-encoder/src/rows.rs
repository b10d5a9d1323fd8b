//! A minimal matrix: rows of numbers.

/// Rows of one length, one after the other.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Numbers in a row; never 0.
    columns: usize,
    values: Vec<f32>,
}

impl Rows {
    /// Rows of zeros.
    pub(crate) fn zeros(count: usize, columns: usize) -> Self {
        Self::from_values(columns, vec![0.0; count * columns])
    }

    /// Rows over these values; an incomplete last row is ignored.
    pub(crate) fn from_values(columns: usize, values: Vec<f32>) -> Self {
        assert!(columns > 0, "rows without columns");
        Self { columns, values }
    }

    pub(crate) fn count(&self) -> usize {
        self.values.len() / self.columns
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    pub(crate) fn row(&self, number: usize) -> &[f32] {
        &self.values[number * self.columns..][..self.columns]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.columns)
    }

    /// Adds the rows of `other`, which has the same shape.
    pub(crate) fn add(&mut self, other: &Self) {
        add(&mut self.values, &other.values);
    }
}

/// Adds `other` to `to`, number by number.
pub(crate) fn add(to: &mut [f32], other: &[f32]) {
    for (to, other) in to.iter_mut().zip(other) {
        *to += other;
    }
}
