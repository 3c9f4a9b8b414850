//! The platform as a plain state machine: a request and the time go in, an answer comes out.
//!
//! It does no I/O and never waits. What takes time, such as a deploy job, is brought up to date
//! when the next request arrives.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use secrecy::SecretString;

use super::faults::{Fault, Faults, Outage, Outages, Postponed};
use super::ids;
use super::images::Timing;
use super::key::KeyLimit;
use super::queue::Queue;
use super::state::State;

/// The maximum size of a body, in bytes.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// The whole platform.
pub struct Core {
    pub(super) state: State,
    pub(super) queue: Queue,
    pub(super) faults: Faults,
    pub(super) outages: Outages,
    /// The volumes that a fault keeps in use, by name.
    pub(super) held: BTreeMap<String, Outage>,
    pub(super) postponed: Vec<Postponed>,
    pub(super) timing: Timing,
    pub(super) rng: StdRng,
    pub(super) api_key: SecretString,
    pub(super) key_limit: Option<KeyLimit>,
    /// The requests so far that one of several containers took.
    pub(super) turns: usize,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("projects", &self.state.projects.len()).finish_non_exhaustive()
    }
}

impl Core {
    /// Creates an empty platform that accepts `api_key`. The same `seed` gives the same ids.
    pub fn new(api_key: SecretString, timing: Timing, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let state = State { organization_id: ids::row_id(&mut rng), ..State::default() };
        Self {
            state,
            queue: Queue::default(),
            faults: Faults::default(),
            outages: Outages::default(),
            held: BTreeMap::new(),
            postponed: Vec::new(),
            timing,
            rng,
            api_key,
            key_limit: None,
            turns: 0,
        }
    }

    /// Adopts the state of an earlier platform, as after a restart.
    pub(super) fn adopt(&mut self, state: State) {
        self.state = state;
        self.state.cancel_running();
    }

    /// Serializes everything that survives a restart.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.state).unwrap_or_default()
    }

    /// Restarts the platform: waiting jobs are lost without a trace, running rows become cancelled,
    /// services continue (recordings 181 to 183).
    pub fn restart(&mut self, now: Timestamp) {
        self.tick(now);
        self.queue.clear();
        self.postponed.clear();
        self.state.cancel_running();
    }

    /// Stops Docker under the platform (recordings 246 to 248).
    pub fn stop_docker(&mut self, now: Timestamp) {
        self.tick(now);
        self.outages.docker = Outage::Open;
    }

    /// Starts Docker again.
    pub fn start_docker(&mut self, now: Timestamp) {
        self.tick(now);
        self.outages.docker = Outage::None;
    }

    /// Stops the platform's database (recordings 227 to 230).
    pub fn stop_database(&mut self, now: Timestamp) {
        self.tick(now);
        self.outages.database = Outage::Open;
    }

    /// Starts the platform's database again.
    pub fn start_database(&mut self, now: Timestamp) {
        self.tick(now);
        self.outages.database = Outage::None;
    }

    /// Limits the key to a number of verifications within a window, as Dokploy limits a new key to
    /// 10 within a day. `None` removes the limit.
    pub fn limit_key(&mut self, limit: Option<(u32, Duration)>) {
        self.key_limit = limit.map(|(most, window)| KeyLimit::new(most, window));
    }

    /// Adds a fault, which waits for its call.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Removes every fault and ends every outage.
    pub fn clear_faults(&mut self) {
        self.faults = Faults::default();
        self.outages = Outages::default();
        self.held.clear();
    }

    /// Lists the faults that were not used up yet.
    pub fn waiting_faults(&self) -> &[Fault] {
        self.faults.waiting()
    }
}
