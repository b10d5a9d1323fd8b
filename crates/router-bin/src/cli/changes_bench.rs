//! `router bench --changes`: the databases whose changes are measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cache_core::Freshness;
use intent_router::{BoxFuture, classes};
use live_data::{DemoOptions, DemoPayments, SqliteSetup, write_demo};
use parking_lot::Mutex;
use router_bench::changes::{self, ChangesOptions, ChangesRun, Writer};

use super::startup::runtime;
use crate::changes::Changes;
use crate::config::{Config, SourceUrl};
use crate::exit::{Code, Failure};
use crate::setup::Assembly;
use crate::source;

/// The TTL of answers, so that only changes end their lives.
const TTL: Duration = Duration::from_secs(3_600);

/// How many members the temporary demo data has.
const DEMO_MEMBERS: u32 = 100;

/// How many members' records are changed at a time.
const LANES: u32 = 8;

/// How long the feed of changes may take to begin.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// Runs the trials, with each way in which the database's changes can be seen.
pub(super) fn run(
    config: Config,
    options: ChangesOptions,
) -> Result<Vec<(String, ChangesRun)>, Failure> {
    let failed = |error: anyhow::Error| Failure::new(Code::Unavailable, format_args!("{error:#}"));
    match config.source.url.clone() {
        Some(SourceUrl::Sqlite(path)) => {
            let payments = DemoPayments::open(&path).map_err(anyhow::Error::from);
            let run = payments.and_then(|it| follow(config, it, options));
            Ok(vec![(
                "the configured database".to_owned(),
                run.map_err(failed)?,
            )])
        }
        Some(SourceUrl::Postgres(url)) => {
            let address = source::postgres(&config, &url);
            let address = address.map_err(|error| Failure::new(Code::Config, error))?;
            let payments = DemoPayments::open_postgres(&address).map_err(anyhow::Error::from);
            let run = payments.and_then(|it| follow(config, it, options));
            Ok(vec![(
                "the configured database".to_owned(),
                run.map_err(failed)?,
            )])
        }
        Some(SourceUrl::Http(_)) => Err(Failure::new(
            Code::Config,
            "only a database reports changes; set `source.url` to one",
        )),
        None => in_temporary_files(&config, options).map_err(failed),
    }
}

/// Both ways of SQLite, each on demo data of its own.
fn in_temporary_files(
    config: &Config,
    options: ChangesOptions,
) -> anyhow::Result<Vec<(String, ChangesRun)>> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let mut runs = Vec::new();
    for (way, has_triggers) in [("whole database", false), ("single records", true)] {
        let path = folder.path().join(format!("{way}.db"));
        let demo = DemoOptions {
            members: DEMO_MEMBERS,
            ..DemoOptions::default()
        };
        write_demo(&path, &demo)?;
        if has_triggers {
            SqliteSetup::of(&path, config.intents())?.apply()?;
        }
        let mut config = config.clone();
        config.source.url = Some(SourceUrl::Sqlite(path.clone()));
        let payments = DemoPayments::open(&path)?;
        runs.push((way.to_owned(), follow(config, payments, options)?));
    }
    Ok(runs)
}

/// Runs the trials on the configured database, through a router that follows its changes.
fn follow(
    mut config: Config,
    mut payments: DemoPayments,
    options: ChangesOptions,
) -> anyhow::Result<ChangesRun> {
    config.changes.enabled = true;
    config.cache.enabled = true;
    config.cache.snapshot.file = None;
    let members = payments.members(LANES)?;
    anyhow::ensure!(!members.is_empty(), "no member has payments");
    let runtime = runtime().map_err(|failure| anyhow::anyhow!("{failure}"))?;
    runtime.block_on(async {
        let assembly =
            Assembly::serving(&config).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let changes = assembly.changes().context("the changes are not followed")?;
        let router = Arc::clone(assembly.router());
        let freshness = Freshness::ttl(TTL);
        router
            .cache()
            .classes()
            .set_freshness(classes::LIVE_DATA, freshness);
        let followed = Arc::clone(&router);
        let following = tokio::spawn(Arc::clone(changes).follow(move || Arc::clone(&followed)));
        until_live(changes).await?;
        let writer = Arc::new(DemoWriter {
            payments: Arc::new(Mutex::new(payments)),
            changes: Arc::clone(changes),
        });
        let run = changes::run(&router, writer, &members, options).await;
        following.abort();
        run
    })
}

async fn until_live(changes: &Changes) -> anyhow::Result<()> {
    let began = Instant::now();
    while !changes.figures().live {
        anyhow::ensure!(
            began.elapsed() < MOST_WAIT,
            "the changes of the database are not seen after {MOST_WAIT:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Writes to the database, and waits for what the router has seen of it.
struct DemoWriter {
    payments: Arc<Mutex<DemoPayments>>,
    changes: Arc<Changes>,
}

impl Writer for DemoWriter {
    fn write<'a>(
        &'a self,
        member: &'a str,
        amount_cents: i64,
    ) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
        let (payments, member) = (Arc::clone(&self.payments), member.to_owned());
        Box::pin(async move {
            let work = move || payments.lock().set_amounts(&member, amount_cents);
            Ok(tokio::task::spawn_blocking(work).await??)
        })
    }

    fn applied<'a>(&'a self, position: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let waited = self.changes.wait_for(position.as_bytes(), MOST_WAIT).await;
            waited.unwrap_or(false)
        })
    }
}
