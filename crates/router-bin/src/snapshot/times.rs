//! The time of stored answers over several processes.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_core::Moment;
use intent_router::SharedClock;
use serde::{Deserialize, Serialize};

/// A moment as files hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    /// Nanoseconds that the answers have aged since the first process: by the
    /// cache's monotonic clock while one runs, by the wall clock between two.
    pub(super) age: u64,
    /// Nanoseconds since 1970, by the wall clock.
    pub(super) wall: u64,
}

/// The wall clock, as nanoseconds since 1970.
pub(crate) type Wall = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The clocks of a process, and the boot of the machine that it runs in.
#[derive(Clone)]
pub(crate) struct Times {
    /// The cache's.
    pub(crate) clock: SharedClock,
    pub(crate) wall: Wall,
    /// The name of the boot; `None` where it has none.
    pub(crate) boot: Option<String>,
}

impl Times {
    /// The system's wall clock and boot, and the cache's clock.
    pub(crate) fn system(clock: SharedClock) -> Self {
        let wall = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            nanos(now.unwrap_or_default())
        };
        Self {
            clock,
            wall: Arc::new(wall),
            boot: boot(),
        }
    }
}

/// The clocks since a process began.
pub(super) struct Since {
    times: Times,
    began: Moment,
    /// The age in its stamps then.
    age: u64,
}

impl Since {
    /// Clocks by which answers were `age` old in stamps when the process began.
    pub(super) fn new(times: Times, began: Moment, age: u64) -> Self {
        Self { times, began, age }
    }

    pub(super) fn stamp(&self) -> Stamp {
        // The wall clock first: the time between the two counts twice rather than
        // not at all.
        let wall = (self.times.wall)();
        Stamp {
            age: self.age(),
            wall,
        }
    }

    /// The time since a stamp of this age.
    pub(super) fn age_after(&self, age: u64) -> Duration {
        Duration::from_nanos(self.age().saturating_sub(age))
    }

    fn age(&self) -> u64 {
        let run = nanos(self.times.clock.now().since(self.began));
        self.age.saturating_add(run)
    }
}

/// The name of this boot of the machine.
fn boot() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(boot.trim().to_owned())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
