//! The calls under way and those that wait for their turn: a fair queue.
//!
//! Each intent has a lane: a queue of its own and a share of the limit. The lanes
//! take turns, so that an intent whose calls are slow or many does not hold up those
//! of another. The look-up of members has a lane of its own.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use intent_router::SourceError;

use super::breaker::{Breaker, Ticket};
use super::figures::Counts;
use super::limit::{Call, Latency, Limit};
use super::options::GuardOptions;

/// The lane of the look-up of members.
const MEMBERS: usize = 0;

/// What a call is about, which decides its lane.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    /// Whether a user is a member.
    Members,
    /// The records of an intent.
    Intent(&'a str),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The source answered.
    Answered,
    /// The source answered that the query is wrong: the fault of its intent.
    Refused,
    /// The source did not answer in time, which may be the fault of the query.
    TimedOut,
    /// The source could not be asked.
    Failed,
    /// It tells nothing of the source: its asker has gone, or it was not made.
    Unknown,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Turn {
    lane: usize,
    tickets: Tickets,
    call: Call,
}

/// A call that both breakers let through: that of the source and that of its intent.
#[derive(Clone, Copy, Debug)]
struct Tickets {
    source: Ticket,
    lane: Ticket,
}

/// Where a waiting call learns that its turn has come, or that it has failed.
pub(super) type Reply = oneshot::Sender<Result<Turn, SourceError>>;

/// What is to be sent once the lock of the queue is released, because that runs the
/// wakers of the callers.
pub(super) type Replies = Vec<(Reply, Result<Turn, SourceError>)>;

/// A call that waits.
#[derive(Debug)]
struct Waiting {
    number: u64,
    tickets: Tickets,
    since: Instant,
    reply: Reply,
}

/// The calls about one subject.
#[derive(Debug)]
struct Lane {
    in_flight: usize,
    waiting: VecDeque<Waiting>,
    breaker: Breaker,
    latency: Latency,
}

/// Names a waiting call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    lane: usize,
    number: u64,
}

/// All calls to one source. It knows no clock: callers give the time.
#[derive(Debug)]
pub(super) struct Queue {
    options: GuardOptions,
    pub(super) limit: Limit,
    pub(super) breaker: Breaker,
    lanes: Vec<Lane>,
    /// The lane of each intent. Their number is that of the catalogue's intents.
    names: HashMap<String, usize>,
    /// The lanes in which calls wait, each once, in turn.
    ring: VecDeque<usize>,
    pub(super) in_flight: usize,
    /// The lane of the first time-out since a call was answered, and whether there
    /// was one in another lane.
    timed_out: Option<(usize, bool)>,
    arrivals: u64,
    pub(super) counts: Counts,
}

impl Queue {
    pub(super) fn new(options: GuardOptions) -> Self {
        let mut queue = Self {
            limit: Limit::new(&options),
            breaker: Breaker::new(&options),
            lanes: Vec::new(),
            names: HashMap::new(),
            ring: VecDeque::new(),
            in_flight: 0,
            timed_out: None,
            arrivals: 0,
            counts: Counts::default(),
            options,
        };
        queue.add_lane();
        queue
    }

    fn add_lane(&mut self) -> usize {
        self.lanes.push(Lane {
            in_flight: 0,
            waiting: VecDeque::new(),
            breaker: Breaker::new(&self.options),
            latency: Latency::default(),
        });
        self.lanes.len() - 1
    }

    fn lane_of(&mut self, subject: Subject<'_>) -> usize {
        let name = match subject {
            Subject::Members => return MEMBERS,
            Subject::Intent(name) => name,
        };
        if let Some(lane) = self.names.get(name) {
            return *lane;
        }
        let lane = self.add_lane();
        self.names.insert(name.to_owned(), lane);
        lane
    }

    /// How many calls wait.
    pub(super) fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// How many intents, the look-up of members among them, have a breaker of their
    /// own that is not closed.
    pub(super) fn tripped(&self) -> usize {
        let lanes = self.lanes.iter();
        lanes.filter(|lane| !lane.breaker.is_closed()).count()
    }

