//! Pooling: from the vectors of a sentence's tokens to one vector.

use crate::rows;

/// How a layer's rows are combined.
#[derive(Clone, Copy, Debug)]
enum Pool {
    /// The mean of each dimension over the tokens.
    Mean,
    /// The maximum of each dimension.
    Greatest,
}

/// The parts of a vector, side by side: how many layers before the last, and how the
/// layer is combined. Sentence models are trained on the means of the last layer;
/// the layers below still hold words and grammar, and the maxima show what a single
/// word decides. Together they distinguish intents better than those means alone.
const PARTS: &[(usize, Pool)] = &[
    (2, Pool::Mean),
    (1, Pool::Mean),
    (0, Pool::Mean),
    (0, Pool::Greatest),
];

/// The name of this pooling, a part of the encoder's id.
pub(crate) const NAME: &str = "mean3-max1";

/// The dimensions of a sentence's vector, from those of a token's.
pub(crate) fn dimensions(size: usize) -> usize {
    PARTS.len() * size
}

/// Writes the part of a layer, `left` layers before the last, into the sentence's
/// vector. Each part has length one. `rows` are the
/// tokens', one after the other, of `size` numbers each.
pub(crate) fn pool(left: usize, rows: &[f32], size: usize, vector: &mut [f32]) {
    for ((layer, what), place) in PARTS.iter().zip(vector.chunks_exact_mut(size)) {
        if *layer != left {
            continue;
        }
        match what {
            // The sum has the mean's direction.
            Pool::Mean => {
                place.fill(0.0);
                rows.chunks_exact(size)
                    .for_each(|row| rows::add(place, row));
            }
            Pool::Greatest => {
                place.fill(f32::NEG_INFINITY);
                for row in rows.chunks_exact(size) {
                    for (greatest, value) in place.iter_mut().zip(row) {
                        *greatest = greatest.max(*value);
                    }
                }
            }
        }
        scale_to_one(place);
    }
}

/// A part of length zero stays unchanged.
fn scale_to_one(part: &mut [f32]) {
    let length = part.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in part {
            *value /= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_of_its_own_layer_and_of_length_one() {
        let mut vector = vec![0.0; dimensions(2)];
        pool(3, &[9.0, 9.0], 2, &mut vector);
        assert_eq!(vector, [0.0; 8]);
        pool(2, &[2.0, 0.0, 4.0, 8.0], 2, &mut vector);
        pool(1, &[0.0, -1.0], 2, &mut vector);
        pool(0, &[-3.0, 1.0, 3.0, 4.0], 2, &mut vector);
        assert_eq!(vector, [0.6, 0.8, 0.0, -1.0, 0.0, 1.0, 0.6, 0.8]);
    }

    #[test]
    fn a_part_without_length_is_no_error() {
        let mut vector = vec![0.0; dimensions(1)];
        pool(0, &[0.0], 1, &mut vector);
        assert_eq!(vector, [0.0; 4]);
    }
}
