//! The connection that reads changes, and what it makes of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use intent_router::{Catalogue, Coverage};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::clock::ServerClock;
use super::lsn;
use super::pgoutput::{self, Message};
use super::published::{PUBLICATION, Published};
use super::rows::{AnnouncedTables, Before};
use super::snapshot::Snapshot;
use super::wire::{Connection, Frame, WireError, within};
use crate::changes::event::{ChangeEvent, Gap, Position};
use crate::changes::mapping::Mapping;
use crate::postgres::PostgresAddress;

/// How long the server may take to answer a small question.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked up what is published.
const BETWEEN_CHECKS: Duration = Duration::from_secs(1);

/// The pause before another attempt to connect: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How many changes are collected before they are handed over.
const MOST_EVENTS: usize = 1_000;

/// Why reading ended.
#[derive(Debug)]
struct Ended(Gap, String);

impl From<WireError> for Ended {
    fn from(error: WireError) -> Self {
        let reason = match &error {
            // The slot was invalidated, or what it needs is removed.
            WireError::Server { code, .. } if code == "55000" || code == "58P01" => Gap::Lost,
            // The publication was dropped.
            WireError::Server { code, .. } if code == "42704" => Gap::Lost,
            WireError::Protocol(_) => Gap::Undecodable,
            _ => Gap::Disconnected,
        };
        Self(reason, error.to_string())
    }
}

/// Follows a database until it is dropped.
pub(super) struct Follow {
    address: PostgresAddress,
    heartbeat: Duration,
    covered: BTreeSet<String>,
    catalogue: Arc<Mutex<Arc<Catalogue>>>,
    sender: mpsc::Sender<Vec<ChangeEvent>>,
}

impl Follow {
    pub(super) fn new(
        address: PostgresAddress,
        heartbeat: Duration,
        covered: BTreeSet<String>,
        catalogue: Arc<Mutex<Arc<Catalogue>>>,
        sender: mpsc::Sender<Vec<ChangeEvent>>,
    ) -> Self {
        Self {
            address,
            heartbeat,
            covered,
            catalogue,
            sender,
        }
    }

    /// Connects, reads, and begins again when that ends.
    pub(super) async fn run(self) {
        let mut pause = PAUSES.0;
        let mut in_gap = false;
        loop {
            let mut has_begun = false;
            let Ended(reason, detail) = match self.read(&mut has_begun).await {
                Ok(never) => match never {},
                Err(ended) => ended,
            };
            if has_begun {
                (pause, in_gap) = (PAUSES.0, false);
            }
            if !std::mem::replace(&mut in_gap, true) {
                let gap = ChangeEvent::Gap { reason, detail };
                if self.sender.send(vec![gap]).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Reads changes until that fails. `has_begun` becomes true with the first position.
    async fn read(&self, has_begun: &mut bool) -> Result<std::convert::Infallible, Ended> {
        let catalogue = Arc::clone(&self.catalogue.lock());
        let began = Instant::now();
        let mut sql = Connection::open(&self.address, false).await?;
        let mut stream = Connection::open(&self.address, true).await?;
        let slot = format!("{PUBLICATION}_{:016x}", fastrand::u64(..));
        let create =
            format!("CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT");
        let created = patiently(&mut sql, stream.query(&create)).await?;
        let start = created.first().and_then(|row| row.get(1)?.as_deref());
        let start = start.and_then(lsn::position).ok_or(UNEXPECTED)?;
        // After the slot was made: what changes later is noticed by the next look.
        let published = self.published(&mut sql, &catalogue).await?;
        let begin = format!(
            "START_REPLICATION SLOT {slot} LOGICAL 0/0 \
             (proto_version '1', publication_names '{PUBLICATION}')"
        );
        within(PATIENCE, stream.query(&begin)).await?;
        let first = ChangeEvent::Position {
            at: Some(start),
            as_of: began,
        };
        let sender = &self.sender;
        sender.send(vec![first]).await.map_err(|_| DROPPED)?;
        *has_begun = true;
        let coverage = Coverage::Tables(self.covered.clone());
        let mut reading = SlotReader {
            follow: self,
            mapping: Mapping::new(&catalogue, coverage),
            catalogue,
            sql,
            stream,
            published,
            checked: Instant::now(),
            must_check: false,
            tables: AnnouncedTables::default(),
            events: Vec::new(),
            in_transaction: false,
            commits: Vec::new(),
            last: None,
            clock: None,
            asked: None,
            at: start,
        };
        let mut beats = interval(self.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                frame = reading.stream.frame() => reading.take(frame?).await?,
                _ = beats.tick() => reading.beat().await?,
            }
        }
    }

    /// What is published, which must be all that was when the feed was opened.
    async fn published(
        &self,
        sql: &mut Connection,
        catalogue: &Catalogue,
    ) -> Result<Published, Ended> {
        let published = within(PATIENCE, Published::read(sql, catalogue)).await?;
        let covered = published.covered();
        match self.covered.iter().find(|name| !covered.contains(*name)) {
            // The catalogue no longer declares it, so it was not looked up.
            Some(name) if !catalogue.tables().contains_key(name) => Ok(published),
            Some(name) => Err(Ended(
                Gap::Lost,
                format!("`{name}` is no longer published: run `router changes setup --apply`"),
            )),
            None => Ok(published),
        }
    }
}

const UNEXPECTED: WireError = WireError::Protocol("the server sent an unexpected message");

/// The feed was dropped, so nobody reads this.
const DROPPED: Ended = Ended(Gap::Disconnected, String::new());

/// Waits for work that may take long, such as for the end of a transaction, as long as
/// the server answers on another connection.
async fn patiently<T>(
    sql: &mut Connection,
    work: impl Future<Output = Result<T, WireError>>,
) -> Result<T, WireError> {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(BETWEEN_CHECKS, &mut work).await {
            Ok(done) => return done,
            Err(_) => within(PATIENCE, sql.query("SELECT")).await?,
        };
    }
}

/// What the server said about how far it is.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// When it was asked.
    at: Instant,
    /// How far transactions had written.
    written: Position,
    /// How far it was safe on disk. Decoding goes as far.
    flushed: Position,
    /// How long a commit may be seen before it is on disk, with `synchronous_commit` off.
    delay: Duration,
}

