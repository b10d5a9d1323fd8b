//! The four TTL classes that every catalogue can name.
//!
//! ```
//! use intent_router::classes;
//!
//! let standard = classes::standard();
//! assert_eq!(standard.get("live_data"), Some(classes::LIVE_DATA));
//! assert_eq!(standard.freshness(classes::LIVE_DATA).ttl.as_secs(), 300);
//! ```

use std::time::Duration;

use cache_core::{Classes, Freshness, TtlClass};

/// Answers from live records: `live_data`, 300 s.
pub const LIVE_DATA: TtlClass = TtlClass::nth(0);
/// Articles and other slowly changing text: `knowledge_base`, 3,600 s.
pub const KNOWLEDGE_BASE: TtlClass = TtlClass::nth(1);
/// Who a user is: `user_context`, 1,800 s.
pub const USER_CONTEXT: TtlClass = TtlClass::nth(2);
/// The intent of a message: `intent_routing`, 600 s.
pub const INTENT_ROUTING: TtlClass = TtlClass::nth(3);

/// A new set that has the four classes with their default TTLs.
#[must_use]
pub fn standard() -> Classes {
    let classes = Classes::new();
    for (name, seconds) in [
        ("live_data", 300),
        ("knowledge_base", 3_600),
        ("user_context", 1_800),
        ("intent_routing", 600),
    ] {
        let class = classes.define(name);
        // A set has room for 255 classes.
        let class = class.expect("an empty set has room for four classes");
        let ttl = Duration::from_secs(seconds);
        classes.set_freshness(class, Freshness::ttl(ttl));
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_name_the_classes_with_the_documented_ttls() {
        let classes = standard();
        for (class, name, seconds) in [
            (LIVE_DATA, "live_data", 300),
            (KNOWLEDGE_BASE, "knowledge_base", 3_600),
            (USER_CONTEXT, "user_context", 1_800),
            (INTENT_ROUTING, "intent_routing", 600),
        ] {
            assert_eq!(classes.get(name), Some(class));
            assert_eq!(&*classes.name(class), name);
            assert_eq!(classes.freshness(class).ttl, Duration::from_secs(seconds));
        }
        assert_eq!(classes.iter().count(), 4);
    }
}
