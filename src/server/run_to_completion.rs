//! Runs work to completion, even if its caller is dropped.
//!
//! A client may disconnect, and a saga may be dropped with its lease. A write that they have begun
//! must not stop halfway. The module must not know what the work is.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::Handle;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

/// A future that is polled where it is awaited. If it is dropped before its end, its work moves to
/// a task of its own.
pub(crate) struct RunToCompletion<F: Future<Output: Send> + Send + 'static> {
    /// `Some` until the work is complete.
    work: Option<Pin<Box<Instrumented<F>>>>,
    /// Counts the work as in progress.
    token: TaskTrackerToken,
}

impl<F: Future<Output: Send> + Send + 'static> RunToCompletion<F> {
    /// Wraps `work`; the tracker of `token` counts it until its end.
    pub(crate) fn new(token: TaskTrackerToken, work: F) -> Self {
        Self { work: Some(Box::pin(work.in_current_span())), token }
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
        // Work that panicked cannot continue, and there may be no runtime any more.
        if !thread::panicking() && Handle::try_current().is_ok() {
            self.token.task_tracker().spawn(async move { drop(work.await) });
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
    use tokio_util::task::TaskTracker;

    use super::*;

    /// Returns work that waits for a signal, and a flag that it sets at its end.
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
        assert_eq!(RunToCompletion::new(TaskTracker::new().token(), work).await, 7);
        assert!(is_done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn what_is_dropped_before_its_end_is_done_all_the_same_and_waited_for() {
        let tracker = TaskTracker::new();
        // Drops it before the first poll, and in the middle.
        for polls in [0, 1] {
            let (go, is_done, work) = work();
            let mut waiting = Box::pin(RunToCompletion::new(tracker.token(), work));
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
        let work = RunToCompletion::new(tracker.token(), async { panic!("no") });
        assert!(tokio::spawn(work).await.unwrap_err().is_panic());
        tracker.close();
        tracker.wait().await;
    }
}
