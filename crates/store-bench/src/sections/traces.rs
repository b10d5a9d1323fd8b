//! Hit ratios, and the offline optimum.

use anyhow::{Context as _, Result};

use super::announce;
use crate::{
    caches::{Admission, Kind, Policy},
    run::Run,
    setup::{Bound, Setup},
    table::Table,
    trace::{self, Trace},
    workload,
};

const KINDS: &[Kind] = &[
    // With a stopped clock, so that no entry expires.
    Kind::OursByHand,
    Kind::Quick,
    Kind::Moka(Admission::TinyLfu),
    Kind::Moka(Admission::Lru),
    Kind::MiniMoka,
    Kind::Foyer(Policy::Lru),
    Kind::Foyer(Policy::Lfu),
    Kind::Foyer(Policy::S3Fifo),
    Kind::Foyer(Policy::Sieve),
    Kind::Foyer(Policy::Fifo),
];

/// Capacities, in percent of a trace's different keys.
const PERCENT: [usize; 4] = [1, 5, 10, 25];

const OPTIMUM: &str = "Belady's MIN";

/// The hit ratio of one cache on one trace at one capacity, in percent.
#[derive(Clone, Copy)]
struct Cell {
    cache: usize,
    trace: usize,
    size: usize,
    ratio: f64,
}

pub(crate) fn run(run: &Run<'_>) -> Result<()> {
    announce(
        run,
        "traces",
        "Hit ratio in percent, of a read and, when it finds nothing, an insertion. Time does not \
         pass. Capacities are percents of the different keys. Peers do what they put off after \
         each operation, and hold everything in one shard where they let one choose; ours is as \
         it comes.",
    );
    let traces = if run.traces.is_empty() {
        println!(
            "These traces are made up. Give real ones, one key a line, gzipped or plain: \
             `cargo xtask bench store traces --trace FILE…`\n"
        );
        trace::synthetic::synthetic()
    } else {
        let traces = run.traces.iter().map(|path| trace::file::read(path));
        traces.collect::<Result<_>>()?
    };

    let kinds: Vec<Kind> = KINDS
        .iter()
        .copied()
        .filter(|kind| run.wants(&kind.to_string()))
        .collect();
    let mut cells = Vec::new();
    for (number, trace) in traces.iter().enumerate() {
        let first = cells.len();
        for (size, percent) in PERCENT.into_iter().enumerate() {
            let capacity = (trace.distinct * percent).div_ceil(100);
            let mut cell = |cache: usize, hits: usize| {
                cells.push(Cell {
                    cache,
                    trace: number,
                    size,
                    ratio: 100.0 * hits as f64 / trace.keys.len() as f64,
                });
            };
            for (cache, &kind) in kinds.iter().enumerate() {
                cell(cache, hits(kind, trace, capacity)?);
            }
            cell(kinds.len(), trace::belady::most_hits(&trace.keys, capacity));
        }
        let title = format!(
            "{}: {} reads, {} keys",
            trace.name,
            trace.keys.len(),
            trace.distinct
        );
        println!("{}", table(title, &kinds, &cells[first..]));
    }
    let title = format!("mean of {} traces", traces.len());
    println!("{}", table(title, &kinds, &cells));
    println!(
        "{}",
        verdict(&kinds, &traces, &cells).context("no peer ran")?
    );
    Ok(())
}

/// How many of the trace's reads hit.
fn hits(kind: Kind, trace: &Trace, capacity: usize) -> Result<usize> {
    let mut setup = Setup::new(Bound::Entries(capacity));
    setup.unsharded = true;
    let cache = kind.build(&setup)?;
    let value = workload::value(0);
    let mut hits = 0;
    for &number in &trace.keys {
        let key = workload::key(u64::from(number));
        if cache.get(&key).is_some() {
            hits += 1;
        } else {
            cache.insert(key, value.clone());
        }
        cache.settle();
    }
    Ok(hits)
}

