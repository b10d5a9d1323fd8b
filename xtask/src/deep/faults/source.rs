//! Faults of the source of records: damaged, locked, slow, overloaded.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::client::{self, Client, NO_CACHE, get, once, question};
use super::load::{Sample, closed_loop, milliseconds, open_loop, spread};
use super::tested::{Database, Tested};

const QUESTION: &str = "what is my claim status?";
const MEMBERS: u32 = 2_000;

/// The file is overwritten, and a copy put in its place again.
pub(super) fn damaged(tested: &Tested<'_>) -> Result<Vec<String>> {
    const MOST: Duration = Duration::from_secs(20);
    let database = tested.database(100)?;
    let good = database.folder.path().join("good.db");
    fs::copy(&database.path, &good)?;
    let service = tested.serve(&[("ROUTER_SOURCE__URL", &database.url)])?;
    let status = |request: &str| match once(service.address(), client::PATIENCE, request) {
        Ok(reply) => reply.status,
        Err(_) => 0,
    };
    let miss = question(QUESTION, 1, "beneficiary", NO_CACHE);
    status(&miss);
    fs::write(&database.path, vec![0xa5; 200_000])?;
    let asked = status(&miss);
    let ready = status(&get("/readyz"));
    fs::copy(&good, &database.path)?;
    let restored = Instant::now();
    let mut whole = 0;
    // One answer could come from the one connection that was reopened.
    while restored.elapsed() < MOST && whole < 20 {
        let is_whole = status(&miss) == 200 && status(&get("/readyz")) == 200;
        whole = if is_whole { whole + 1 } else { 0 };
        thread::sleep(Duration::from_millis(5));
    }
    let recovered = if whole == 20 {
        format!("right again {} after", milliseconds(restored.elapsed()))
    } else {
        format!("not right again {} s after", MOST.as_secs())
    };
    Ok(vec![format!(
        "damaged: a miss gets {asked}, /readyz {ready}; restored: {recovered}"
    )])
}

/// Another process holds the database's lock, and is ended on drop.
struct Lock(Child);

