//! The machine: its processor, the versions of the caches, a process's memory.

use std::{fs, thread, time::Duration};

/// One line about the machine.
pub(crate) fn line() -> String {
    let field = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name))?;
        let (_, value) = line.split_once(':')?;
        Some(value.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(unknown);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| unknown());
    let threads = thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{processor}, {threads} threads, {memory} of memory, Linux {}",
        kernel.trim()
    )
}

/// The versions of the caches, from the lock file of the build.
pub(crate) fn versions() -> String {
    let lock = include_str!("../../../Cargo.lock");
    let peers = [
        "moka",
        "quick_cache",
        "foyer-memory",
        "mini-moka",
        "dashmap",
        "hashbrown",
        "parking_lot",
    ];
    let versions = peers.map(|name| {
        // A package locked in several versions is listed with the newest last,
        // which is the one used here.
        let line = format!("name = \"{name}\"\nversion = \"");
        let after = lock.rsplit_once(&line).map_or("?", |(_, after)| after);
        let version = after.split('"').next().unwrap_or("?");
        format!("{name} {version}")
    });
    versions.join(", ")
}

/// The process's current memory in bytes; 0 where the system does not report it.
pub(crate) fn resident() -> u64 {
    size(&status(), "VmRSS:")
}

/// The process's peak memory in bytes; 0 where the system does not report it.
pub(crate) fn peak_resident() -> u64 {
    size(&status(), "VmHWM:")
}

/// The processor time of this thread, which does not advance while other threads
/// run. Always zero where the system does not report it.
pub(crate) fn processor_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    #[cfg(not(unix))]
    Duration::ZERO
}

/// What the system says of this process; empty where it says nothing.
fn status() -> String {
    fs::read_to_string("/proc/self/status").unwrap_or_default()
}

/// A field of a process's status, in bytes; 0 where there is none.
fn size(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cache_has_a_version() {
        assert!(!versions().contains('?'), "{}", versions());
        assert!(versions().starts_with("moka 0."));
    }

    #[test]
    #[cfg(unix)]
    fn a_thread_that_works_has_had_a_processor() {
        let start = processor_time();
        while processor_time() < start + Duration::from_millis(1) {}
        assert!(start > Duration::ZERO);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_has_memory() {
        assert!(resident() > 0);
        // Other threads take memory between two readings, so that only the figures of
        // one reading can be compared.
        let status = status();
        assert!(size(&status, "VmHWM:") >= size(&status, "VmRSS:"));
    }
}
