//! `intent-router` with a business of its own: a town library, whose questions
//! are the file `library.toml` and whose records are a map in memory.
//!
//! Each step asserts what it says, so a run that ends without a panic proves
//! this page.

mod library;

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use cache_keys::CanonicalJson;
use intent_router::{
    CacheOutcome, CacheService, Catalogue, KeywordDetector, Request, Routed, Router, Selector,
    Source, UserContext,
};

use crate::library::Library;

fn main() -> Result<(), Box<dyn Error>> {
    let catalogue = Arc::new(Catalogue::parse(include_str!("library.toml"))?);
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let library = Arc::new(Library::default());
    let cache = Arc::new(CacheService::builder().build()?);
    let router = Router::new(catalogue, detector, library.clone(), cache.clone())?;
    let ask = |user: &str, message: &str| {
        let user = UserContext::new(user, "reader");
        block_on(router.route(&Request::new(message, user)))
    };

    // The first to ask causes two calls: who is it, and which loans are hers.
    let first = ask("ada", "Which books have I borrowed?")?;
    assert_eq!(first.answer.intent(), "loans");
    assert_eq!(first.answer.source(), Source::LiveData);
    assert_eq!(first.answer.response()?.data["loans"][0]["title"], "Emma");
    assert!(matches!(
        first.cache,
        CacheOutcome::Miss { stored: true, .. }
    ));
    assert_eq!(library.calls(), 2);

    // The same question in other words: with `key = "slots"` it has one entry,
    // and the answer is the same, byte for byte.
    let again = ask("ada", "when are my loans due back")?;
    assert!(is_hit(&again));
    assert_eq!(again.answer.json(), first.answer.json());
    assert_eq!(library.calls(), 2);

    // Another user has another entry, and so has the same user in another role.
    let other = ask("bob", "Which books have I borrowed?")?;
    assert!(!is_hit(&other));
    assert_eq!(
        other.answer.response()?.data["loans"][0]["title"],
        "Ulysses"
    );
    let staff = UserContext::new("ada", "librarian");
    assert!(!is_hit(&block_on(
        router.route(&Request::new("my loans", staff))
    )?));

    // Who is unknown gets an honest fallback, which is not stored.
    let stranger = ask("eve", "my loans")?;
    assert_eq!(stranger.answer.source(), Source::Fallback);
    assert_eq!(stranger.answer.response()?.data["reason"], "no_such_member");

    // A record changes: first the record, then the cache. Only answers that
    // were made of it leave.
    library.renew("LN-0001", "2025-05-01");
    // (Two: hers as a reader, and as a librarian.)
    assert_eq!(
        cache.invalidate(&Selector::Tag("loan:LN-0001".to_owned())),
        2
    );
    let renewed = ask("ada", "my loans")?;
    assert_eq!(
        renewed.answer.response()?.data["loans"][0]["due"],
        "2025-05-01"
    );
    assert!(is_hit(&ask("bob", "my loans")?));

    // All that is known of a user leaves, her profile included.
    let ada = Selector::User(CanonicalJson::string("ada"));
    assert_eq!(cache.invalidate(&ada), 1);

    // What is not about anybody is stored once, for everybody.
    assert!(!is_hit(&ask("ada", "What are your opening hours?")?));
    let guest = Request::new("What are your opening hours?", UserContext::guest());
    assert!(is_hit(&block_on(router.route(&guest))?));

    // Off, every request goes to the source; on again, what was stored and has
    // not expired is there.
    cache.set_enabled(false);
    let before = library.calls();
    assert!(!is_hit(&ask("bob", "my loans")?));
    assert_eq!(library.calls(), before + 2);
    cache.set_enabled(true);
    assert!(is_hit(&ask("bob", "my loans")?));

    println!("own source: all held, {}% hits", cache.stats().hit_rate());
    Ok(())
}

fn is_hit(routed: &Routed) -> bool {
    matches!(routed.cache, CacheOutcome::Hit { .. })
}

/// Runs a future on this thread. Under tokio, or any other runtime, write
/// `router.route(&request).await` instead: the router asks nothing of it.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
