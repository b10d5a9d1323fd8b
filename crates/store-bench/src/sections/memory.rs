//! Bytes per entry.

use anyhow::{Result, ensure};

use super::announce;
use crate::{
    caches::{Admission, Kind, Policy},
    child, machine,
    run::Run,
    setup::{Bound, Setup, Tags},
    table::Table,
    workload,
};

const KINDS: &[Kind] = &[
    Kind::Ours,
    Kind::Quick,
    Kind::QuickTtl,
    Kind::Moka(Admission::TinyLfu),
    Kind::MiniMoka,
    Kind::Foyer(Policy::Lru),
    Kind::Foyer(Policy::S3Fifo),
    Kind::DashMap,
    Kind::Locked,
];

/// Tables that double are fullest just before that, and emptiest after: several
/// sizes, so that none has an advantage.
const SIZES: [usize; 4] = [1_000_000, 500_000, 700_000, 1_400_000];

pub(crate) fn run(run: &Run<'_>) -> Result<()> {
    let sizes = SIZES.map(|size| if run.quick { size / 20 } else { size });
    announce(
        run,
        "memory",
        "Bytes an entry with a key of 16 bytes and a value that is a pointer of 16 bytes, whose \
         heap all share and nobody counts. The bound is the number inserted. First what the \
         allocator was asked for, by its own count, then by how much the process grew. In \
         brackets: how many of the inserted entries were held, where not all.",
    );
    let size = |entries: usize| format!("{} k", entries / 1_000);
    let mut header = vec!["bytes an entry".to_owned()];
    header.extend(sizes.iter().map(|&entries| size(entries)));
    header.extend(sizes.iter().map(|&entries| size(entries) + " resident"));
    let mut table = Table::new(header);
    let mut line = |kind: Kind, name: String, tags: usize| -> Result<()> {
        let mut row = [vec![name], Vec::new()];
        for entries in sizes {
            let [held, allocated, resident] = child::ask(run, "memory", kind, &[entries, tags])?;
            ensure!(held > 0, "{kind} holds nothing");
            let each = |bytes: u64| format!("{:.1}", bytes as f64 / held as f64);
            let share = 100.0 * held as f64 / entries as f64;
            let held = if held == entries as u64 {
                String::new()
            } else {
                format!(" ({share:.0} %)")
            };
            row[0].push(each(allocated) + &held);
            row[1].push(each(resident));
        }
        table.row(row.concat());
        Ok(())
    };
    for &kind in KINDS.iter().filter(|kind| run.wants(&kind.to_string())) {
        line(kind, kind.to_string(), 0)?;
        if kind.is_ours() {
            line(kind, format!("{kind}, 1 tag"), 1)?;
            line(kind, format!("{kind}, 3 tags"), 3)?;
        }
    }
    println!("{table}");
    Ok(())
}

/// In a separate process: entries, bytes allocated, bytes resident.
pub(crate) fn measure(kind: Kind, entries: usize, tags: usize) -> Result<[u64; 3]> {
    let value = workload::value(64);
    let mut setup = Setup::new(Bound::Entries(entries));
    // One record for ten answers.
    setup.tags = Tags::new(tags, (entries / 10).max(1));
    let (allocated, resident) = (child::allocated(), machine::resident());
    let cache = kind.build(&setup)?;
    for number in 0..entries as u64 {
        cache.insert(workload::key(number), value.clone());
    }
    cache.settle();
    Ok([
        cache.len() as u64,
        child::allocated().saturating_sub(allocated),
        machine::resident().saturating_sub(resident),
    ])
}
