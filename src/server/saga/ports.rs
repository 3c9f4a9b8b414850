//! The ports of the engine, shared by all operations.

use std::sync::Arc;

use super::call_gate::CallGate;
use super::outages::Outages;
use super::polls::Polls;
use super::retry_middleware::{RetryMiddleware, RetryState};
use crate::server::logs::LogParts;
use crate::server::metrics::Metrics;
use crate::server::notifier::Notifier;
use crate::server::platform::Platform;
use crate::server::probe::Probe;
use crate::server::secrets::Keyring;
use crate::server::settings::StackSettings;
use crate::server::spec::{self, OperationSpec};
use crate::server::store::{Lease, Record, Result, State, Store, StoreError};
use crate::server::traces::Traces;
use clock::Clock;
use domain::kind::Kinds;

/// The ports that every operation is driven with.
#[derive(Clone)]
pub struct Ports {
    /// Keeps the journal.
    pub store: Arc<dyn Store>,
    /// Runs the stacks.
    pub platform: Arc<dyn Platform>,
    /// Probes the health of a stack.
    pub probe: Arc<dyn Probe>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Notifies the watchers.
    pub notifier: Arc<Notifier>,
    /// The settings of a stack.
    pub settings: Arc<StackSettings>,
    /// The keys that seal stored secrets; `None` if the portal has no key.
    pub keyring: Option<Keyring>,
    /// The kinds of operations.
    pub kinds: Kinds,
    /// The polls of the platform that all deployments share.
    pub polls: Arc<Polls>,
    /// Limits the concurrent mutating calls.
    pub call_gate: Arc<CallGate>,
    /// Remembers the outages of the database.
    pub outages: Arc<Outages>,
    /// What is known of the middleware by which visitors wait.
    pub retry: Arc<RetryState>,
    /// Counts what happens.
    pub metrics: Arc<Metrics>,
    /// Traces operations.
    pub traces: Arc<Traces>,
}

impl Ports {
    /// Returns what logs are read with.
    pub(crate) fn logs(&self) -> LogParts {
        LogParts {
            platform: Arc::clone(&self.platform) as _,
            store: Arc::clone(&self.store),
            keyring: self.keyring.clone(),
            settings: Arc::clone(&self.settings),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Returns the middleware by which visitors wait.
    pub(crate) fn retry_middleware(&self) -> RetryMiddleware {
        RetryMiddleware {
            state: Arc::clone(&self.retry),
            platform: Arc::clone(&self.platform),
            probe: Arc::clone(&self.probe),
            clock: Arc::clone(&self.clock),
            settings: Arc::clone(&self.settings),
        }
    }

    /// Returns the spec of the operation of `lease`. A deployment that an older version began has
    /// no stored spec: its spec is assumed from the settings and stored now, unless there is no key
    /// for its secrets.
    ///
    /// # Errors
    ///
    /// Returns a `StoreError` if the spec cannot be read or stored.
    pub(crate) async fn spec(&self, lease: &Lease, record: &Record) -> Result<OperationSpec> {
        let revision = record.revision;
        let is_made_now = record.metadata.links.removes.is_none() && record.state == State::Active;
        let mut stored = match self.store.spec(revision).await {
            // What was made is found by journal and marker, so it can be removed all the same.
            Err(StoreError::Corrupt { .. }) => {
                tracing::error!(
                    deployment.id = %lease.id,
                    "The stored spec cannot be read: what was made is removed by the journal and \
                     the present settings"
                );
                let mut spec = OperationSpec::unsealed(&self.settings);
                spec.is_lost = true;
                return Ok(spec);
            }
            stored => stored?,
        };
        if stored.is_none() && is_made_now {
            stored = spec::seal_assumed(&self.settings, self.keyring.as_ref(), revision);
            if let Some(sealed) = &stored {
                self.store.store_spec(lease, sealed).await?;
            }
        }
        Ok(match stored {
            Some(stored) => OperationSpec::stored(stored, revision, self.keyring.clone()),
            None => OperationSpec::unsealed(&self.settings),
        })
    }
}