    /// How many calls of one lane may be under way.
    fn share(&self) -> usize {
        let limit = self.limit.current();
        let share = self.options.share.map_or(limit.div_ceil(2), |it| it.get());
        share.min(limit.saturating_sub(1)).max(1)
    }

    /// A call arrives, and waits for its turn.
    ///
    /// # Errors
    /// A breaker is open, or too many calls wait already.
    pub(super) fn arrive(
        &mut self,
        subject: Subject<'_>,
        reply: Reply,
        now: Instant,
    ) -> Result<Place, SourceError> {
        let index = self.lane_of(subject);
        let lane = &mut self.lanes[index];
        let of_source = self.breaker.refusal(now);
        if let Some(retry_after) = of_source.or_else(|| lane.breaker.refusal(now)) {
            match of_source {
                Some(_) => self.counts.refused_open += 1,
                None => self.counts.refused_intent_open += 1,
            }
            return Err(SourceError::CircuitOpen { retry_after });
        }
        if lane.waiting.len() >= self.options.queue.get() {
            self.counts.refused_full += 1;
            return Err(self.overloaded());
        }
        let tickets = Tickets {
            source: self.breaker.enter(),
            lane: lane.breaker.enter(),
        };
        self.arrivals += 1;
        let number = self.arrivals;
        if lane.waiting.is_empty() {
            self.ring.push_back(index);
        }
        lane.waiting.push_back(Waiting {
            number,
            tickets,
            since: now,
            reply,
        });
        Ok(Place {
            lane: index,
            number,
        })
    }

    /// The error of a call that is not made for want of room.
    fn overloaded(&self) -> SourceError {
        SourceError::Overloaded {
            retry_after: self.options.max_wait,
        }
    }

    /// A call that no longer waits, unless its turn has come. Returns whether it
    /// waited.
    pub(super) fn leave(&mut self, place: Place, now: Instant) -> bool {
        let lane = &mut self.lanes[place.lane];
        let mut waiting = lane.waiting.iter();
        let Some(at) = waiting.position(|it| it.number == place.number) else {
            return false;
        };
        let left = lane.waiting.remove(at);
        if lane.waiting.is_empty() {
            self.ring.retain(|other| *other != place.lane);
        }
        // It is there: its position was just found.
        if let Some(left) = left {
            self.untold(place.lane, left.tickets, now);
        }
        true
    }

    /// The error of a call that waited for too long.
    pub(super) fn waited_too_long(&mut self) -> SourceError {
        self.counts.refused_waited += 1;
        self.overloaded()
    }

    /// Gives the calls that wait their turns, as far as limit and shares allow.
    pub(super) fn grant(&mut self, now: Instant) -> Replies {
        let mut replies = Vec::new();
        let (limit, share) = (self.limit.current(), self.share());
        while self.in_flight < limit {
            let lanes = &self.lanes;
            let has_room = |lane: &usize| lanes[*lane].in_flight < share;
            let Some(at) = self.ring.iter().position(has_room) else {
                break;
            };
            let Some(index) = self.ring.remove(at) else {
                break;
            };
            let lane = &mut self.lanes[index];
            // A lane is in the ring exactly while calls wait in it.
            let Some(next) = lane.waiting.pop_front() else {
                continue;
            };
            if !lane.waiting.is_empty() {
                self.ring.push_back(index);
            }
            lane.in_flight += 1;
            self.in_flight += 1;
            self.counts.granted += 1;
            self.counts.waited += now.saturating_duration_since(next.since);
            let turn = Turn {
                lane: index,
                tickets: next.tickets,
                call: Call {
                    began: now,
                    in_flight: self.in_flight,
                    is_pressed: lane.in_flight == share && !lane.waiting.is_empty(),
                },
            };
            replies.push((next.reply, Ok(turn)));
        }
        replies
    }

