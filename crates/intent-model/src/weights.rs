//! Weights, quantised to one byte each.

/// How many weights are multiplied at once.
pub(crate) const LANES: usize = 16;

/// A matrix of bytes. Each row is padded with zeros to whole lanes, so that
/// every product runs over whole lanes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    columns: usize,
    /// How many columns are for intents, not for messages out of scope.
    intents: usize,
    /// How many lanes a row has.
    pub(crate) lanes: usize,
    weights: Vec<[i8; LANES]>,
    /// Whether each row is of an n-gram that no example of an intent has.
    unseen: Vec<bool>,
}

impl Weights {
    pub(crate) fn new(columns: usize, intents: usize) -> Self {
        Self {
            columns,
            intents,
            lanes: columns.div_ceil(LANES),
            weights: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Whether the n-gram of a row is only in messages out of scope: none of
    /// its weights for intents is above 0, as a support vector machine never
    /// gives a weight above 0 to a feature that none of its own examples has.
    pub(crate) fn is_unseen(&self, row: u32) -> bool {
        self.unseen[row as usize]
    }

    /// Adds a row, which has as many weights as there are columns.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = i8>) {
        let start = self.weights.len();
        self.weights.resize(start + self.lanes, [0; LANES]);
        let places = self.weights[start..].as_flattened_mut();
        for (place, weight) in places.iter_mut().zip(row) {
            *place = weight;
        }
        let is_for_none = places[..self.intents].iter().all(|weight| *weight <= 0);
        self.unseen.push(self.intents < self.columns && is_for_none);
    }

    /// All rows, without their padding.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[i8]> {
        let lanes = self.weights.chunks_exact(self.lanes);
        lanes.map(|row| &row.as_flattened()[..self.columns])
    }

    /// A row with its padding.
    pub(crate) fn row(&self, row: u32) -> &[[i8; LANES]] {
        let start = row as usize * self.lanes;
        &self.weights[start..start + self.lanes]
    }
}

/// Weights as bytes, and the scale of each row, which makes its largest weight
/// ±127. Takes one slice of weights per column; the first `intents` columns are
/// for intents.
pub(crate) fn quantise(columns: &[Vec<f32>], intents: usize, rows: usize) -> (Vec<f32>, Weights) {
    let mut scales = Vec::with_capacity(rows);
    let mut weights = Weights::new(columns.len(), intents);
    for row in 0..rows {
        let most = columns.iter().map(|w| w[row].abs()).fold(0.0, f32::max);
        let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
        scales.push(scale);
        weights.push(columns.iter().map(|w| rounded(w[row] / scale)));
    }
    (scales, weights)
}

/// The nearest whole number, which a byte can hold. The standard library's
/// `round` is a call on processors that have no instruction for it.
fn rounded(x: f32) -> i8 {
    (x + if x < 0.0 { -0.5 } else { 0.5 }) as i8
}
