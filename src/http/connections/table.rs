//! The open connections: what each does since when, and which one makes room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ConnectionTimes;

/// The number of bytes that a client must read within the time limit.
const LEAST_PROGRESS: u64 = 16 << 10;

/// The open connections.
pub(super) struct Table {
    in_all: usize,
    per_address: usize,
    times: ConnectionTimes,
    started: Instant,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
    of_address: HashMap<IpAddr, usize>,
}

/// One open connection.
pub(super) struct Connection {
    /// The address under which it is counted, if it is.
    address: Option<IpAddr>,
    started: Instant,
    /// What it does since when, see [`Doing`].
    doing: AtomicU64,
    /// Since when the client has read less than [`LEAST_PROGRESS`], in milliseconds; `NEVER` if
    /// everything has been sent.
    stalled: AtomicU64,
    /// The bytes that the client has read since then.
    read: AtomicU64,
    end: CancellationToken,
}

const NEVER: u64 = u64::MAX;

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// It receives the head of a request.
    Head = 0,
    /// Nothing is requested.
    Idle = 1,
    /// A request is handled.
    Busy = 2,
}

/// The place of an open connection, which is free again when this is dropped.
pub(super) struct Entry {
    id: u64,
    connection: Arc<Connection>,
    table: Arc<Table>,
}

impl Table {
    pub(super) fn new(in_all: usize, per_address: Option<usize>, times: ConnectionTimes) -> Self {
        Self {
            in_all,
            per_address: per_address.unwrap_or(usize::MAX),
            times,
            started: Instant::now(),
            open: Mutex::default(),
        }
    }

    /// Takes a place for a connection, which counts for `address`. If there is none, the connection
    /// that has waited longest is ended; `None` if none waits.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Entry> {
        let mut open = self.open();
        let count = |open: &Open| open.of_address.get(&address?).copied();
        if count(&open).is_some_and(|count| count >= self.per_address) && !open.evict(address)
            || open.connections.len() >= self.in_all && !open.evict(None)
        {
            return None;
        }
        let connection = Arc::new(Connection::new(address, self.started));
        Some(Entry { id: open.insert(&connection), connection, table: Arc::clone(self) })
    }

    /// Ends the connection that has waited longest for a request, if one waits.
    pub(super) fn make_room(&self) {
        self.open().evict(None);
    }

    /// Ends the connections whose time is over.
    pub(super) fn end_overdue(&self) {
        let now = self.started.elapsed();
        let is_overdue = |connection: &&Arc<Connection>| connection.is_overdue(now, &self.times);
        self.open().connections.values().filter(is_overdue).for_each(|one| one.end.cancel());
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn insert(&mut self, connection: &Arc<Connection>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.connections.insert(id, Arc::clone(connection));
        if let Some(address) = connection.address {
            *self.of_address.entry(address).or_default() += 1;
        }
        id
    }

    fn remove(&mut self, id: u64) {
        let Some(connection) = self.connections.remove(&id) else { return };
        let Some(address) = connection.address else { return };
        if let Some(count) = self.of_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&address);
            }
        }
    }

    /// Ends the connection that has waited longest, among those of `address` if one is given.
    /// Returns whether there was one.
    fn evict(&mut self, address: Option<IpAddr>) -> bool {
        let is_meant = |connection: &Connection| address.is_none() || connection.address == address;
        let waiting = self.connections.iter().filter(|(_, connection)| is_meant(connection));
        let waiting = waiting.filter_map(|(id, one)| Some((one.waits_since()?, *id)));
        let Some((_, id)) = waiting.min() else { return false };
        if let Some(connection) = self.connections.get(&id) {
            connection.end.cancel();
        }
        self.remove(id);
        true
    }
}

impl Connection {
    fn new(address: Option<IpAddr>, started: Instant) -> Self {
        let connection = Self {
            address,
            started,
            doing: AtomicU64::default(),
            stalled: AtomicU64::new(NEVER),
            read: AtomicU64::default(),
            end: CancellationToken::new(),
        };
        connection.set(Doing::Head);
        connection
    }

    /// Waits until the connection must end.
    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }

    /// The head of a request is complete.
    pub(super) fn begin(&self) {
        self.set(Doing::Busy);
    }

    /// The response is complete.
    pub(super) fn finish(&self) {
        self.set(Doing::Idle);
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        if matches!(self.doing(), (Doing::Idle, _)) {
            self.set(Doing::Head);
        }
    }

    /// The client has read `written` of `offered` bytes.
    pub(super) fn sent(&self, written: usize, offered: usize) {
        if written == offered {
            self.stalled.store(NEVER, Ordering::Relaxed);
            return;
        }
        let written = u64::try_from(written).unwrap_or(u64::MAX);
        let read = self.read.fetch_add(written, Ordering::Relaxed).saturating_add(written);
        if self.stalled.load(Ordering::Relaxed) == NEVER || read >= LEAST_PROGRESS {
            self.read.store(0, Ordering::Relaxed);
            self.stalled.store(millis(self.started.elapsed()), Ordering::Relaxed);
        }
    }

    fn set(&self, doing: Doing) {
        let since = millis(self.started.elapsed());
        self.doing.store(since << 2 | doing as u64, Ordering::Relaxed);
    }

    fn doing(&self) -> (Doing, u64) {
        let packed = self.doing.load(Ordering::Relaxed);
        let doing = match packed & 3 {
            0 => Doing::Head,
            1 => Doing::Idle,
            _ => Doing::Busy,
        };
        (doing, packed >> 2)
    }

    /// Returns since when it has waited for a request; `None` if it is busy.
    fn waits_since(&self) -> Option<u64> {
        let (doing, since) = self.doing();
        (doing != Doing::Busy).then_some(since)
    }

    fn is_overdue(&self, now: Duration, times: &ConnectionTimes) -> bool {
        let (doing, since) = self.doing();
        let limit = match doing {
            Doing::Head => times.head,
            Doing::Idle => times.idle,
            Doing::Busy => Duration::MAX,
        };
        let is_over = |since: u64, limit: Duration| {
            now.checked_sub(Duration::from_millis(since)).is_some_and(|passed| passed > limit)
        };
        is_over(since, limit) || is_over(self.stalled.load(Ordering::Relaxed), times.write)
    }
}

impl Entry {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.open().remove(self.id);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(NEVER)
}
