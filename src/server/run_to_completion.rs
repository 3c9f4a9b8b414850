//! Runs work to completion, also when its caller is dropped.
//!
//! A person disconnects, a saga is dropped with its lease: what they have begun is done all the
//! same, and not by half. It must not know what is done.

use std::{
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use tokio::runtime::Handle;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use tracing::{Instrument as _, instrument::Instrumented};

/// A future that is polled where it is awaited, and that moves to a task of its own where it is
/// dropped before its end.
pub(super) struct RunToCompletion<F: Future<Output: Send> + Send + 'static> {
    /// There until the end.
    work: Option<Pin<Box<Instrumented<F>>>>,
    tracker: TaskTracker,
    /// Counts it as under way.
    _token: TaskTrackerToken,
}

impl<F: Future<Output: Send> + Send + 'static> RunToCompletion<F> {
    /// Lets `work` go on to its end; `tracker` knows of it until then.
    pub(super) fn new(tracker: &TaskTracker, work: F) -> Self {
        let (tracker, token) = (tracker.clone(), tracker.token());
        Self { work: Some(Box::pin(work.in_current_span())), tracker, _token: token }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for RunToCompletion<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(work) = self.work.as_mut() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for RunToCompletion<F> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // What has panicked cannot go on, and without a runtime nothing can.
        if !thread::panicking() && Handle::try_current().is_ok() {
            self.tracker.spawn(async move { drop(work.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use tokio::{sync::oneshot, task::yield_now};

    use super::*;

    /// Returns work that waits to be let go, and what tells that it is done.
    fn work() -> (oneshot::Sender<()>, Arc<AtomicBool>, impl Future<Output = u8> + Send + 'static) {
        let ((go, wait), is_done) = (oneshot::channel(), Arc::<AtomicBool>::default());
        let done = Arc::clone(&is_done);
        let work = async move {
            wait.await.unwrap();
            yield_now().await;
            done.store(true, Ordering::SeqCst);
            7
        };
        (go, is_done, work)
    }

    #[tokio::test]
    async fn who_waits_gets_the_result() {
        let (go, is_done, work) = work();
        go.send(()).unwrap();
        assert_eq!(RunToCompletion::new(&TaskTracker::new(), work).await, 7);
        assert!(is_done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn what_is_dropped_before_its_end_is_done_all_the_same_and_waited_for() {
        let tracker = TaskTracker::new();
        // Before it is polled at all, and in the middle.
        for polls in [0, 1] {
            let (go, is_done, work) = work();
            let mut waiting = Box::pin(RunToCompletion::new(&tracker, work));
            for _ in 0..polls {
                assert!(futures::poll!(&mut waiting).is_pending());
            }
            drop(waiting);
            assert!(!is_done.load(Ordering::SeqCst));
            go.send(()).unwrap();
            tracker.close();
            tracker.wait().await;
            assert!(is_done.load(Ordering::SeqCst), "after {polls} polls");
            tracker.reopen();
        }
    }

    #[tokio::test]
    async fn what_has_panicked_panics_once() {
        let tracker = TaskTracker::new();
        let work = RunToCompletion::new(&tracker, async { panic!("no") });
        assert!(tokio::spawn(work).await.unwrap_err().is_panic());
        tracker.close();
        tracker.wait().await;
    }
}
