//! Tests of which callers share which call.

use std::{
    pin::pin,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;

use super::*;

/// A clock that moves when told.
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
        panic!("nobody sleeps here");
    }
}

/// A platform whose answers tell which call they are of, and come when they are let go.
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

    /// Asks, and returns the number of the call that answers; the third one fails.
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
async fn one_call_serves_all_who_wait_and_one_who_is_gone_stops_nobody() {
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
async fn whoever_changed_something_is_served_by_a_call_that_began_afterwards() {
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
    assert_eq!(platform.ask(changed).await, Ok(2), "nobody needs a third one yet");
}

#[tokio::test]
async fn an_answer_serves_for_a_moment_those_who_have_not_seen_it() {
    let platform = Platform::new().lets_go(2);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(1));
    platform.clock.0.store(250, Ordering::Relaxed);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(1));
    platform.clock.0.store(251, Ordering::Relaxed);
    assert_eq!(platform.ask(ReadCursor(0)).await, Ok(2));
}

#[tokio::test]
async fn all_who_waited_hear_of_an_error_and_a_panic_is_nobody_else_s() {
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
async fn a_call_that_hangs_keeps_nobody_who_comes_later() {
    let platform = Platform::new();
    let mut hanging = Box::pin(platform.ask(ReadCursor(0)));
    assert!(hanging.as_mut().now_or_never().is_none());
    platform.clock.0.store(2_001, Ordering::Relaxed);
    let mut later = Box::pin(platform.ask(ReadCursor(0)));
    assert!(later.as_mut().now_or_never().is_none());
    assert_eq!(platform.begun(), 2);
}
