//! Values that are read again once they have reached an age.

use std::time::Duration;

use parking_lot::RwLock;

use clock::Clock;

/// A value that may be as old as its lifetime, counted from the end of its reading. However many
/// callers there are, it is read once at a time, and all who wait for a reading take its result.
pub(crate) struct Recent<T> {
    lifetime: Duration,
    /// The value, and when its reading ended, on the monotonic clock.
    last: RwLock<Option<(T, Duration)>>,
    /// Held while the value is read.
    reading: tokio::sync::Mutex<()>,
}

impl<T: Clone> Recent<T> {
    /// Creates a value that has not been read yet.
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self { lifetime, last: RwLock::default(), reading: tokio::sync::Mutex::default() }
    }

    /// Returns the value, and reads it with `read` if it is too old.
    pub(crate) async fn get(&self, clock: &dyn Clock, read: impl Future<Output = T>) -> T {
        if let Some(value) = self.known(clock) {
            return value;
        }
        let _alone = self.reading.lock().await;
        if let Some(value) = self.known(clock) {
            return value;
        }
        let value = read.await;
        *self.last.write() = Some((value.clone(), clock.monotonic()));
        value
    }

    /// Returns the value that was read last, however old it is.
    pub(crate) fn last(&self) -> Option<T> {
        self.last.read().as_ref().map(|(value, _)| value.clone())
    }

    fn known(&self, clock: &dyn Clock) -> Option<T> {
        let last = self.last.read();
        let age = |at| clock.monotonic().saturating_sub(at);
        last.as_ref().filter(|(_, at)| age(*at) < self.lifetime).map(|(value, _)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use futures::future::{join_all, ready};
    use jiff::Timestamp;
    use tokio::task::yield_now;

    use super::*;

    /// A clock that stands at a number of seconds.
    #[derive(Debug, Default)]
    struct Seconds(AtomicU64);

    #[async_trait]
    impl Clock for Seconds {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    #[tokio::test]
    async fn a_value_is_read_again_when_it_is_as_old_as_its_lifetime() {
        let (clock, value) = (Seconds::default(), Recent::new(Duration::from_secs(10)));
        for (now, expected) in [(0, 0), (9, 0), (10, 10), (19, 10), (25, 25)] {
            clock.0.store(now, Ordering::Relaxed);
            assert_eq!(value.get(&clock, ready(now)).await, expected);
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_wait_for_one_reading() {
        let (clock, value) = (Seconds::default(), Recent::new(Duration::from_secs(10)));
        let readings = AtomicU64::default();
        let read = async || {
            yield_now().await;
            readings.fetch_add(1, Ordering::Relaxed)
        };
        let values = join_all((0..50).map(|_| value.get(&clock, read()))).await;
        assert!(values.iter().all(|value| *value == 0), "{values:?}");
        assert_eq!(readings.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_reading_that_is_given_up_is_left_to_the_next_caller() {
        let (clock, value) = (Seconds::default(), Recent::new(Duration::from_secs(10)));
        let mut given_up = Box::pin(value.get(&clock, std::future::pending()));
        assert!(futures::poll!(&mut given_up).is_pending());
        drop(given_up);
        assert_eq!(value.get(&clock, ready(1)).await, 1);
    }
}
