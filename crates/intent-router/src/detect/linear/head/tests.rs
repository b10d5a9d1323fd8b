use super::*;

/// Vectors of which neither number tells the column, but both together do:
/// what no linear model finds.
fn crossed() -> (Vec<Vec<f32>>, Vec<u32>) {
    let corners = [
        (1.0, 1.0, 0),
        (-1.0, -1.0, 0),
        (1.0, -1.0, 1),
        (-1.0, 1.0, 1),
    ];
    let near = [(0.1, 0.0), (0.0, 0.1), (-0.1, 0.1), (0.2, -0.1), (0.0, 0.0)];
    corners
        .iter()
        .flat_map(|(x, y, label)| near.map(|(a, b)| (vec![x + a + 3.0, y + b, 7.0], *label)))
        .unzip()
}

fn trained(seed: u64) -> (Vec<Head>, Vec<usize>) {
    let (vectors, labels) = crossed();
    let examples = Examples {
        vectors: &vectors,
        labels: &labels,
        columns: 2,
    };
    let all: Vec<usize> = (0..vectors.len()).collect();
    let mut heard = Vec::new();
    let heads = heads(&examples, &[&all, &all[..8]], seed, |done| heard.push(done));
    (heads, heard)
}

#[test]
fn it_learns_what_is_not_linear() {
    let (heads, _) = trained(1);
    for (vector, label) in [
        ([4.1, 0.9], 0),
        ([2.0, -1.1], 0),
        ([4.0, -0.8], 1),
        ([2.1, 1.0], 1),
    ] {
        let scores = heads[0].scores(&[vector[0], vector[1], 7.0]);
        assert!(
            scores[label] > scores[1 - label] + 0.3,
            "{vector:?}: {scores:?}"
        );
        // Logarithms of probabilities, that sum to one.
        let sum: f32 = scores.iter().map(|score| (score / SHARE).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{scores:?}");
    }
}

#[test]
fn a_seed_decides_every_bit_and_each_part_its_own_head() {
    let (heads, heard) = trained(1);
    assert_eq!(heads, trained(1).0);
    assert_ne!(heads, trained(2).0);
    assert_ne!(heads[0], heads[1]);
    assert!(heard.is_sorted());
    assert_eq!(heard.last(), Some(&1000));
}
