//! `cache-core` over a restart: entries are exported to a file, with the invalidations
//! since the export began, and imported by the next process.
//!
//! ```text
//! cargo run -p cache-core --example restart
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use std::{
    cmp::Reverse,
    error::Error,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cache_core::{Cache, Exported, Fill, TagId, TtlClass};

type Claims = Cache<u32, u32>;

fn cache() -> Result<Claims, Box<dyn Error>> {
    Ok(Cache::builder().max_entries(1_000).build()?)
}

/// The time by the wall clock: the only one that two processes share.
fn wall() -> Result<Duration, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?)
}

/// Writes the time, then the entries, the oldest first: key, value, age, tags. (There is
/// one class, and no entry has a TTL of its own.)
fn write(cache: &Claims, file: &Path) -> Result<(), Box<dyn Error>> {
    // Before the first entry is copied, so that ages are too high rather than too low.
    let mut lines = vec![wall()?.as_nanos().to_string()];
    let mut entries: Vec<_> = cache.export().collect();
    entries.sort_by_key(|entry| Reverse(entry.age));
    for entry in entries {
        let tags: Vec<_> = entry
            .tags
            .iter()
            .map(|tag| tag.bits().to_string())
            .collect();
        let (age, tags) = (entry.age.as_nanos(), tags.join(" "));
        lines.push(format!("{} {} {age} {tags}", entry.key, entry.value));
    }
    Ok(fs::write(file, lines.join("\n"))?)
}

/// Imports the entries of a file; those that cannot be read are left out.
fn read(cache: &Claims, file: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let mut lines = text.lines();
    let begun: u64 = lines.next().unwrap_or_default().parse()?;
    // The wall clock may have been set back.
    let passed = wall()?.checked_sub(Duration::from_nanos(begun));
    let passed = passed.ok_or("the age of the file is unknown")?;
    let entries = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let mut number = || words.next()?.parse::<u64>().ok();
        let key = u32::try_from(number()?).ok()?;
        let value = u32::try_from(number()?).ok()?;
        let age = Duration::from_nanos(number()?) + passed;
        let bits = words.filter_map(|word| word.parse().ok());
        Some(Exported {
            key,
            value,
            class: TtlClass::DEFAULT,
            age,
            idle: age,
            ttl: None,
            negative: false,
            tags: bits.map(TagId::from_bits).collect(),
        })
    });
    let imported = cache.import(entries);
    println!("{} stored, {} left out", imported.stored, imported.left_out);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::temp_dir().join(format!("claims-{}", std::process::id()));
    let old = cache()?;
    for member in 1..=3 {
        let fill = Fill::new(member * 10).tag(format!("member:{member}"));
        old.insert(member, fill, TtlClass::DEFAULT)?;
    }
    write(&old, &file)?;
    // Kept next to the file before it is answered: the file still has the entry.
    old.invalidate_tag("member:2");
    let journal = ["member:2"];
    drop(old);

    let new = cache()?;
    read(&new, &file)?;
    for tag in journal {
        new.invalidate_tag(tag);
    }
    for member in 1..=3 {
        println!("member {member}: {:?}", new.get(&member, TtlClass::DEFAULT));
    }
    Ok(fs::remove_file(&file)?)
}
