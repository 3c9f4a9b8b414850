//! Tests of which callers share which call.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;

use super::*;

/// A clock that only the test moves.
#[derive(Debug, Default)]
struct Passed(AtomicU64);

#[async_trait]
impl Clock for Passed {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {
        panic!("these tests never sleep");
    }
}

/// A platform that answers each call with its number, when the test lets it.
struct Platform {
    single_flight: SingleFlight<u32>,
    clock: Passed,
    calls: AtomicU32,
    let_go: watch::Sender<u32>,
}

impl Platform {
    fn new() -> Self {
        let (single_flight, clock) = (SingleFlight::default(), Passed::default());
        Self { single_flight, clock, calls: AtomicU32::new(0), let_go: watch::Sender::new(0) }
    }

    fn lets_go(self, calls: u32) -> Self {
        self.let_go.send_replace(calls);
        self
    }

    /// Reads after `cursor`, and returns the number of the call. The third call fails, and the
    /// fourth panics.
    async fn ask(&self, cursor: ReadCursor) -> Result<u32, PlatformError> {
        let call = || {
            let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
            let mut let_go = self.let_go.subscribe();
            async move {
                let_go.wait_for(|up_to| *up_to >= number).await.unwrap();
                assert_ne!(number, 4, "the fourth call panics");
                if number == 3 {
                    return Err(PlatformError::NotFound { call: "deployment.queueList" });
                }
                Ok(number)
            }
        };
        self.single_flight.read_after(cursor, &self.clock, call).await.map(|(answer, _)| *answer)
    }

    fn begun(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn one_call_serves_all_callers_and_goes_on_if_one_is_dropped() {
    let platform = Platform::new();
    let mut gone = Box::pin(platform.ask(ReadCursor(0)));
    assert!(gone.as_mut().now_or_never().is_none(), "it began the call");
    let mut waiting = pin!(join_all((0..256).map(|_| platform.ask(ReadCursor(0)))));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(gone);
    platform.let_go.send_replace(1);
    assert!(waiting.await.into_iter().all(|answer| answer == Ok(1)));
    assert_eq!(platform.begun(), 1);
}

#[tokio::test]
async fn after_a_change_a_caller_is_served_by_a_later_call() {
    let platform = Platform::new();
    let mut earlier = Box::pin(platform.ask(ReadCursor(0)));
    assert!(earlier.as_mut().now_or_never().is_none());
    let changed = platform.single_flight.cursor();
    let mut later = Box::pin(platform.ask(changed));
    assert!(later.as_mut().now_or_never().is_none());
    assert_eq!(platform.begun(), 1, "one call at a time");
    platform.let_go.send_replace(2);
    assert_eq!(later.await, Ok(2));
    assert_eq!(earlier.await, Ok(1));
    assert_eq!(platform.ask(changed).await, Ok(2), "a third call is not needed yet");
}

#[tokio::test]
async fn a_result_serves_callers_that_have_not_seen_it_for_a_moment() {
    let platform = Platform::new().lets_go(2);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(1));
    platform.clock.0.store(250, Ordering::Relaxed);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(1));
    platform.clock.0.store(251, Ordering::Relaxed);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(2));
}

#[tokio::test]
async fn all_callers_get_an_error_and_none_gets_the_panic_of_another() {
    let platform = Platform::new().lets_go(2);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(1));
    assert_eq!(platform.ask(ReadCursor(1)).await, Ok(2));
    let mut waiting = pin!(join_all((0..3).map(|_| platform.ask(ReadCursor(2)))));
    assert!(waiting.as_mut().now_or_never().is_none());
    platform.let_go.send_replace(9);
    assert!(waiting.await.iter().all(Result::is_err));
    assert_eq!(platform.begun(), 3);
    assert_eq!(platform.ask(ReadCursor(3)).await, Ok(5), "by a call of its own after the fourth");
}

#[tokio::test]
async fn a_call_that_hangs_does_not_block_later_callers() {
    let platform = Platform::new();
    let mut hanging = Box::pin(platform.ask(ReadCursor(0)));
    assert!(hanging.as_mut().now_or_never().is_none());
    platform.clock.0.store(2_001, Ordering::Relaxed);
    let mut later = Box::pin(platform.ask(ReadCursor(0)));
    assert!(later.as_mut().now_or_never().is_none());
    assert_eq!(platform.begun(), 2);
}
