//! The sandbox's own calls about volumes, which a real platform does not have: faults, and volumes
//! of others.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::faults::Outage;
use super::state::Volume;

/// What the body of `/sandbox/volumes` must be.
pub(super) const USAGE: &str = "give {\"make\": volume}, {\"lose\": volume}, or {\"keep\": volume, \
                                \"seconds\": number}";

impl Core {
    /// Keeps a volume in use for this long, whether it exists or not, as a container of others
    /// would.
    pub fn keep_volume_in_use(&mut self, now: Timestamp, name: &str, duration: Duration) {
        self.tick(now);
        let until = now.checked_add(duration).unwrap_or(Timestamp::MAX);
        self.held.insert(name.to_owned(), Outage::Until(until));
    }

    /// Removes a volume with its files, even if a container holds it, as a lost disk does. `false`
    /// if there is none of that name.
    pub fn lose_volume(&mut self, now: Timestamp, name: &str) -> bool {
        self.tick(now);
        self.state.volumes.remove(name).is_some()
    }

    /// Changes a volume as the body of a control call says; `false` if that cannot be done.
    pub(super) fn change_volume(&mut self, now: Timestamp, body: &Value) -> bool {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let seconds = body.get("seconds").and_then(Value::as_u64);
        match (text("make"), text("lose"), text("keep"), seconds) {
            (Some(name), _, _, _) => {
                self.make_volume(now, name);
                true
            }
            (None, Some(name), _, _) => self.lose_volume(now, name),
            (None, None, Some(name), Some(seconds)) => {
                self.keep_volume_in_use(now, name, Duration::from_secs(seconds));
                true
            }
            (None, None, _, _) => false,
        }
    }

    /// Lists the volumes with who holds them at `now`.
    pub(super) fn volume_inventory(&self, now: Timestamp) -> Vec<Value> {
        let volume = |(name, volume): (&String, &Volume)| {
            json!({
                "name": name,
                "files": volume.files.keys().collect::<Vec<_>>(),
                "isInUse": !self.holders_of(now, name).is_empty(),
            })
        };
        self.state.volumes.iter().map(volume).collect()
    }
}
