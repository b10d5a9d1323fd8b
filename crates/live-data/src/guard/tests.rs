//! A guard before a source that tests hold, release and let fail.

mod breaking;
mod limit;
mod overload;
mod random;
mod turns;

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use intent_router::{
    Ask, BoxFuture, Catalogue, Found, LiveData, ManualTimer, Records, RequestContext, Slots,
    SourceError,
};

use super::*;

/// What a call does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    /// It waits until that changes.
    #[default]
    Hold,
    Answer,
    TimeOut,
    Fail,
    Refuse,
}

impl Fate {
    fn result(self) -> Poll<Result<Found<Records>, SourceError>> {
        let error = match self {
            Self::Hold => return Poll::Pending,
            Self::Answer => return Poll::Ready(Ok(Found::default())),
            Self::TimeOut => SourceError::Timeout(Duration::ZERO),
            Self::Fail => SourceError::Unavailable("told to".to_owned()),
            Self::Refuse => SourceError::Query {
                intent: String::new(),
                query: String::new(),
                reason: "told to".to_owned(),
            },
        };
        Poll::Ready(Err(error))
    }
}

/// What happened at the source.
#[derive(Debug, Default)]
struct Happened {
    fates: HashMap<String, Fate>,
    /// The intents of the calls, in order.
    calls: Vec<String>,
    /// The calls under way of each intent.
    in_flight: HashMap<String, usize>,
    unready: bool,
}

#[derive(Clone, Debug, Default)]
struct Scripted(Arc<Mutex<Happened>>);

impl Scripted {
    fn happened<T>(&self, look: impl FnOnce(&mut Happened) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn set(&self, intent: &str, fate: Fate) {
        self.happened(|it| it.fates.insert(intent.to_owned(), fate));
    }

    fn calls(&self) -> Vec<String> {
        self.happened(|it| it.calls.clone())
    }
}

/// A call under way.
struct InFlight(Scripted, String);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0
            .happened(|it| *it.in_flight.get_mut(&self.1).unwrap() -= 1);
    }
}

impl LiveData for Scripted {
    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let name = ask.intent.name.clone();
        self.happened(|it| {
            it.calls.push(name.clone());
            *it.in_flight.entry(name.clone()).or_default() += 1;
        });
        let call = InFlight(self.clone(), name);
        Box::pin(poll_fn(move |_| {
            let fate = self.happened(|it| it.fates.get(&call.1).copied());
            fate.unwrap_or_default().result()
        }))
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        let unready = self.happened(|it| it.unready);
        Box::pin(async move {
            match unready {
                true => Err(SourceError::Unavailable("told to".to_owned())),
                false => Ok(()),
            }
        })
    }
}

/// Intents that are asked: `a`, `b`, `c` and `d`.
const INTENTS: [&str; 4] = ["a", "b", "c", "d"];

fn context(intent: &str) -> &'static RequestContext<'static> {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let intent = |name| {
            format!(
                "[[intent]]\nname = \"{name}\"\nkind = \"knowledge_base\"\nphrases = [\"{name}\"]\n"
            )
        };
        Catalogue::parse(&INTENTS.map(intent).concat()).unwrap()
    });
    static CONTEXTS: LazyLock<HashMap<&str, RequestContext<'_>>> = LazyLock::new(|| {
        let context = |name| {
            let intent = CATALOGUE.get(name).unwrap();
            (
                name,
                RequestContext::new(intent, None, Slots::default(), ""),
            )
        };
        INTENTS.map(context).into()
    });
    &CONTEXTS[intent]
}

type Answer<'a> = BoxFuture<'a, Result<Found<Records>, SourceError>>;

/// The guard, its source and its time.
struct Bench {
    guarded: Guarded<Scripted>,
    source: Scripted,
    timer: ManualTimer,
}

fn bench(options: GuardOptions) -> Bench {
    let source = Scripted::default();
    let timer = ManualTimer::new();
    Bench {
        guarded: Guarded::new(source.clone(), options, Arc::new(timer.clone())),
        source,
        timer,
    }
}

impl Bench {
    /// Asks, and polls the answer once.
    fn asked(&self, intent: &str) -> Asked<'_> {
        self.asked_until(intent, Deadline::NEVER)
    }

    fn asked_until(&self, intent: &str, deadline: Deadline) -> Asked<'_> {
        let mut ask = context(intent).ask();
        ask.deadline = deadline;
        let mut asked = Asked {
            answer: self.guarded.records(ask),
            result: None,
        };
        asked.poll();
        asked
    }

    /// The result of a call that has to wait for nothing.
    fn ask(&self, intent: &str) -> Result<Found<Records>, SourceError> {
        self.asked(intent).result.expect("it had to wait")
    }
}

/// A question under way.
struct Asked<'a> {
    answer: Answer<'a>,
    result: Option<Result<Found<Records>, SourceError>>,
}

impl Asked<'_> {
    fn poll(&mut self) -> bool {
        if self.result.is_none() {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = Pin::new(&mut self.answer).poll(&mut context) {
                self.result = Some(result);
            }
        }
        self.result.is_some()
    }

    fn is_overloaded(&mut self) -> bool {
        self.poll() && matches!(self.result, Some(Err(SourceError::Overloaded { .. })))
    }

    fn is_refused(&mut self) -> bool {
        self.poll() && matches!(self.result, Some(Err(SourceError::CircuitOpen { .. })))
    }
}

/// For how long the answer says that the source is not asked.
fn retry_after<T>(answer: Result<T, SourceError>) -> Option<Duration> {
    match answer {
        Err(SourceError::CircuitOpen { retry_after }) => Some(retry_after),
        _ => None,
    }
}