/// A connection that reads.
struct SlotReader<'f> {
    follow: &'f Follow,
    catalogue: Arc<Catalogue>,
    mapping: Mapping,
    sql: Connection,
    stream: Connection,
    published: Published,
    /// When it was last looked up.
    checked: Instant,
    /// Whether it must be looked up before the next position: a truncated table has
    /// another file, which would count as another change later.
    must_check: bool,
    tables: AnnouncedTables,
    /// Changes that were not handed over yet.
    events: Vec<ChangeEvent>,
    in_transaction: bool,
    /// The transactions that were read, and may not be seen by new queries yet.
    commits: Vec<u32>,
    /// The end and the time of the last of them.
    last: Option<(Position, i64)>,
    clock: Option<ServerClock>,
    /// The first answer that the stream has not confirmed.
    asked: Option<Asked>,
    /// The last position that was handed over.
    at: Position,
}

impl SlotReader<'_> {
    /// Takes a message of the stream.
    async fn take(&mut self, frame: Frame) -> Result<(), Ended> {
        let mut body = frame.body;
        match (frame.tag, body.try_get_u8()) {
            (b'd', Ok(b'w')) if body.len() >= 24 => {
                body.advance(24);
                self.message(&body).await?;
            }
            (b'd', Ok(b'k')) if body.len() >= 17 => {
                let (sent, must_reply) = (Position(body.get_u64()), body[8] == 1);
                if must_reply {
                    self.report(false).await?;
                }
                self.confirm(sent).await?;
            }
            (b'S' | b'N', _) => {}
            (b'c' | b'C', _) => {
                let detail = "the server ended the stream".to_owned();
                return Err(Ended(Gap::Disconnected, detail));
            }
            _ => return Err(UNEXPECTED.into()),
        }
        if self.events.len() >= MOST_EVENTS {
            self.hand_over().await?;
        }
        Ok(())
    }

    /// Takes a message of the plugin.
    async fn message(&mut self, bytes: &Bytes) -> Result<(), Ended> {
        let undecodable = |what: &str| Ended(Gap::Undecodable, what.to_owned());
        let Ok(message) = pgoutput::decode(bytes) else {
            return Err(undecodable("the server sent a change that is no such"));
        };
        let events = &mut self.events;
        let known = match message {
            Message::Begin { xid } => {
                self.in_transaction = true;
                self.commits.push(xid);
                return Ok(());
            }
            Message::Commit { end, micros } => {
                self.in_transaction = false;
                self.last = Some((Position(end), micros));
                // More may be there already: one question for many transactions.
                if !self.stream.has_frame() || self.commits.len() >= MOST_EVENTS {
                    self.settle().await?;
                }
                return Ok(());
            }
            Message::Relation(relation) => {
                if self.published.names(relation.table).is_none() {
                    // It may be a new partition of a declared table.
                    self.check().await?;
                }
                let names = self.published.names(relation.table);
                self.tables
                    .announce(&relation, names, &self.mapping, &mut self.events);
                return Ok(());
            }
            Message::Insert { table, new } => {
                self.tables.change(table, Before::None, Some(new), events)
            }
            Message::Update { table, old, new } => {
                let old = old.map_or(Before::SameIdentity, Before::Sent);
                self.tables.change(table, old, Some(new), events)
            }
            Message::Delete { table, old } => {
                self.tables.change(table, Before::Sent(old), None, events)
            }
            Message::Truncate { tables } => {
                self.must_check = true;
                let mut tables = tables.into_iter();
                tables.try_for_each(|table| self.tables.truncate(table, events))
            }
            Message::Other => Ok(()),
        };
        known.map_err(|_| undecodable("the server sent a row of an unknown table"))
    }

    /// Hands over the transactions that were read, once new queries see them.
    async fn settle(&mut self) -> Result<(), Ended> {
        let Some((at, micros)) = self.last.take() else {
            return Ok(());
        };
        // The server sends a commit before it shows it: a query between the two would read
        // the rows as they were before, and its answer would be stored after the invalidation.
        let mut pause = Duration::from_micros(250);
        let mut reported = Instant::now();
        while !self.are_seen().await? {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(20));
            if reported.elapsed() >= BETWEEN_CHECKS {
                reported = Instant::now();
                self.report(false).await?;
            }
        }
        self.commits.clear();
        if std::mem::take(&mut self.must_check) {
            self.check().await?;
        }
        let now = Instant::now();
        let as_of = self.clock.map_or(now, |clock| clock.at(micros, now));
        self.position(at, as_of).await
    }

    /// Whether new queries see the transactions that were read.
    async fn are_seen(&mut self) -> Result<bool, Ended> {
        let rows = self.ask("SELECT pg_current_snapshot()").await?;
        let snapshot = rows.first().and_then(|row| row.first()?.as_deref());
        let snapshot = snapshot.and_then(Snapshot::parse).ok_or(UNEXPECTED)?;
        Ok(self.commits.iter().all(|&xid| snapshot.has_ended(xid)))
    }

    /// Hands over a position, and what came before it.
    async fn position(&mut self, at: Position, as_of: Instant) -> Result<(), Ended> {
        self.at = self.at.max(at);
        let at = Some(self.at);
        self.events.push(ChangeEvent::Position { at, as_of });
        self.hand_over().await
    }

    async fn hand_over(&mut self) -> Result<(), Ended> {
        let events = std::mem::take(&mut self.events);
        let sent = self.follow.sender.send(events).await;
        sent.map_err(|_| DROPPED)
    }

    /// Asks the server how far it is, and the stream to say when it is there.
    async fn beat(&mut self) -> Result<(), Ended> {
        if !Arc::ptr_eq(&self.catalogue, &self.follow.catalogue.lock()) {
            let detail = "the catalogue has changed".to_owned();
            return Err(Ended(Gap::Catalogue, detail));
        }
        if self.checked.elapsed() >= BETWEEN_CHECKS {
            self.check().await?;
        }
        let at = Instant::now();
        let rows = self
            .ask(
                "SELECT pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn(), \
                 ((extract(epoch FROM clock_timestamp()) - 946684800) * 1000000)::bigint, \
                 (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay')",
            )
            .await?;
        let text = |column| rows.first()?.get::<usize>(column)?.as_deref();
        let number = |column| text(column)?.parse().ok();
        let place = |column| text(column).and_then(lsn::position).ok_or(UNEXPECTED);
        let micros = number(2).ok_or(UNEXPECTED)?;
        self.clock = Some(ServerClock::new(at, micros));
        let delay = number(3).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let asked = Asked {
            at,
            written: place(0)?,
            flushed: place(1)?,
            // The documented limit: three times the delay of the writer.
            delay: Duration::from_millis(delay.saturating_mul(3)),
        };
        self.asked.get_or_insert(asked);
        self.report(true).await
    }

    /// Takes that everything up to a position was sent.
    async fn confirm(&mut self, sent: Position) -> Result<(), Ended> {
        if self.in_transaction {
            // Its own position comes with its end.
            return Ok(());
        }
        self.settle().await?;
        let Some(asked) = self.asked.take_if(|asked| asked.flushed <= sent) else {
            return Ok(());
        };
        let as_of = match asked.written <= sent {
            true => Some(asked.at),
            false => asked.at.checked_sub(asked.delay),
        };
        self.position(sent, as_of.unwrap_or(asked.at)).await
    }

    /// Tells the server up to where everything was read: it keeps the log from there.
    async fn report(&mut self, asks_for_reply: bool) -> Result<(), Ended> {
        let mut body = BytesMut::with_capacity(39);
        body.put_u8(b'd');
        body.put_u32(4 + 34);
        body.put_u8(b'r');
        for _ in ["written", "flushed", "applied"] {
            body.put_u64(self.at.0);
        }
        // The server does not use the time.
        body.put_i64(0);
        body.put_u8(u8::from(asks_for_reply));
        Ok(within(PATIENCE, self.stream.send(&body)).await?)
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<super::wire::Row>, Ended> {
        Ok(within(PATIENCE, self.sql.query(sql)).await?)
    }

    /// Looks up what is published. Another schema of a table changes all its rows; other
    /// tables are a gap.
    async fn check(&mut self) -> Result<(), Ended> {
        self.checked = Instant::now();
        let (follow, catalogue) = (self.follow, Arc::clone(&self.catalogue));
        let published = follow.published(&mut self.sql, &catalogue).await?;
        let Some(reformed) = published.reformed(&self.published) else {
            let detail = "the published tables, or those that hold their rows, have changed";
            return Err(Ended(Gap::Lost, detail.to_owned()));
        };
        let tables = reformed.into_iter().map(Some);
        self.events.extend(tables.map(ChangeEvent::Table));
        self.published = published;
        Ok(())
    }
}