/// The mean ratio of a cache over these cells, at one size or at all.
fn mean(cells: &[Cell], cache: usize, size: Option<usize>) -> f64 {
    let meant = |cell: &&Cell| cell.cache == cache && size.is_none_or(|size| cell.size == size);
    let ratios: Vec<f64> = cells.iter().filter(meant).map(|cell| cell.ratio).collect();
    ratios.iter().sum::<f64>() / ratios.len() as f64
}

fn table(title: String, kinds: &[Kind], cells: &[Cell]) -> Table {
    let sizes = PERCENT.iter().map(|percent| format!("{percent} %"));
    let mut table = Table::new(
        std::iter::once(title)
            .chain(sizes)
            .chain(["mean".to_owned()]),
    );
    let names = kinds.iter().map(Kind::to_string);
    for (cache, name) in names.chain([OPTIMUM.to_owned()]).enumerate() {
        let sizes = (0..PERCENT.len()).map(Some).chain([None]);
        let ratios = sizes.map(|size| format!("{:.2}", mean(cells, cache, size)));
        table.row(std::iter::once(name).chain(ratios));
    }
    table
}

/// Compares ours, the first cache, with the peer that has the best mean, and with
/// the best peer of each cell.
fn verdict(kinds: &[Kind], traces: &[Trace], cells: &[Cell]) -> Option<String> {
    let peers = 1..kinds.len();
    let best = |a: &f64, b: &f64| a.total_cmp(b);
    let (peers_mean, best_peer) = peers
        .clone()
        .map(|peer| (mean(cells, peer, None), peer))
        .max_by(|a, b| best(&a.0, &b.0))?;
    let above = mean(cells, 0, None) - peers_mean;

    let behind = |ours: &Cell| {
        let rivals = cells.iter().filter(|cell| {
            (cell.trace, cell.size) == (ours.trace, ours.size) && peers.contains(&cell.cache)
        });
        let rival = rivals.max_by(|a, b| best(&a.ratio, &b.ratio))?;
        Some((ours.ratio - rival.ratio, *rival))
    };
    let ours = cells.iter().filter(|cell| cell.cache == 0);
    let (worst, rival) = ours.filter_map(behind).min_by(|a, b| best(&a.0, &b.0))?;
    Some(format!(
        "mean above best peer's mean: {above:+.2} points ({} {peers_mean:.2})\n\
         worst cell under best peer: {worst:+.2} points ({} at {} %: {} {:.2})",
        kinds[best_peer],
        traces[rival.trace].name,
        PERCENT[rival.size],
        kinds[rival.cache],
        rival.ratio,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_held_against_the_best_mean_and_the_best_of_each_cell() {
        let kinds = [Kind::OursByHand, Kind::Quick, Kind::MiniMoka];
        let trace = |name: &str| Trace {
            name: name.to_owned(),
            keys: vec![0],
            distinct: 1,
        };
        let traces = [trace("a"), trace("b")];
        // Per trace: ours, two peers, the optimum.
        let ratios = [[50.0, 52.0, 20.0, 99.0], [60.0, 40.0, 59.0, 99.0]];
        let mut cells = Vec::new();
        for (trace, ratios) in ratios.iter().enumerate() {
            for (cache, &ratio) in ratios.iter().enumerate() {
                cells.push(Cell {
                    cache,
                    trace,
                    size: 0,
                    ratio,
                });
            }
        }
        assert_eq!(
            verdict(&kinds, &traces, &cells).unwrap(),
            "mean above best peer's mean: +9.00 points (quick_cache 46.00)\n\
             worst cell under best peer: -2.00 points (a at 1 %: quick_cache 52.00)"
        );
        assert_eq!(verdict(&kinds[..1], &traces, &cells), None);
    }

    /// No cache may beat the optimum: otherwise one of the two is wrong.
    #[test]
    fn nothing_beats_the_optimum() {
        let mut trace = trace::synthetic::synthetic().remove(0);
        trace.keys.truncate(5_000);
        for &kind in KINDS {
            let found = hits(kind, &trace, 100).unwrap();
            let most = trace::belady::most_hits(&trace.keys, 100);
            assert!(found <= most, "{kind}: {found} of {most}");
            assert!(found > most / 4, "{kind}: {found} of {most}");
        }
    }
}
