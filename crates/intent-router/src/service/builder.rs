//! The settings that a [`CacheService`] is built from.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cache_core::{Cache, Classes, SystemClock};
use cache_keys::{KeyScheme, Md5Scheme};

use super::capacity::{self, Capacity};
use super::{CacheService, SharedClock};
use crate::detect::Detection;
use crate::error::BuildError;
use crate::identity::DetectionKey;
use crate::weight;

/// Settings of a [`CacheService`]; each has a default.
pub struct ServiceBuilder {
    capacity: Capacity,
    classes: Classes,
    clock: SharedClock,
    scheme: Arc<dyn KeyScheme>,
    enabled: bool,
}

impl CacheService {
    /// Settings to build a service from.
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder::default()
    }
}

impl Default for ServiceBuilder {
    fn default() -> Self {
        Self {
            capacity: Capacity::default(),
            classes: crate::classes::standard(),
            clock: Arc::new(SystemClock::default()),
            scheme: Arc::new(Md5Scheme::default()),
            enabled: true,
        }
    }
}

impl ServiceBuilder {
    /// How large the stores may grow. Default: 64 MiB.
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }

    /// The TTL classes. Default: the four standard ones.
    pub fn classes(mut self, classes: Classes) -> Self {
        self.classes = classes;
        self
    }

    /// The clock that ages are measured by. Default: the system's monotonic one.
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The key scheme. Default: [`Md5Scheme`] with a secret of this process.
    pub fn scheme(mut self, scheme: Arc<dyn KeyScheme>) -> Self {
        self.scheme = scheme;
        self
    }

    /// Whether caching is on at first. Default: on.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The service.
    ///
    /// # Errors
    /// [`BuildError`] when the capacity is zero or a class cannot be defined.
    pub fn build(self) -> Result<CacheService, BuildError> {
        let Self {
            capacity,
            classes,
            clock,
            scheme,
            enabled,
        } = self;
        let shares = capacity.shares();
        let answers = Cache::builder()
            .classes(classes.clone())
            .clock(Arc::clone(&clock));
        let answers = match capacity {
            Capacity::Entries(most) => answers.max_entries(most),
            Capacity::Bytes(_) => answers
                .shards(capacity::shards(shares.answers))
                .max_weight(shares.answers, weight::answer),
        };
        let members = Cache::builder()
            .classes(classes.clone())
            .clock(Arc::clone(&clock))
            .shards(capacity::shards(shares.members))
            .max_weight(shares.members, weight::member);
        let detections = Cache::<DetectionKey<Box<str>>, Detection>::builder()
            .classes(classes.clone())
            .clock(clock)
            .shards(capacity::shards(shares.detections))
            .max_weight(shares.detections, |key, _| weight::detection(&key.message));
        Ok(CacheService {
            answers: answers.build()?,
            members: members.build()?,
            detections: detections.build()?,
            member_class: classes.define("user_context")?,
            detection_class: classes.define("intent_routing")?,
            capacity,
            classes,
            scheme,
            enabled: AtomicBool::new(enabled),
        })
    }
}
