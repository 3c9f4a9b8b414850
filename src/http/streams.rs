//! Limits the open streams of each person, of each address and in all.
//!
//! Each replica counts its own streams. A permit is released when the stream is dropped, however it
//! ended.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::server::auth::access::Caller;
use crate::server::proxies::network_of;
use domain::owner::OwnerId;

/// Counts open streams.
#[derive(Debug)]
pub(super) struct Streams {
    per_person: Option<u32>,
    per_address: Option<u32>,
    in_all: Option<u32>,
    open: Mutex<HashMap<Key, u32>>,
}

/// The key by which streams are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Owner(OwnerId),
    Address(IpAddr),
    All,
}

/// The permit of one open stream.
#[derive(Debug)]
pub(super) struct StreamPermit {
    streams: Arc<Streams>,
    keys: Vec<Key>,
}

impl Streams {
    /// Limits the streams of each person and of each address; `None` means no limit.
    pub(super) fn new(per_person: Option<u32>, per_address: Option<u32>) -> Self {
        Self { per_person, per_address, in_all: None, open: Mutex::default() }
    }

    /// Returns the same limits, with one for all streams together.
    pub(super) fn within(&self, in_all: usize) -> Self {
        let in_all = Some(u32::try_from(in_all).unwrap_or(u32::MAX));
        Self { in_all, ..Self::new(self.per_person, self.per_address) }
    }

    /// Takes a permit for a stream of this caller; `None` if the person or the address has too
    /// many, or if there are too many in all.
    pub(super) fn take(self: &Arc<Self>, caller: &Caller) -> Option<StreamPermit> {
        let owner = caller.identity.owner().cloned().map(Key::Owner).zip(self.per_person);
        let address = Some(Key::Address(network_of(caller.address))).zip(self.per_address);
        let all = Some(Key::All).zip(self.in_all);
        let bounds: Vec<_> = [owner, address, all].into_iter().flatten().collect();
        let mut open = self.open.lock();
        let is_full = |(key, max): &(Key, u32)| open.get(key).is_some_and(|count| count >= max);
        if bounds.iter().any(is_full) {
            return None;
        }
        let keys: Vec<_> = bounds.into_iter().map(|(key, _)| key).collect();
        for key in &keys {
            *open.entry(key.clone()).or_default() += 1;
        }
        Some(StreamPermit { streams: Arc::clone(self), keys })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock();
        for key in &self.keys {
            if let Some(count) = open.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    open.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::access::{Identity, Role};

    fn caller(person: Option<&str>, address: &str) -> Caller {
        let identity = match person {
            Some(id) => Identity::Person { owner: OwnerId::person(id), role: Role::Member },
            None => Identity::Anonymous,
        };
        Caller { identity, address: address.parse().unwrap(), until: None }
    }

    #[test]
    fn a_person_and_an_address_have_so_many_places_and_get_them_back() {
        let streams = Arc::new(Streams::new(Some(2), Some(3)));
        let alice = caller(Some("alice"), "192.0.2.1");
        let first = streams.take(&alice).unwrap();
        let _second = streams.take(&alice).unwrap();
        assert!(streams.take(&alice).is_none(), "two for a person");
        assert!(streams.take(&caller(Some("alice"), "192.0.2.2")).is_none(), "wherever she is");
        let _third = streams.take(&caller(Some("bob"), "192.0.2.1")).unwrap();
        assert!(streams.take(&caller(None, "192.0.2.1")).is_none(), "three for an address");
        drop(first);
        assert!(streams.take(&alice).is_some());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let streams = Arc::new(Streams::new(None, Some(2)));
        let _first = streams.take(&caller(None, "2001:db8::1")).unwrap();
        let _second = streams.take(&caller(None, "2001:db8::2:1")).unwrap();
        assert!(streams.take(&caller(None, "2001:db8::3")).is_none());
        assert!(streams.take(&caller(None, "2001:db8:0:1::1")).is_some(), "the next network");
    }

    #[test]
    fn all_together_have_so_many_places() {
        let streams = Arc::new(Streams::new(None, Some(2)).within(3));
        let open = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
            .map(|address| streams.take(&caller(None, address)).unwrap());
        assert!(streams.take(&caller(Some("alice"), "192.0.2.3")).is_none(), "three in all");
        drop(open);
        assert!(streams.take(&caller(Some("alice"), "192.0.2.3")).is_some());
    }

    #[test]
    fn without_a_bound_nothing_is_counted() {
        let streams = Arc::new(Streams::new(None, None));
        let places: Vec<_> = (0..1000).map(|_| streams.take(&caller(None, "::1"))).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(streams.open.lock().is_empty());
    }
}
