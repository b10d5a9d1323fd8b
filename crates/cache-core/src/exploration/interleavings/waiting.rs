//! Waiting: whichever filler or waiter gives up, at any point, all others finish.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use shuttle::{
    future::{block_on, yield_now},
    rand::{Rng, thread_rng},
};

use super::{CLASS, Store, chance, check_idle, explore, run_each, store};
use crate::{Fill, Lookup, Reuse, Waited};

#[test]
fn nobody_hangs_when_fillers_and_waiters_give_up() {
    explore(|| {
        let (store, _) = store(2, 1);
        let actor = {
            let store = store.clone();
            move || {
                let permit = match store.lookup(1, CLASS, Reuse::Any) {
                    Lookup::Hit(_) => return,
                    Lookup::Miss(permit) => permit,
                    Lookup::InFlight(_) if chance(3) => return,
                    Lookup::InFlight(waiter) => match waiter.wait() {
                        Waited::Value(_) => return,
                        Waited::Permit(permit) => permit,
                        other => panic!("{other:?} without a failure"),
                    },
                    other => panic!("{other:?} without windows"),
                };
                if chance(2) {
                    let _ = permit.fill(1);
                }
            }
        };
        run_each(4, actor);
        check_idle(&store);
    });
}

/// A future that is dropped after it was pending a given number of times.
struct Cancelled<F> {
    inner: Option<Pin<Box<F>>>,
    patience: u32,
}

impl<F: Future<Output = ()>> Future for Cancelled<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(());
        };
        match inner.as_mut().poll(context) {
            Poll::Pending if self.patience > 0 => {
                self.patience -= 1;
                Poll::Pending
            }
            Poll::Pending | Poll::Ready(()) => {
                self.inner = None;
                Poll::Ready(())
            }
        }
    }
}

/// A server's request, with a database that answers after a while.
async fn request(store: Store) {
    let permit = match store.lookup(1, CLASS, Reuse::Any) {
        Lookup::Hit(_) => return,
        Lookup::Miss(permit) => permit,
        Lookup::InFlight(waiter) => match waiter.await {
            Waited::Value(_) | Waited::Failed(_) => return,
            Waited::Permit(permit) => permit,
            other => panic!("{other:?} without windows"),
        },
        other => panic!("{other:?} without windows"),
    };
    yield_now().await;
    match thread_rng().gen_range(0..4) {
        0 => assert!(permit.fail("the database is away").is_err()),
        1 => drop(permit.fill(Fill::shared(1))),
        _ => {
            let _ = permit.fill(1);
        }
    }
}

#[test]
fn nobody_hangs_when_a_future_is_cancelled_at_any_await() {
    explore(|| {
        let (store, _) = store(2, 1);
        let actor = {
            let store = store.clone();
            move || {
                let patience = match thread_rng().gen_range(0..4) {
                    // Half of them are not cancelled.
                    2.. => u32::MAX,
                    few => few,
                };
                block_on(Cancelled {
                    inner: Some(Box::pin(request(store.clone()))),
                    patience,
                });
            }
        };
        run_each(4, actor);
        check_idle(&store);
    });
}
