//! Processes that follow one another over one folder, and crash at any point.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod crashes;
mod files;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_keys::{CanonicalJson, Md5Scheme};
use intent_router::{
    Ask, BoxFuture, CacheOutcome, CacheService, Catalogue, Deadline, Found, KeywordDetector,
    LiveData, ManualClock, Principal, Records, Request, Router, Selector, SourceError, UserContext,
};
use serde_json::json;
use tempfile::TempDir;

use super::disk::synced;
use super::{Provenance, Snapshots, Start, Times};

const MAX_DOWN: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(300);

/// An answer that the source made.
#[derive(Clone, Copy)]
struct Made {
    version: u64,
    at: Duration,
}

/// The database, and what it was asked.
#[derive(Default)]
struct Database {
    versions: HashMap<String, u64>,
    made: Vec<Made>,
    now: Duration,
}

#[derive(Clone, Default)]
struct Source(Arc<Mutex<Database>>);

impl Source {
    fn with<T>(&self, look: impl FnOnce(&mut Database) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

impl LiveData for Source {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
        _: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async { Ok(Found::new(true, 1)) })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let user = ask.principal.unwrap().id_text().into_owned();
        let serial = self.with(|database| {
            let version = *database.versions.entry(user.clone()).or_default();
            let at = database.now;
            database.made.push(Made { version, at });
            database.made.len() - 1
        });
        let tags = vec![format!("claim:{user}")];
        let records = Records::new(json!({ "serial": serial }), tags);
        Box::pin(async { Ok(Found::new(records, 1)) })
    }
}

/// A running process.
struct Process {
    clock: ManualClock,
    router: Router,
    snapshots: Snapshots,
    is_warm: bool,
}

/// What outlives a process.
struct World {
    folder: TempDir,
    wall: Arc<AtomicU64>,
    /// The number of the machine's boot.
    boot: u64,
    source: Source,
    /// The version of each user's records when they were last invalidated.
    floors: HashMap<String, u64>,
}

impl World {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            wall: Arc::new(AtomicU64::new(1_000_000_000_000)),
            boot: 1,
            source: Source::default(),
            floors: HashMap::new(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("snapshot")
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("snapshot.journal")
    }

    /// What a process with this clock knows of the time.
    fn times(&self, clock: &ManualClock) -> Times {
        let wall = Arc::clone(&self.wall);
        Times {
            clock: Arc::new(clock.clone()),
            wall: Arc::new(move || wall.load(Ordering::Relaxed)),
            boot: Some(format!("boot {}", self.boot)),
        }
    }

    fn start(&self) -> Process {
        self.start_as("test").expect("nobody else uses the files")
    }

    /// A process over a source of this name.
    fn start_as(&self, source: &str) -> Option<Process> {
        let clock = ManualClock::new();
        let times = self.times(&clock);
        let provenance = Provenance {
            program: "1".to_owned(),
            source: source.to_owned(),
        };
        let start = Start::open(&self.file(), provenance, MAX_DOWN, times).unwrap()?;
        let cache = CacheService::builder()
            .clock(Arc::new(clock.clone()))
            .scheme(Arc::new(Md5Scheme::with_secret(start.secret())))
            .build()
            .unwrap();
        let catalogue = Arc::new(Catalogue::built_in().clone());
        let detector = Arc::new(KeywordDetector::new(&catalogue));
        let source = Arc::new(self.source.clone());
        let router = Router::new(catalogue, detector, source, Arc::new(cache)).unwrap();
        let is_warm = start.warm.is_some();
        let snapshots = start.restore(&router);
        Some(Process {
            clock,
            router,
            snapshots,
            is_warm,
        })
    }

    /// Time passes.
    fn pass(&self, process: Option<&Process>, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap();
        self.wall.fetch_add(nanos, Ordering::Relaxed);
        self.source.with(|database| database.now += time);
        if let Some(process) = process {
            process.clock.advance(time);
        }
    }

    /// The machine loses its power and boots again. The journal is what was forced to
    /// the disk, and so many percent of what was not.
    fn cut_power(&mut self, written: u64) {
        let journal = fs::OpenOptions::new()
            .append(true)
            .open(self.journal())
            .unwrap();
        let len = journal.metadata().unwrap().len();
        let certain = synced::length(&journal).unwrap().min(len);
        let left = certain + (len - certain) * written / 100;
        journal.set_len(left).unwrap();
        self.boot += 1;
    }

    /// Asks, checks the answer, and returns whether it was a hit.
    fn ask(&self, process: &Process, user: &str) -> bool {
        let request = Request::new(
            "what is my claim status?",
            UserContext::new(user, "beneficiary"),
        );
        let routed = pollster::block_on(process.router.route(&request)).unwrap();
        let CacheOutcome::Hit { .. } = routed.cache else {
            return false;
        };
        let response = routed.answer.response().unwrap();
        let serial = response.data["serial"].as_u64().unwrap();
        let (made, now) = self.source.with(|database| {
            let serial = usize::try_from(serial).unwrap();
            (database.made[serial], database.now)
        });
        let age = now - made.at;
        assert!(age <= TTL, "{user} was served an answer of {age:?}");
        let told = routed.cache.age().unwrap();
        assert!(told >= age, "an answer of {age:?} says {told:?}");
        let floor = self.floors.get(user).copied().unwrap_or(0);
        assert!(
            made.version >= floor,
            "{user} was served version {} after {floor}",
            made.version
        );
        true
    }

    /// Changes a user's records, without an invalidation yet.
    fn write(&self, user: &str) {
        self.source
            .with(|database| *database.versions.entry(user.to_owned()).or_default() += 1);
    }

    /// Changes a user's records, and invalidates them as the service does.
    fn change(&mut self, process: &Process, user: &str, selector: Selector) {
        self.write(user);
        let version = self.source.with(|database| database.versions[user]);
        process.router.cache().invalidate(&selector);
        process.snapshots.record(&[selector]).unwrap();
        self.floors.insert(user.to_owned(), version);
    }
}

fn everything_of(user: &str) -> Selector {
    Selector::User(CanonicalJson::string(user))
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn texts(world: &World) -> String {
    let files = fs::read_dir(world.folder.path()).unwrap();
    files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}
