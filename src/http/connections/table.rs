//! The open connections: what each waits for since when, and which one makes room.
//!
//! Those that wait are kept in order, so that to find the one that has waited longest takes no
//! longer with many of them.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ConnectionTimes;

/// The number of bytes that a client must read within the time limit.
const LEAST_PROGRESS: usize = 16 << 10;
/// The time for which a client may not read before its connection can make room for another.
const READING_GRACE: Duration = Duration::from_secs(1);

/// The number of ended connections that may still be open when another is accepted.
const MOST_CLOSING: usize = 32;

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
    places: HashMap<u64, Place>,
    /// The connections that wait for their clients.
    waiting: BTreeSet<Key>,
    of_address: HashMap<IpAddr, OfAddress>,
    /// The number of connections that were ended and are not closed yet.
    closing: usize,
}

/// The connections of one address.
#[derive(Default)]
struct OfAddress {
    count: usize,
    waiting: BTreeSet<Key>,
}

/// What a connection waits for, since when in milliseconds, and its number.
type Key = (Wait, u64, u64);

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wait {
    /// The head of a request.
    Head,
    /// The next request.
    Request,
    /// The next request of a trusted proxy.
    ProxyRequest,
    /// The body of a request.
    Body,
    /// A client that reads.
    Reader,
}

impl Wait {
    /// The connections that make room first: nothing is in progress on them.
    const SILENT: [Self; 3] = [Self::Head, Self::Request, Self::ProxyRequest];
    /// The connections that make room if no other does.
    const SLOW: [Self; 2] = [Self::Body, Self::Reader];
}

/// An open connection's place.
struct Place {
    /// The address under which it is counted; `None` for a proxy.
    address: Option<IpAddr>,
    /// What it waits for since when; `None` while the portal works.
    waits: Option<(Wait, u64)>,
    /// Since when the client has read less than [`LEAST_PROGRESS`]; `None` if everything has been
    /// sent.
    stalled: Option<u64>,
    /// The bytes that the client has read since then.
    read: usize,
    end: CancellationToken,
}

/// The place of an open connection, which is free again when this is dropped.
pub(super) struct Entry(Arc<Connection>);

/// One open connection.
pub(super) struct Connection {
    id: u64,
    table: Arc<Table>,
    is_stalled: AtomicBool,
    /// True if bytes have arrived since the last whole head.
    has_received: AtomicBool,
    end: CancellationToken,
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

