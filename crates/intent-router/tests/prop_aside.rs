//! Cache-aside against a naive model: random schedules of look-ups, fills, failures,
//! releases and invalidations by several callers, in one thread on a stopped clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{
    CacheLookup, Computed, FillPermit, Refusal, Request, Router, Selector, UserContext,
};
use proptest::prelude::*;
use serde_json::json;
use support::{Bench, bench, poll_once};

const USERS: [&str; 2] = ["BEN-000001", "BEN-000002"];
const MESSAGES: [&str; 2] = ["what is my claim status?", "and is my claim approved?"];
const INTENT: &str = "claim_status";

/// A step of a schedule. The permit or waiter is the n-th of those that are open.
#[derive(Clone, Debug)]
enum Step {
    LookUp {
        user: usize,
        message: usize,
    },
    Fill {
        which: usize,
    },
    Fail {
        which: usize,
    },
    Release {
        which: usize,
    },
    /// A waiting look-up goes away.
    Leave {
        which: usize,
    },
    /// A record of a user changes, which is told.
    Change {
        user: usize,
    },
    ChangeAll,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let which = || 0..4_usize;
    prop_oneof![
        6 => (0..2_usize, 0..2_usize).prop_map(|(user, message)| Step::LookUp { user, message }),
        3 => which().prop_map(|which| Step::Fill { which }),
        1 => which().prop_map(|which| Step::Fail { which }),
        1 => which().prop_map(|which| Step::Release { which }),
        1 => which().prop_map(|which| Step::Leave { which }),
        2 => (0..2_usize).prop_map(|user| Step::Change { user }),
        1 => Just(Step::ChangeAll),
        1 => (0..200_u64).prop_map(Step::Pass),
    ]
}

type Entry = (usize, usize);

/// An open permit, with what its caller read when it got it.
struct Open {
    entry: Entry,
    permit: FillPermit,
    version: u64,
    /// How many changes of the user had been told by then.
    told: u64,
}

/// A look-up that waits.
struct Waiting {
    entry: Entry,
    wait: Pin<Box<dyn Future<Output = CacheLookup>>>,
    /// The version of the user's records when it began.
    version: u64,
}

#[derive(Clone, Copy)]
struct Stored {
    version: u64,
    at: u64,
}

/// The callers, their database, and what the naive model says is stored.
struct Schedule {
    bench: Bench,
    versions: [u64; 2],
    open: Vec<Open>,
    waiting: Vec<Waiting>,
    stored: [[Option<Stored>; 2]; 2],
    now: u64,
}

const TTL: u64 = 300;

impl Schedule {
    fn new() -> Self {
        Self {
            bench: bench(),
            versions: [0; 2],
            open: Vec::new(),
            waiting: Vec::new(),
            stored: Default::default(),
            now: 0,
        }
    }

    fn router(&self) -> &Router {
        &self.bench.router
    }

    fn model(&self, (user, message): Entry) -> Option<Stored> {
        let stored = self.stored[user][message];
        stored.filter(|stored| self.now - stored.at <= TTL)
    }

    /// A caller has the permit, and reads its records now.
    fn opened(&mut self, entry: Entry, permit: FillPermit) -> Result<(), TestCaseError> {
        let others = self.open.iter().filter(|open| open.entry == entry);
        prop_assert_eq!(others.count(), 0, "two permits for one entry");
        let id = permit.ask(|ask| ask.principal.unwrap().id_text().into_owned());
        prop_assert_eq!(id, USERS[entry.0]);
        let version = self.versions[entry.0];
        self.open.push(Open {
            entry,
            permit,
            version,
            told: version,
        });
        Ok(())
    }

    fn served(&self, entry: Entry, json: &str, at_least: u64) -> Result<u64, TestCaseError> {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        prop_assert_eq!(&value["data"]["user"], USERS[entry.0]);
        prop_assert_eq!(&value["data"]["message"], MESSAGES[entry.1]);
        let version = value["data"]["version"].as_u64().unwrap();
        prop_assert!(version >= at_least, "served {version}, {at_least} was told");
        Ok(version)
    }

