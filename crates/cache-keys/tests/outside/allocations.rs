//! Counts what is allocated while keys are made.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use cache_keys::{CanonicalJson, Field, KeyParts, KeyScheme, Md5Scheme};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let scheme = Md5Scheme::default();
    let counted = |user_id: Field<'_>, message: &str| {
        let parts = KeyParts {
            intent: "claim_status",
            user_id,
            user_role: Field::Str("beneficiary"),
            message,
        };
        let before = COUNT.load(Ordering::Relaxed);
        let key = std::hint::black_box(scheme.key(std::hint::black_box(&parts)));
        let count = COUNT.load(Ordering::Relaxed) - before;
        key.expect("these can be written");
        count
    };

    for id in [
        "",
        "BEN-000001",
        "Bénéficiaire-№1 👩",
        "\"\\\u{0}",
        &"x".repeat(5_000),
    ] {
        for message in ["", "What is my claim status?", &"é".repeat(5_000)] {
            assert_eq!(counted(Field::Absent, message), 0);
            assert_eq!(counted(Field::Str(id), message), 0, "{id:?}");
            assert_eq!(counted(Field::Value(&id.into()), message), 0, "{id:?}");
            assert_eq!(
                counted(Field::Canonical(&CanonicalJson::string(id)), message),
                0
            );
        }
    }
    let object = CanonicalJson::parse(r#"{"id": [1, 2.5]}"#).expect("it is JSON");
    assert_eq!(counted(Field::Canonical(&object), "hello"), 0);
    assert_ne!(
        counted(Field::Value(&serde_json::json!([1])), "hello"),
        0,
        "allocations are seen"
    );
}
