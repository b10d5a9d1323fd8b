//! The pool's promises, with jobs that tests start and stop by channels.

use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};

use pollster::block_on;

use super::*;

fn pool(workers: usize, queue: usize, deadline: Duration) -> Pool {
    let location = Location::new(Path::new(":memory:"));
    let connections = (0..workers).map(|_| location.open(Duration::ZERO).unwrap());
    let queue = NonZeroUsize::new(queue).unwrap();
    Pool::start(&location, connections.collect(), queue, deadline).unwrap()
}

#[test]
fn a_full_queue_refuses_at_once() {
    let pool = pool(1, 1, Duration::MAX);
    let (started, has_started) = channel();
    let (release, released) = channel::<()>();
    let mut context = Context::from_waker(Waker::noop());
    let mut running = pin!(pool.run(Deadline::NEVER, move |_| {
        started.send(()).unwrap();
        Ok(released.recv().is_ok())
    }));
    assert!(running.as_mut().poll(&mut context).is_pending());
    has_started.recv().unwrap();
    let mut waiting = pin!(pool.run(Deadline::NEVER, |_| Ok(2)));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let mut refused = pin!(pool.run(Deadline::NEVER, |_| Ok(3)));
    let answer = refused.as_mut().poll(&mut context);
    assert!(matches!(
        answer,
        Poll::Ready(Err(SourceError::Unavailable(_)))
    ));
    release.send(()).unwrap();
    assert!(block_on(running).unwrap());
    assert_eq!(block_on(waiting).unwrap(), 2);
}

#[test]
fn a_job_that_nobody_waits_for_is_not_started() {
    let pool = pool(1, 2, Duration::MAX);
    let (started, has_started) = channel();
    let (release, released) = channel::<()>();
    let ran = Arc::new(AtomicUsize::new(0));
    let mut context = Context::from_waker(Waker::noop());
    let mut running = pin!(pool.run(Deadline::NEVER, move |_| {
        started.send(()).unwrap();
        Ok(released.recv().is_ok())
    }));
    assert!(running.as_mut().poll(&mut context).is_pending());
    has_started.recv().unwrap();
    let counted = |ran: &Arc<AtomicUsize>| {
        let ran = Arc::clone(ran);
        move |_: &Connection| Ok(ran.fetch_add(1, Ordering::SeqCst))
    };
    {
        let mut dropped = pin!(pool.run(Deadline::NEVER, counted(&ran)));
        assert!(dropped.as_mut().poll(&mut context).is_pending());
    }
    release.send(()).unwrap();
    assert!(block_on(running).unwrap());
    // The queue is in order: the dropped job's turn was before this one's.
    assert_eq!(
        block_on(pool.run(Deadline::NEVER, counted(&ran))).unwrap(),
        0
    );
}

#[test]
fn a_job_past_its_deadline_is_not_started() {
    let pool = pool(2, 4, Duration::ZERO);
    let ran = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ran);
    let answer = block_on(pool.run(Deadline::NEVER, move |_| {
        flag.store(true, Ordering::SeqCst);
        Ok(())
    }));
    assert!(matches!(answer, Err(SourceError::Timeout(Duration::ZERO))));
    drop(pool);
    assert!(!ran.load(Ordering::SeqCst));
}

#[test]
fn a_panic_in_a_job_is_an_error_of_its_caller() {
    let pool = pool(1, 1, Duration::MAX);
    let answer = block_on(pool.run(Deadline::NEVER, |_| -> Result<(), Failure> {
        panic!("on purpose")
    }));
    assert!(matches!(answer, Err(SourceError::Unavailable(_))));
    // The only worker goes on, with a new connection.
    assert!(block_on(pool.run(Deadline::NEVER, |_| Ok(()))).is_ok());
    assert_eq!(pool.reopened(), 1);
}