    fn look_up(&mut self, entry: Entry) -> Result<(), TestCaseError> {
        let user = UserContext::new(USERS[entry.0], "beneficiary");
        let mut request = Request::new(MESSAGES[entry.1], user);
        request.forced_intent = Some(INTENT.to_owned());
        let expected = self.model(entry);
        match self.router().look_up(&request, None).unwrap() {
            CacheLookup::Answered(routed, due) => {
                prop_assert!(due.is_none(), "the class has no windows");
                let told = self.versions[entry.0];
                let version = self.served(entry, routed.answer.json(), told)?;
                prop_assert_eq!(Some(version), expected.map(|stored| stored.version));
            }
            CacheLookup::Missing(permit) => {
                prop_assert!(expected.is_none(), "stored, and missing");
                self.opened(entry, permit)?;
            }
            CacheLookup::InFlight(waiter) => {
                prop_assert!(expected.is_none(), "stored, and waited for");
                let holds = self.open.iter().any(|open| open.entry == entry);
                prop_assert!(holds, "waits for nobody");
                self.waiting.push(Waiting {
                    entry,
                    wait: Box::pin(waiter.wait()),
                    version: self.versions[entry.0],
                });
            }
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    }

    fn fill(&mut self, which: usize) -> Result<(), TestCaseError> {
        let Open {
            entry,
            permit,
            version,
            told,
        } = self.open.swap_remove(which);
        let data = json!({
            "user": USERS[entry.0], "message": MESSAGES[entry.1], "version": version,
        });
        let computed = Computed::new(data, vec![format!("claim:{}", USERS[entry.0])]);
        let filled = permit.fill(computed);
        let is_current = told == self.versions[entry.0];
        prop_assert_eq!(filled.stored.is_ok(), is_current);
        if is_current {
            let at = self.now;
            self.stored[entry.0][entry.1] = Some(Stored { version, at });
        } else {
            prop_assert_eq!(filled.stored, Err(Refusal::Invalidated));
        }
        Ok(())
    }

    /// Polls the look-ups that wait until none goes on.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        let mut at = 0;
        while at < self.waiting.len() {
            let Poll::Ready(found) = poll_once(self.waiting[at].wait.as_mut()) else {
                at += 1;
                continue;
            };
            let Waiting { entry, version, .. } = self.waiting.remove(at);
            at = 0;
            match found {
                CacheLookup::Answered(routed, None) => {
                    self.served(entry, routed.answer.json(), version)?;
                }
                CacheLookup::Missing(permit) => self.opened(entry, permit)?,
                CacheLookup::Failed(reason) => prop_assert_eq!(reason, "no database"),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        for waiting in &self.waiting {
            let holds = self.open.iter().any(|open| open.entry == waiting.entry);
            prop_assert!(holds, "a look-up waits, and nobody has the permit");
        }
        Ok(())
    }

    fn change(&mut self, user: usize) {
        self.versions[user] += 1;
        self.stored[user] = Default::default();
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let count = self.open.len();
        match *step {
            Step::LookUp { user, message } => self.look_up((user, message))?,
            Step::Fill { which } if count > 0 => self.fill(which % count)?,
            Step::Fail { which } if count > 0 => {
                let open = self.open.swap_remove(which % count);
                prop_assert!(open.permit.fail("no database").is_none());
            }
            Step::Release { which } if count > 0 => {
                drop(self.open.swap_remove(which % count));
            }
            Step::Leave { which } if !self.waiting.is_empty() => {
                let which = which % self.waiting.len();
                drop(self.waiting.remove(which));
            }
            Step::Change { user } => {
                self.change(user);
                let id = CanonicalJson::string(USERS[user]);
                let name = format!("claim:new-{}", self.versions[user]);
                // By the user, or by a new record of theirs: both reach the answers.
                let selector = match self.versions[user] % 2 {
                    0 => Selector::User(id),
                    _ => Selector::TagOf {
                        record: name,
                        user: id,
                    },
                };
                self.router().cache().invalidate(&selector);
            }
            Step::ChangeAll => {
                self.change(0);
                self.change(1);
                self.router().cache().invalidate(&Selector::All);
            }
            Step::Pass(seconds) => {
                self.now += seconds;
                self.bench.clock.advance(Duration::from_secs(seconds));
            }
            _ => {}
        }
        self.settle()
    }
}

proptest! {
    /// No answer that an invalidation should have removed is stored or served to who
    /// asks after it; no look-up waits for nobody; an entry has one permit.
    #[test]
    fn prop_callers_and_model_agree(steps in prop::collection::vec(step(), 1..60)) {
        let mut schedule = Schedule::new();
        for step in &steps {
            schedule.step(step)?;
        }
        // Whoever still holds a permit fills it: then nobody waits.
        while !schedule.open.is_empty() {
            schedule.fill(0)?;
            schedule.settle()?;
        }
        prop_assert!(schedule.waiting.is_empty(), "a look-up waits for ever");
    }
}
