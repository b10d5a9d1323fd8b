//! From the vectors of a sentence's tokens to one vector of the sentence.

use crate::rows;

/// What is taken of a layer's rows.
#[derive(Clone, Copy, Debug)]
enum Pool {
    /// The mean of each dimension over the tokens.
    Mean,
    /// The greatest value of each dimension.
    Greatest,
}

/// The parts that are laid side by side: how many layers before the last, and
/// what of it. A model trained so that the means of its last layer compare
/// sentences has words and grammar yet in the layers below, and what one word
/// decides in the greatest values: together they tell intents apart better
/// than the last layer's means, by the figures in the README.
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

/// Writes what is taken of a layer, `left` layers before the last, into its
/// place in the sentence's vector. Each part has length one. `rows` are the
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

/// A part without any length stays as it is.
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