#[test]
fn a_connection_that_stays_suspect_is_opened_again_at_a_bounded_rate() {
    let pool = pool(1, 1, Duration::MAX);
    let began = Instant::now();
    for _ in 0..10_000 {
        let suspect = || Failure::Connection(SourceError::Unavailable("no luck".to_owned()));
        let answer = block_on(pool.run(Deadline::NEVER, move |_| -> Result<(), Failure> {
            Err(suspect())
        }));
        assert!(answer.is_err());
    }
    let most = 1 + began.elapsed().as_millis() / 100;
    let reopened = u128::from(pool.reopened());
    assert!((1..=most).contains(&reopened), "{reopened} of {most}");
}

#[test]
fn a_failure_that_is_not_the_connections_fault_leaves_it_open() {
    let pool = pool(1, 1, Duration::MAX);
    for failure in [
        || Failure::TimedOut,
        || Failure::Source(SourceError::Unavailable("not its fault".to_owned())),
    ] {
        let answer = block_on(pool.run(Deadline::NEVER, move |_| -> Result<(), Failure> {
            Err(failure())
        }));
        assert!(answer.is_err());
    }
    assert!(block_on(pool.run(Deadline::NEVER, |_| Ok(()))).is_ok());
    assert_eq!(pool.reopened(), 0);
}

/// Counts when its thread ends.
struct Ends(Arc<AtomicUsize>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static ENDS: RefCell<Option<Ends>> = const { RefCell::new(None) };
}

#[test]
fn dropping_the_pool_ends_its_threads() {
    let pool = pool(3, 8, Duration::MAX);
    let ended = Arc::new(AtomicUsize::new(0));
    let (started, has_started) = channel();
    let mut releases = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    let mut running = Vec::new();
    for _ in 0..3 {
        let (started, ended) = (started.clone(), Arc::clone(&ended));
        let (release, released) = channel::<()>();
        releases.push(release);
        let mut future = Box::pin(pool.run(Deadline::NEVER, move |_| {
            ENDS.set(Some(Ends(ended)));
            started.send(()).unwrap();
            Ok(released.recv().is_ok())
        }));
        assert!(future.as_mut().poll(&mut context).is_pending());
        running.push(future);
    }
    // Each of the three workers has one of the three jobs.
    for _ in 0..3 {
        has_started.recv().unwrap();
    }
    drop(releases);
    for future in running {
        assert!(!block_on(future).unwrap());
    }
    assert_eq!(ended.load(Ordering::SeqCst), 0);
    drop(pool);
    assert_eq!(ended.load(Ordering::SeqCst), 3);
}

/// Polls its future where it is woken, as some executors do.
struct Inline<F> {
    future: Mutex<Option<Pin<Box<F>>>>,
    done: std::sync::mpsc::Sender<()>,
}

impl<F: Future<Output = ()> + Send + 'static> std::task::Wake for Inline<F> {
    fn wake(self: Arc<Self>) {
        let future = self.future.lock().take();
        if let Some(mut future) = future {
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_ready());
            drop(future);
            self.done.send(()).unwrap();
        }
    }
}

#[test]
fn the_last_owner_may_be_dropped_on_a_worker() {
    let pool = pool(1, 1, Duration::MAX);
    let (release, released) = channel::<()>();
    let mut future = Box::pin(async move {
        let answer = pool
            .run(Deadline::NEVER, move |_| Ok(released.recv().is_ok()))
            .await;
        assert!(answer.unwrap());
    });
    let (done, is_done) = channel();
    let executor = Arc::new(Inline {
        future: Mutex::new(None),
        done,
    });
    let waker = Waker::from(Arc::clone(&executor));
    let mut context = Context::from_waker(&waker);
    assert!(future.as_mut().poll(&mut context).is_pending());
    *executor.future.lock() = Some(future);
    release.send(()).unwrap();
    // It fails when the worker could not end the pool, as by joining itself.
    drop((executor, waker));
    is_done.recv().unwrap();
}