impl Lock {
    fn take(tested: &Tested<'_>, database: &Database) -> Result<Self> {
        let script = "import sqlite3, sys\n\
                      c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                      c.execute('BEGIN EXCLUSIVE')\n\
                      print('locked', flush=True)\n\
                      sys.stdin.read()";
        let mut python = tested.shell.program("python3", ["-c", script]);
        let mut child = python
            .arg(&database.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("no python3, which locks the database")?;
        let stdout = child.stdout.take().context("no pipe from python3")?;
        let lock = Self(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if line.trim() != "locked" {
            bail!("python3 could not lock the database");
        }
        Ok(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A lock that nobody releases; stale answers may stand in.
pub(super) fn locked(tested: &Tested<'_>) -> Result<Vec<String>> {
    let database = tested.database(100)?;
    let service = tested.serve(&[
        ("ROUTER_SOURCE__URL", database.url.as_str()),
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1ms"),
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__STALE_IF_ERROR", "1h"),
    ])?;
    let mut client = Client::new(service.address(), client::PATIENCE)?;
    let stored = question(QUESTION, 1, "beneficiary", "");
    client.send(&stored)?;
    let lock = Lock::take(tested, &database)?;
    let mut ask = |request: &str, times: usize| -> Result<(u16, Vec<Duration>)> {
        let mut took = Vec::new();
        let mut status = 0;
        for _ in 0..times {
            let reply = client.send(request)?;
            status = reply.status;
            took.push(reply.took);
        }
        Ok((status, took))
    };
    let (_, first) = ask(&stored, 4)?;
    let first: Vec<_> = first.into_iter().map(milliseconds).collect();
    let (stale, mut later) = ask(&stored, 20)?;
    let (refused, mut others) = ask(&question(QUESTION, 2, "beneficiary", ""), 20)?;
    drop(lock);
    let freed = Instant::now();
    while client
        .send(&question(QUESTION, 2, "beneficiary", ""))?
        .status
        != 200
    {
        thread::sleep(Duration::from_millis(20));
    }
    Ok(vec![
        format!("the first stale answers take {}", first.join(", ")),
        format!("later ones ({stale}): {}", spread(&mut later)),
        format!(
            "questions without a stored answer ({refused}): {}",
            spread(&mut others)
        ),
        format!(
            "unlocked: answered again after {}",
            milliseconds(freed.elapsed())
        ),
    ])
}

/// A catalogue with a slow intent and a fast one.
fn catalogue(database: &Database, rows: u32) -> Result<String> {
    let text = format!(
        r#"
[[intent]]
name = "slow"
kind = "live_data"
phrases = ["a slow question"]
[[intent.query]]
name = "claims"
sql = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
SELECT claim_number FROM claims WHERE member_id = :user_id AND (SELECT count(*) FROM n) > 0"""

[[intent]]
name = "fast"
kind = "live_data"
phrases = ["a fast question"]
[[intent.query]]
name = "claims"
sql = "SELECT claim_number, status FROM claims WHERE member_id = :user_id"
"#
    );
    let path = database.folder.path().join("intents.toml");
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

fn miss(message: &'static str) -> impl Fn(usize) -> String + Copy {
    move |number| {
        question(
            message,
            number % MEMBERS as usize + 1,
            "beneficiary",
            NO_CACHE,
        )
    }
}

/// A slow intent keeps as many connections as it may busy.
pub(super) fn slow_intent(tested: &Tested<'_>) -> Result<Vec<String>> {
    const TIME: Duration = Duration::from_secs(20);
    let database = tested.database(MEMBERS)?;
    let catalogue = catalogue(&database, 1_500_000)?;
    let service = tested.serve(&[
        ("ROUTER_SOURCE__URL", &database.url),
        ("ROUTER_CATALOGUE__FILE", &catalogue),
    ])?;
    let address = service.address();
    let fast = miss("a fast question");
    let mut alone = closed_loop(address, Duration::from_secs(5), Duration::ZERO, fast)?;
    let (mut slow, beside) = thread::scope(|scope| {
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let ask = move |number| miss("a slow question")(number * 4 + asker);
                scope.spawn(move || closed_loop(address, TIME, Duration::ZERO, ask))
            })
            .collect();
        let beside = closed_loop(address, TIME, Duration::ZERO, fast);
        let slow = askers
            .into_iter()
            .filter_map(|asker| asker.join().ok()?.ok());
        (slow.flatten().collect::<Vec<_>>(), beside)
    });
    let mut beside = beside?;
    Ok(vec![
        format!(
            "the slow intent: {} answers, {}",
            slow.len(),
            spread(&mut slow)
        ),
        format!("misses of another intent, alone: {}", spread(&mut alone)),
        format!(
            "beside the slow one, {} in {} s: {}",
            beside.len(),
            TIME.as_secs(),
            spread(&mut beside)
        ),
    ])
}

/// More questions than the source can answer, beside hits; then few again.
pub(super) fn overload(tested: &Tested<'_>) -> Result<Vec<String>> {
    const AFTER: Duration = Duration::from_secs(40);
    let database = tested.database(MEMBERS)?;
    let catalogue = catalogue(&database, 150_000)?;
    let service = tested.serve(&[
        ("ROUTER_SOURCE__URL", &database.url),
        ("ROUTER_CATALOGUE__FILE", &catalogue),
    ])?;
    let address = service.address();
    let slow = miss("a slow question");
    let capacity = capacity(address)?;
    let hit = |_| question("a fast question", 1, "beneficiary", "");
    let pause = Duration::from_millis(20);
    let mut alone = closed_loop(address, Duration::from_secs(10), pause, hit)?;
    let (samples, beside) = thread::scope(|scope| {
        let hits = scope.spawn(move || closed_loop(address, tested.overload, pause, hit));
        let samples = open_loop(address, capacity * 2.0, tested.overload, slow);
        (samples, hits.join())
    });
    let (samples, Ok(beside)) = (samples?, beside) else {
        bail!("the client of hits panicked");
    };
    let (answered, refused, unanswered) = sorted(&samples);
    let mut good: Vec<_> = answered.iter().map(|(_, took)| *took).collect();
    let mut told: Vec<_> = refused.iter().map(|(_, took)| *took).collect();
    let waits = samples.iter().filter_map(|sample| sample.reply.as_ref());
    let waits = waits.filter(|reply| reply.status != 200 && reply.has_retry_after);
    let waits = waits.count();
    let rate = good.len() as f64 / tested.overload.as_secs_f64();
    let mut figures = vec![
        format!(
            "capacity {capacity:.0} a second; at twice that for {} s: {rate:.0} answered a second, {}",
            tested.overload.as_secs(),
            spread(&mut good)
        ),
        format!(
            "refused: {}, of which {waits} with Retry-After, {}; without an answer: {unanswered}",
            told.len(),
            spread(&mut told)
        ),
        format!("hits before: {}", spread(&mut alone)),
        format!("hits meanwhile: {}", spread(&mut beside?)),
    ];
    let samples = open_loop(address, capacity / 2.0, AFTER, slow)?;
    let (answered, refused, unanswered) = sorted(&samples);
    let last = refused.iter().map(|(sent, _)| *sent).max();
    let mut end: Vec<_> = answered
        .iter()
        .filter(|(sent, _)| *sent > AFTER / 2)
        .map(|(_, took)| *took)
        .collect();
    figures.push(format!(
        "half load after: {} answered, {} refused{}, {unanswered} without an answer; in its second \
         half {}",
        answered.len(),
        refused.len(),
        last.map_or(String::new(), |time| format!(
            ", the last after {}",
            milliseconds(time)
        )),
        spread(&mut end)
    ));
    Ok(figures)
}

/// When each request was sent, and what its answer took.
type Times = Vec<(Duration, Duration)>;

/// Those answered with 200, those answered otherwise, and the number of the others.
fn sorted(samples: &[Sample]) -> (Times, Times, usize) {
    let (mut answered, mut refused, mut unanswered) = (Vec::new(), Vec::new(), 0);
    for sample in samples {
        match &sample.reply {
            Some(reply) if reply.status == 200 => answered.push((sample.sent, reply.took)),
            Some(reply) => refused.push((sample.sent, reply.took)),
            None => unanswered += 1,
        }
    }
    (answered, refused, unanswered)
}

/// How many slow questions a second are answered to four clients.
fn capacity(address: SocketAddr) -> Result<f64> {
    const TIME: Duration = Duration::from_secs(8);
    let answered: usize = thread::scope(|scope| {
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let ask = move |number| miss("a slow question")(number * 4 + asker);
                scope.spawn(move || closed_loop(address, TIME, Duration::ZERO, ask))
            })
            .collect();
        let answered = askers
            .into_iter()
            .filter_map(|asker| asker.join().ok()?.ok());
        answered.map(|times| times.len()).sum()
    });
    if answered == 0 {
        bail!("no question was answered in {} s", TIME.as_secs());
    }
    Ok(answered as f64 / TIME.as_secs_f64())
}
