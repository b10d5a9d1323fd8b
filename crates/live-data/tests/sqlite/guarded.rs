//! A guard before the SQLite source.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use intent_router::ManualTimer;
use live_data::{GuardOptions, Guarded};

use super::limits::endless_catalogue;
use super::*;

#[test]
fn four_who_ask_what_never_ends_leave_connections_for_other_questions() {
    let options = SqliteOptions {
        deadline: std::time::Duration::MAX,
        ..SqliteOptions::default()
    };
    let Desk { catalogue, source } = Desk::demo(endless_catalogue(), &options);
    let guarded = Guarded::new(
        source,
        GuardOptions::default(),
        Arc::new(ManualTimer::new()),
    );
    let who = person("BEN-000001");
    let context = |intent| {
        let intent = catalogue.get(intent).unwrap();
        RequestContext::new(intent, Some(&who), Slots::default(), "")
    };
    let (endless, quick) = (context("endless"), context("test"));
    let mut asked: Vec<_> = (0..4).map(|_| guarded.records(endless.ask())).collect();
    for answer in &mut asked {
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(answer).poll(&mut context).is_pending());
    }
    // It hangs if the four have all connections.
    let found = block_on(guarded.records(quick.ask())).unwrap();
    assert_eq!(rows(&found.value.data, "claims").len(), 3);
    assert!(
        block_on(guarded.is_member(&who, Deadline::NEVER))
            .unwrap()
            .value
    );
    assert!(block_on(guarded.ready()).is_ok());
    assert_eq!(guarded.figures().waiting, 2);
}
