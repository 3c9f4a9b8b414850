//! Virtual time: it jumps to the next sleeper whenever all tasks wait.
//!
//! The runtime reports this when its only thread is about to park. Real time plays no part, so the
//! same seed gives the same schedule.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use clock::Clock;
use jiff::Timestamp;

/// A clock for any number of sleepers. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct VirtualClock(Arc<Mutex<Time>>);

#[derive(Debug, Default)]
struct Time {
    now_ms: u64,
    /// The sleepers, ordered by the time at which they wake and the order in which they came.
    sleepers: BTreeMap<(u64, u64), Waker>,
    came: u64,
}

impl VirtualClock {
    /// Runs `future` to its end in this virtual time.
    pub(super) fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || self.jump())
            .build()
            .unwrap()
            .block_on(future)
    }

    /// Jumps to the time at which the next sleeper wakes, and wakes it.
    fn jump(&self) {
        let mut time = self.time();
        let Some(((at, _), waker)) = time.sleepers.pop_first() else { return };
        time.now_ms = time.now_ms.max(at);
        drop(time);
        waker.wake();
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.time().now_ms).unwrap();
        Timestamp::from_millisecond(1_795_427_270_000 + passed).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.time().now_ms)
    }

    async fn sleep(&self, duration: Duration) {
        let ms = u64::try_from(duration.as_millis()).unwrap().max(1);
        let (at, came) = {
            let mut time = self.time();
            time.came += 1;
            (time.now_ms + ms, time.came)
        };
        Sleep { clock: self.clone(), key: (at, came) }.await;
    }
}

struct Sleep {
    clock: VirtualClock,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut time = self.clock.time();
        if time.now_ms >= self.key.0 {
            return Poll::Ready(());
        }
        time.sleepers.insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.time().sleepers.remove(&self.key);
    }
}
