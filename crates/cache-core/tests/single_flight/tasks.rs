//! A minimal executor that polls only woken tasks.

use std::{
    collections::VecDeque,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

/// The woken tasks, in order.
type Queue = Arc<Mutex<VecDeque<usize>>>;

/// The state of a task.
pub(crate) enum Fate<T> {
    Running(Pin<Box<dyn Future<Output = T>>>),
    Done(T),
    Panicked,
    Cancelled,
}

/// The tasks of one thread. A task is polled only after it is woken, or by
/// [`poll`](Self::poll).
pub(crate) struct Tasks<T> {
    fates: Vec<Fate<T>>,
    queue: Queue,
}

struct Turn {
    task: usize,
    queue: Queue,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.queue.lock().unwrap().push_back(self.task);
    }
}

impl<T> Tasks<T> {
    pub(crate) fn new() -> Self {
        Self {
            fates: Vec::new(),
            queue: Queue::default(),
        }
    }

    /// Adds a task, which counts as woken.
    pub(crate) fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> usize {
        let task = self.fates.len();
        self.fates.push(Fate::Running(Box::pin(future)));
        self.queue.lock().unwrap().push_back(task);
        task
    }

    /// Polls a task, woken or not.
    pub(crate) fn poll(&mut self, task: usize) {
        let Fate::Running(future) = &mut self.fates[task] else {
            return;
        };
        let queue = Arc::clone(&self.queue);
        let waker = Waker::from(Arc::new(Turn { task, queue }));
        let mut context = Context::from_waker(&waker);
        // Like a runtime, isolates the panic of a task from the others.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(result)) => self.fates[task] = Fate::Done(result),
            Err(_) => self.fates[task] = Fate::Panicked,
        }
    }

    /// Polls the woken tasks until there are none.
    pub(crate) fn run(&mut self) {
        loop {
            let next = self.queue.lock().unwrap().pop_front();
            match next {
                Some(task) => self.poll(task),
                None => return,
            }
        }
    }

    /// Drops the future of a task at its present await.
    pub(crate) fn cancel(&mut self, task: usize) {
        if let Fate::Running(_) = self.fates[task] {
            self.fates[task] = Fate::Cancelled;
        }
    }

    pub(crate) fn fates(&self) -> &[Fate<T>] {
        &self.fates
    }

    /// The results of the tasks that returned; panics if a task hangs.
    pub(crate) fn results(&self) -> Vec<&T> {
        let result = |(task, fate)| match fate {
            &Fate::Running(_) => panic!("task {task} hangs"),
            Fate::Done(result) => Some(result),
            Fate::Panicked | Fate::Cancelled => None,
        };
        self.fates.iter().enumerate().filter_map(result).collect()
    }
}
