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
    let examples = LabelledVectors {
        vectors: &vectors,
        labels: &labels,
        columns: 2,
    };
    let all: Vec<usize> = (0..vectors.len()).collect();
    let mut heard = Vec::new();
    let heads = train(&examples, &[&all, &all[..8]], seed, |done| heard.push(done));
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
        let sum: f32 = scores.iter().map(|score| (score / Head::SHARE).exp()).sum();
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

/// Which of the weights.
type Part = for<'a, 'b> fn(&'a mut Training<'b>) -> &'a mut Parameters;

#[test]
fn the_gradients_are_those_of_the_loss() {
    let vectors: Vec<Vec<f32>> = (0..12_u8)
        .map(|i| {
            (0..5)
                .map(|j| f32::from(i * 7 % 11) - f32::from(i * j % 5))
                .collect()
        })
        .collect();
    let labels: Vec<u32> = (0..12).map(|i| i % 3).collect();
    let examples = LabelledVectors {
        vectors: &vectors,
        labels: &labels,
        columns: 3,
    };
    let batch: Vec<usize> = (0..12).collect();
    let mut training = Training::new(&examples, &batch, 1);
    let random = training.random.clone();
    let parts: [Part; 4] = [
        |training| &mut training.first,
        |training| &mut training.first_biases,
        |training| &mut training.second,
        |training| &mut training.second_biases,
    ];
    for (number, part) in parts.into_iter().enumerate() {
        // The same values are left out each time.
        let loss = |training: &mut Training<'_>| {
            training.random = random.clone();
            training.differentiate(&batch)
        };
        loss(&mut training);
        let gradient = part(&mut training).gradient.clone();
        let square: f32 = gradient.iter().map(|x| x * x).sum();
        // A step along the gradient that moves the loss by a hundredth.
        let step = 0.01 / square;
        let mut moved = |by: f32| {
            let weights = part(&mut training).values.iter_mut().zip(&gradient);
            weights.for_each(|(weight, slope)| *weight += by * slope);
            loss(&mut training)
        };
        let (up, down) = (moved(step), moved(-2.0 * step));
        moved(step);
        let ratio = (up - down) / 0.02;
        assert!((ratio - 1.0).abs() < 0.02, "part {number}: {ratio}");
    }
}