    /// Takes a place for a connection, which counts for `address`; `None` means a trusted proxy. If
    /// there is none, a connection that waits for its client is ended; `None` if none waits.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Entry> {
        let now = self.now();
        let mut open = self.open();
        let count = address.and_then(|address| Some(open.of_address.get(&address)?.count));
        if count.is_some_and(|count| count >= self.per_address) && !open.evict(address, now)
            || open.places.len() >= self.in_all && !open.evict(None, now)
        {
            return None;
        }
        let end = CancellationToken::new();
        let id = open.insert(address, now, end.clone());
        let (is_stalled, has_received) = (AtomicBool::default(), AtomicBool::default());
        let table = Arc::clone(self);
        Some(Entry(Arc::new(Connection { id, table, is_stalled, has_received, end })))
    }

    /// Ends a connection that waits for its client, if there is one.
    pub(super) fn make_room(&self) {
        self.open().evict(None, self.now());
    }

    /// Waits until most of the connections that were ended are closed: until then they still are
    /// open files.
    pub(super) async fn closed(&self) {
        while self.open().closing > MOST_CLOSING {
            tokio::task::yield_now().await;
        }
    }

    /// Ends the connections whose time is over.
    pub(super) fn end_overdue(&self) {
        let ConnectionTimes { head, idle, proxy_idle, write, .. } = self.times;
        let limits = [
            (Wait::Head, head),
            (Wait::Request, idle),
            (Wait::ProxyRequest, proxy_idle),
            (Wait::Reader, write),
        ];
        let now = self.now();
        let mut open = self.open();
        for (wait, limit) in limits {
            while let Some((_, since, id)) = first(&open.waiting, wait)
                && now.saturating_sub(since) > millis(limit)
            {
                open.end(id);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }

    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

/// Returns the connection that has waited longest for this.
fn first(waiting: &BTreeSet<Key>, wait: Wait) -> Option<Key> {
    waiting.range((wait, 0, 0)..=(wait, u64::MAX, u64::MAX)).next().copied()
}

impl Open {
    fn insert(&mut self, address: Option<IpAddr>, now: u64, end: CancellationToken) -> u64 {
        let id = self.next;
        self.next += 1;
        if let Some(address) = address {
            self.of_address.entry(address).or_default().count += 1;
        }
        self.places.insert(id, Place { address, waits: None, stalled: None, read: 0, end });
        self.change(id, |place| place.waits = Some((Wait::Head, now)));
        id
    }

    /// Changes a place, if its connection was not ended, and keeps the order.
    fn change(&mut self, id: u64, change: impl FnOnce(&mut Place)) {
        let Some(place) = self.places.get_mut(&id) else { return };
        let before = place.key(id);
        change(place);
        let after = place.key(id);
        let address = place.address;
        if before != after {
            let of_address = address.and_then(|address| self.of_address.get_mut(&address));
            let own = of_address.map(|own| &mut own.waiting);
            for waiting in own.into_iter().chain([&mut self.waiting]) {
                if let Some(key) = &before {
                    waiting.remove(key);
                }
                waiting.extend(after);
            }
        }
    }

    fn remove(&mut self, id: u64) {
        self.change(id, |place| (place.waits, place.stalled) = (None, None));
        let Some(address) = self.places.remove(&id).and_then(|place| place.address) else { return };
        if let Some(own) = self.of_address.get_mut(&address) {
            own.count -= 1;
            if own.count == 0 {
                self.of_address.remove(&address);
            }
        }
    }

    fn end(&mut self, id: u64) {
        if let Some(place) = self.places.get(&id) {
            place.end.cancel();
            self.closing += 1;
        }
        self.remove(id);
    }

    /// Ends the connection that has waited longest, among those of `address` if one is given: one
    /// that is silent, otherwise one whose client sends or reads slowly. Returns whether there was
    /// one.
    fn evict(&mut self, address: Option<IpAddr>, now: u64) -> bool {
        let own = address.and_then(|address| self.of_address.get(&address));
        let waiting = own.map_or(&self.waiting, |own| &own.waiting);
        let has_grace = |(wait, since, _): &Key| {
            *wait == Wait::Reader && now.saturating_sub(*since) <= millis(READING_GRACE)
        };
        let oldest = |waits: &[Wait]| {
            let found = waits.iter().filter_map(|wait| first(waiting, *wait));
            found.filter(|key| !has_grace(key)).min_by_key(|(_, since, _)| *since)
        };
        let found = oldest(&Wait::SILENT).or_else(|| oldest(&Wait::SLOW));
        found.inspect(|(_, _, id)| self.end(*id)).is_some()
    }
}

impl Place {
    fn key(&self, id: u64) -> Option<Key> {
        let reader = self.stalled.map(|since| (Wait::Reader, since, id));
        reader.or_else(|| self.waits.map(|(wait, since)| (wait, since, id)))
    }

    fn sent(&mut self, written: usize, offered: usize, now: u64) {
        if written == offered {
            self.stalled = None;
            return;
        }
        self.read = self.read.saturating_add(written);
        if self.stalled.is_none() || self.read >= LEAST_PROGRESS {
            (self.read, self.stalled) = (0, Some(now));
        }
    }
}

impl Connection {
    /// Waits until the connection must end.
    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }

    /// The portal works on a request.
    pub(super) fn works(&self) {
        self.has_received.store(false, Ordering::Relaxed);
        self.table.open().change(self.id, |place| place.waits = None);
    }

    /// The response is complete.
    pub(super) fn finish(&self) {
        self.has_received.store(false, Ordering::Relaxed);
        self.change(|place, now| {
            let wait = if place.address.is_some() { Wait::Request } else { Wait::ProxyRequest };
            place.waits = Some((wait, now));
        });
    }

    /// Bytes have arrived. What that means is clear once they are read.
    pub(super) fn received(&self) {
        self.has_received.store(true, Ordering::Relaxed);
    }

    /// Everything that has arrived was read. If that was not a whole head, the connection waits for
    /// the rest.
    pub(super) fn has_read(&self) {
        if self.has_received.swap(false, Ordering::Relaxed) {
            self.change(|place, now| {
                if let Some((Wait::Request | Wait::ProxyRequest, _)) = place.waits {
                    place.waits = Some((Wait::Head, now));
                }
            });
        }
    }

    /// The body of a request has not arrived. Returns since when; `since` is what this returned
    /// before.
    pub(super) fn awaits_body(&self, since: Option<u64>) -> u64 {
        let since = since.unwrap_or_else(|| self.table.now());
        self.table.open().change(self.id, |place| place.waits = Some((Wait::Body, since)));
        since
    }

    /// The client has read `written` of `offered` bytes.
    pub(super) fn sent(&self, written: usize, offered: usize) {
        let is_stalled = written < offered;
        if self.is_stalled.swap(is_stalled, Ordering::Relaxed) || is_stalled {
            self.change(|place, now| place.sent(written, offered, now));
        }
    }

    /// Returns whether the client has not read everything that was to be sent.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut Place, u64)) {
        let now = self.table.now();
        self.table.open().change(self.id, |place| change(place, now));
    }
}

impl Entry {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.0.table.open();
        if open.places.contains_key(&self.0.id) {
            open.remove(self.0.id);
        } else {
            open.closing -= 1;
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(in_all: usize, per_address: Option<usize>) -> Arc<Table> {
        Arc::new(Table::new(in_all, per_address, ConnectionTimes::default()))
    }

    fn address(number: usize) -> IpAddr {
        IpAddr::from([10, 0, 0, u8::try_from(number % 250).unwrap()])
    }

    #[test]
    fn room_is_found_among_many_as_fast_as_among_few() {
        let begun = Instant::now();
        let table = table(20_000, Some(300));
        let entries: Vec<_> =
            (0..60_000).map(|number| table.admit(Some(address(number))).unwrap()).collect();
        // To look at each of 20,000 for each newcomer would take minutes.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert!(entries[..40_000].iter().all(|entry| entry.connection().end.is_cancelled()));
        assert!(!entries[40_000..].iter().any(|entry| entry.connection().end.is_cancelled()));
        let count = |open: &Open| (open.places.len(), open.waiting.len());
        assert_eq!(count(&table.open()), (20_000, 20_000));
        drop(entries);
        let open = table.open();
        assert!(open.places.is_empty() && open.waiting.is_empty() && open.of_address.is_empty());
        assert_eq!(open.closing, 0);
    }

    #[test]
    fn an_address_makes_room_for_itself() {
        let table = table(10, Some(2));
        let entries = [0, 1, 0, 0].map(|number| table.admit(Some(address(number))).unwrap());
        let ended = entries.each_ref().map(|entry| entry.connection().end.is_cancelled());
        assert_eq!(ended, [true, false, false, false]);
        entries[2].connection().works();
        entries[3].connection().works();
        assert!(table.admit(Some(address(0))).is_none(), "both are busy");
        entries[2].connection().awaits_body(None);
        assert!(table.admit(Some(address(0))).is_some());
    }
}