    /// A call ended. Returns what the others are to be told.
    pub(super) fn end(&mut self, turn: &Turn, end: End, now: Instant) -> Replies {
        self.in_flight -= 1;
        let lane = &mut self.lanes[turn.lane];
        lane.in_flight -= 1;
        let took = now.saturating_duration_since(turn.call.began);
        // A call whose wait left it less time than calls take says nothing of the
        // source.
        let end = match end {
            End::TimedOut if lane.latency.exceeds(took) => End::Unknown,
            end => end,
        };
        if matches!(end, End::Answered | End::TimedOut) {
            self.limit.ended(&mut lane.latency, turn.call, now);
        }
        let mut replies = self.judge(turn.lane, turn.tickets, end, now);
        replies.extend(self.grant(now));
        replies
    }

    /// Tells the breakers how a call ended. A query that is wrong counts for that of
    /// its intent alone, a source that cannot be asked for that of the source alone,
    /// and a time-out for both, though those of one intent alone never open the
    /// source's.
    fn judge(&mut self, index: usize, tickets: Tickets, end: End, now: Instant) -> Replies {
        let lane = &mut self.lanes[index];
        let mut lane_opens = false;
        match end {
            End::Answered => lane.breaker.succeeded(tickets.lane),
            End::Refused | End::TimedOut => {
                lane_opens = lane.breaker.failed(tickets.lane, now, true);
            }
            End::Failed | End::Unknown => lane.breaker.abandoned(tickets.lane, now),
        }
        let source_opens = self.judge_source(index, tickets.source, end, now);
        if source_opens {
            return self.refuse_all(now);
        }
        if lane_opens {
            return self.refuse_lane(index, now);
        }
        Vec::new()
    }

    /// A readiness probe, which took no turn, ended.
    pub(super) fn probed(&mut self, ticket: Ticket, end: End, now: Instant) -> Replies {
        if self.judge_source(MEMBERS, ticket, end, now) {
            return self.refuse_all(now);
        }
        Vec::new()
    }

    /// Tells the source's breaker how a call ended. Returns whether that opened it.
    fn judge_source(&mut self, index: usize, ticket: Ticket, end: End, now: Instant) -> bool {
        match end {
            End::Answered | End::Refused => {
                self.timed_out = None;
                self.breaker.succeeded(ticket);
                false
            }
            End::Failed => self.breaker.failed(ticket, now, true),
            End::TimedOut => {
                let (first, others) = self.timed_out.unwrap_or((index, false));
                let spread = others || first != index;
                self.timed_out = Some((first, spread));
                self.breaker.failed(ticket, now, spread)
            }
            End::Unknown => {
                self.breaker.abandoned(ticket, now);
                false
            }
        }
    }

    fn untold(&mut self, lane: usize, tickets: Tickets, now: Instant) {
        self.breaker.abandoned(tickets.source, now);
        self.lanes[lane].breaker.abandoned(tickets.lane, now);
    }

    /// Refuses all calls that wait, as the source's breaker has opened.
    fn refuse_all(&mut self, now: Instant) -> Replies {
        self.counts.opened += 1;
        let retry_after = self.breaker.refusal(now).unwrap_or_default();
        let lanes = 0..self.lanes.len();
        let replies: Replies = lanes
            .flat_map(|lane| self.refuse(lane, retry_after, now))
            .collect();
        self.counts.refused_open += replies.len() as u64;
        replies
    }

    /// Refuses the calls that wait in a lane whose own breaker has opened.
    fn refuse_lane(&mut self, lane: usize, now: Instant) -> Replies {
        self.counts.opened_intents += 1;
        let refusal = self.lanes[lane].breaker.refusal(now);
        let replies = self.refuse(lane, refusal.unwrap_or_default(), now);
        self.counts.refused_intent_open += replies.len() as u64;
        replies
    }

    fn refuse(&mut self, lane: usize, retry_after: Duration, now: Instant) -> Replies {
        self.ring.retain(|other| *other != lane);
        let waiting = std::mem::take(&mut self.lanes[lane].waiting);
        let refused = waiting.into_iter().map(|call| {
            // It may have been the probe of the breaker that has not opened.
            self.untold(lane, call.tickets, now);
            (call.reply, Err(SourceError::CircuitOpen { retry_after }))
        });
        refused.collect()
    }
}
