//! The ports that operations are driven with.

use std::sync::Arc;

use super::{call_gate::CallGate, outages::Outages, polls::Polls};
use crate::server::{
    notifier::Notifier,
    platform::Platform,
    probe::Probe,
    secrets::Keyring,
    settings::StackSettings,
    spec::{self, OperationSpec},
    store::{Lease, Record, State, Store, StoreError},
};
use clock::Clock;
use domain::kind::Kinds;

/// The ports that every operation is driven with.
#[derive(Clone)]
pub struct Ports {
    /// Keeps the journal.
    pub store: Arc<dyn Store>,
    /// Runs the stacks.
    pub platform: Arc<dyn Platform>,
    /// Asks a stack whether it answers.
    pub probe: Arc<dyn Probe>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Nudges the watchers.
    pub notifier: Arc<Notifier>,
    /// The settings of a stack.
    pub settings: Arc<StackSettings>,
    /// The keys under which secrets are stored.
    pub keyring: Option<Keyring>,
    /// The kinds of operations.
    pub kinds: Kinds,
    /// The polls of the platform that all deployments share.
    pub polls: Arc<Polls>,
    /// Bounds the calls that change something.
    pub call_gate: Arc<CallGate>,
    /// Knows when the records were out of reach.
    pub outages: Arc<Outages>,
}

impl Ports {
    /// Returns the spec that the operation of `lease` works by. A deployment that an older version
    /// began has none: it is stored now, unless there is no key for its secrets.
    pub(crate) async fn spec(
        &self,
        lease: &Lease,
        record: &Record,
    ) -> Result<OperationSpec, StoreError> {
        let owner = record.metadata.links.removes.as_ref().unwrap_or(&lease.id);
        let mut stored = self.store.spec(owner).await?;
        if stored.is_none() && owner == &lease.id && record.state == State::Active {
            stored = spec::seal(&self.settings, self.keyring.as_ref(), owner);
            if let Some(sealed) = &stored {
                self.store.store_spec(lease, sealed).await?;
            }
        }
        Ok(match stored {
            Some(stored) => OperationSpec::stored(stored, owner.clone(), self.keyring.clone()),
            None => OperationSpec::unsealed(&self.settings),
        })
    }
}
