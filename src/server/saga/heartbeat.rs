//! The heartbeat: renews all leases of a worker with one statement.
//!
//! So leases can be short: the number of statements does not grow with the number of operations.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::failure::error_chain;
use super::ports::Ports;
use crate::server::store::{CancelRequest, Lease, Result, StoreError};
use domain::deployment::DeploymentId;

/// Renews the leases of a worker.
pub(crate) struct Heartbeat {
    ports: Ports,
    /// The time after the last beat when a lease expires.
    ttl: Duration,
    held: Mutex<BTreeMap<DeploymentId, Held>>,
}

struct Held {
    lease: Lease,
    beat: watch::Sender<Beat>,
}

/// The result of the last beat for one lease. Times are on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beat {
    /// The lease is held until this time, and the operation has this cancellation state.
    Held(Duration, CancelRequest),
    /// The store did not renew the lease at this time: it may be lost, or a transaction has locked
    /// its row.
    Unsure(Duration),
}

impl Heartbeat {
    pub(crate) fn new(ports: Ports, ttl: Duration) -> Self {
        Self { ports, ttl, held: Mutex::default() }
    }

    /// Renews the registered leases three times per lease duration, until `shutdown`.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = self.ports.clock.sleep(self.ttl / 3) => {}
            }
            tokio::select! {
                biased;
                () = self.beat() => {}
                // A store that hangs must not stop the loop. Each lease expires by itself in
                // [`Heartbeat::keep`].
                () = self.ports.clock.sleep(self.ttl) => {}
            }
        }
    }

    async fn beat(&self) {
        let leases: Vec<Lease> = self.held.lock().values().map(|held| held.lease.clone()).collect();
        let clock = &self.ports.clock;
        if leases.is_empty() {
            let past = clock.now().checked_sub(self.ttl);
            self.ports.outages.rest(past.unwrap_or(Timestamp::MIN));
            return;
        }
        let (now, since) = (clock.monotonic(), clock.now());
        let renewed = self.ports.store.renew_all(&leases, since + self.ttl).await;
        self.ports.outages.note(&renewed, since, clock.now());
        let renewed = match renewed {
            Ok(renewed) => BTreeMap::from_iter(renewed),
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "Missed a heartbeat");
                return;
            }
        };
        let held = self.held.lock();
        for lease in leases {
            let Some(held) = held.get(&lease.id).filter(|held| held.lease == lease) else {
                continue;
            };
            held.beat.send_replace(match renewed.get(&lease.id) {
                Some(cancel_request) => Beat::Held(now + self.ttl, *cancel_request),
                None => Beat::Unsure(now),
            });
        }
    }

    /// Renews `lease` until it is lost, and returns why. When somebody asks to cancel the
    /// operation, it cancels `cancelled`. A lease that was not renewed in time counts as lost, even
    /// if no other worker has claimed it yet.
    pub(crate) async fn keep(&self, lease: &Lease, cancelled: &CancellationToken) -> StoreError {
        let clock = &self.ports.clock;
        let mut held_until = clock.monotonic() + self.ttl;
        let (sender, mut beats) = watch::channel(Beat::Held(held_until, CancelRequest::None));
        self.held.lock().insert(lease.id.clone(), Held { lease: lease.clone(), beat: sender });
        let _registered = Registered { heartbeat: self, lease };
        let mut cancel_requests = self.ports.notifier.cancel_requests(&lease.id);
        loop {
            let left = held_until.saturating_sub(clock.monotonic());
            let beat = tokio::select! {
                biased;
                _ = cancel_requests.changed() => None,
                Ok(()) = beats.changed() => match *beats.borrow_and_update() {
                    Beat::Held(until, cancel_request) => Some((until, cancel_request)),
                    Beat::Unsure(_) => None,
                },
                () = clock.sleep(left) => return StoreError::LeaseLost,
            };
            let renewed = match beat {
                Some(renewed) => Ok(renewed),
                None => self.renew(lease, held_until).await,
            };
            match renewed {
                Ok((until, cancel_request)) => {
                    held_until = until;
                    if cancel_request == CancelRequest::Requested {
                        cancelled.cancel();
                    }
                }
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "Could not renew a lease");
                }
            }
        }
    }

    /// Renews `lease` until it is lost like [`Heartbeat::keep`], but with statements of its own,
    /// and without requests to cancel. For work that holds one lease at a time and does not run the
    /// loop.
    pub(crate) async fn keep_single(&self, lease: &Lease) -> StoreError {
        let clock = &self.ports.clock;
        let mut held_until = clock.monotonic() + self.ttl;
        loop {
            let left = held_until.saturating_sub(clock.monotonic());
            clock.sleep((self.ttl / 3).min(left)).await;
            match self.renew(lease, held_until).await {
                Ok((until, _)) => held_until = until,
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
                Err(_) if clock.monotonic() >= held_until => return StoreError::LeaseLost,
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "Could not renew a lease");
                }
            }
        }
    }

    /// Renews one lease. If the store does not answer while the lease is still held, it is lost.
    async fn renew(
        &self,
        lease: &Lease,
        held_until: Duration,
    ) -> Result<(Duration, CancelRequest)> {
        let clock = &self.ports.clock;
        let (now, until) = (clock.monotonic(), clock.now() + self.ttl);
        let left = held_until.saturating_sub(now);
        tokio::select! {
            biased;
            renewed = self.ports.store.renew(lease, until) => Ok((now + self.ttl, renewed?)),
            () = clock.sleep(left) => Err(StoreError::LeaseLost),
        }
    }
}

/// Removes a lease from the heartbeat on drop.
struct Registered<'a> {
    heartbeat: &'a Heartbeat,
    lease: &'a Lease,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        let mut held = self.heartbeat.held.lock();
        if held.get(&self.lease.id).is_some_and(|held| held.lease == *self.lease) {
            held.remove(&self.lease.id);
        }
    }
}
