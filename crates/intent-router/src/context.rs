//! A resolved request: everything that its answer and its stored entry depend on.

use std::borrow::Cow;

use cache_core::{Reuse, TtlClass};
use md5::{Digest as _, Md5};

use crate::catalogue::{Catalogue, Fingerprint, Intent};
use crate::deadline::Deadline;
use crate::policy::{self, CachePolicy};
use crate::principal::{Owner, Principal};
use crate::slots::{Date, Reading, Slots};
use crate::source::Ask;

/// A resolved request: intent, owner, key text, slots and other parameters, and
/// how the cache is used.
///
/// A router [resolves](crate::Router::resolve) each request once. The identity of
/// the stored answer and the [`Ask`] that a source gets are both made from the
/// context and from nothing else, so that two requests share an answer only if
/// they ask the source the same thing.
#[derive(Clone, Debug)]
pub struct RequestContext<'a> {
    pub(crate) intent: &'a Intent,
    pub(crate) storage: StoragePolicy,
    pub(crate) owner: Owner,
    /// The text that enters the key and that the source is given.
    pub(crate) text: Cow<'a, str>,
    /// The message, if it differs from `text`.
    pub(crate) message: Option<Cow<'a, str>>,
    pub(crate) parameters: Parameters,
    /// How certain the detector was.
    pub(crate) confidence: f64,
    pub(crate) policy: CachePolicy,
}

/// How the answers of an intent are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoragePolicy {
    pub(crate) class: TtlClass,
    pub(crate) fingerprint: Fingerprint,
    /// Whether a query of the intent reads the day.
    pub(crate) reads_today: bool,
    /// Whether the answers depend on records that a [`ChangeGate`](crate::ChangeGate)
    /// covers.
    pub(crate) is_gated: bool,
    /// Whether it covers all records that the answers depend on.
    pub(crate) is_covered: bool,
}

impl StoragePolicy {
    /// The policy of an intent that belongs to no router.
    const NONE: Self = Self {
        class: crate::classes::LIVE_DATA,
        fingerprint: Fingerprint::NONE,
        reads_today: false,
        is_gated: false,
        is_covered: false,
    };

    /// The policy of an intent of the catalogue, with its class.
    pub(crate) fn new(intent: &Intent, catalogue: &Catalogue, class: TtlClass) -> Self {
        Self {
            class,
            fingerprint: Fingerprint::of(intent, catalogue),
            reads_today: intent.reads_today(),
            is_gated: false,
            is_covered: false,
        }
    }
}

/// The parameters of a request other than its intent, owner and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The slots that may narrow the answer.
    pub(crate) slots: Slots,
    /// Whether a guard withheld the slots, because the message may say more than
    /// they do.
    pub(crate) doubtful: bool,
    /// The day, where a query reads it.
    pub(crate) today: Option<Date>,
}

impl Parameters {
    /// The parameters of a reading of the message. Slots that a guard withholds
    /// are left out.
    pub(crate) fn new(reading: Reading, today: Option<Date>) -> Self {
        let doubtful = reading.guard().is_some();
        Self {
            slots: reading.into_slots(),
            doubtful,
            today,
        }
    }

    /// A 128-bit hash of the parameters; 0 without parameters. Costs an MD5
    /// unless there are none.
    pub(crate) fn bits(&self) -> u128 {
        // Destructured in full, so that a new parameter enters here.
        let Self {
            slots,
            doubtful,
            today,
        } = self;
        if slots.is_empty() && !doubtful && today.is_none() {
            return 0;
        }
        let mut hash = Md5::new();
        hash.update([u8::from(*doubtful)]);
        if let Some(day) = today {
            hash.update(day.to_string());
        }
        hash.update(b";");
        // Escaped, so that no two sets of slots have one text.
        slots.write_key_text(|part| hash.update(part));
        u128::from_le_bytes(hash.finalize().into())
    }
}

impl<'a> RequestContext<'a> {
    /// A context with these slots and this text, for tests of a source. A
    /// knowledge-base intent ignores the principal.
    pub fn new(
        intent: &'a Intent,
        principal: Option<&Principal>,
        slots: Slots,
        text: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            intent,
            storage: StoragePolicy::NONE,
            owner: policy::owner(intent, principal.cloned()),
            text: text.into(),
            message: None,
            parameters: Parameters {
                slots,
                ..Parameters::default()
            },
            confidence: 1.0,
            policy: CachePolicy::Use(Reuse::Any),
        }
    }

    /// The same context as if a guard had withheld its slots.
    #[must_use]
    pub fn doubtful(mut self) -> Self {
        self.parameters.slots = Slots::default();
        self.parameters.doubtful = true;
        self
    }

    /// The same context on that day.
    #[must_use]
    pub fn on(mut self, today: Date) -> Self {
        self.parameters.today = Some(today);
        self
    }

    /// The part of the context that the source gets, without a deadline.
    pub fn ask(&self) -> Ask<'_> {
        // Destructured in full, as for `identity::of_context`: what is part of
        // the identity is what the source is given.
        let Self {
            intent,
            owner,
            text,
            parameters:
                Parameters {
                    slots,
                    doubtful,
                    today,
                },
            // These say how the answer is stored and shown, not what it is.
            storage: _,
            message: _,
            confidence: _,
            policy: _,
        } = self;
        Ask {
            intent,
            principal: match owner {
                Owner::Person(who) => Some(who),
                Owner::Everyone => None,
            },
            slots,
            message: text,
            doubtful: *doubtful,
            today: *today,
            deadline: Deadline::NEVER,
        }
    }

    /// The intent.
    pub fn intent(&self) -> &'a Intent {
        self.intent
    }

    /// Whose answer it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The text that enters the key's digest: the message in the form of the
    /// intent's key mode.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The slots that the source gets.
    pub fn slots(&self) -> &Slots {
        &self.parameters.slots
    }

    /// How the cache is used.
    pub fn policy(&self) -> CachePolicy {
        self.policy
    }

    /// An owned copy without the intent, for a task that borrows the intent from
    /// its own catalogue.
    pub(crate) fn detach(&self) -> DetachedContext {
        let Self {
            intent: _,
            storage,
            owner,
            text,
            message,
            parameters,
            confidence,
            policy,
        } = self;
        DetachedContext {
            storage: *storage,
            owner: owner.clone(),
            text: text.clone().into_owned(),
            message: message.clone().map(Cow::into_owned),
            parameters: parameters.clone(),
            confidence: *confidence,
            policy: *policy,
        }
    }
}

/// A [`RequestContext`] without its intent.
#[derive(Clone)]
pub(crate) struct DetachedContext {
    storage: StoragePolicy,
    owner: Owner,
    text: String,
    message: Option<String>,
    parameters: Parameters,
    confidence: f64,
    policy: CachePolicy,
}

impl DetachedContext {
    /// How certain the detector was.
    pub(crate) fn confidence(&self) -> f64 {
        self.confidence
    }

    /// The context again, with the intent that it was detached from.
    pub(crate) fn attach(self, intent: &Intent) -> RequestContext<'_> {
        let Self {
            storage,
            owner,
            text,
            message,
            parameters,
            confidence,
            policy,
        } = self;
        RequestContext {
            intent,
            storage,
            owner,
            text: Cow::Owned(text),
            message: message.map(Cow::Owned),
            parameters,
            confidence,
            policy,
        }
    }
}
