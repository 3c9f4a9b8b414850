//! The health check of a service: a command that the swarm runs in the container.
//!
//! A container is used once its command has succeeded. A container whose command keeps failing is
//! killed; within an update, the swarm then takes the update back (recordings 120 to 122, day-two 65
//! to 69). It must not know rows or calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::images::{Behaviour, Image, SLUGGISH};
use super::programs::Program;

/// Docker's defaults, of its manual.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_RETRIES: u32 = 3;

/// A health check whose command succeeds as soon as the container has started, or never.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthCheck {
    /// The column as it was written.
    #[serde(default)]
    pub(crate) written: Value,
    interval: Duration,
    start_period: Duration,
    retries: u32,
    succeeds: bool,
}

/// What becomes of a container with a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is used from this time after its start.
    HealthyAfter(Duration),
    /// It is killed at this time after its start.
    KilledAfter(Duration),
}

impl HealthCheck {
    /// Reads the column `healthCheckSwarm`; `None` if it has no command.
    pub(crate) fn read(column: &Value, image: Image) -> Option<Self> {
        let words: Vec<&str> =
            column.get("Test")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let (kind, command) = words.split_first()?;
        if *kind == "NONE" {
            return None;
        }
        let time = |key: &str| column.get(key).and_then(Value::as_u64).map(Duration::from_nanos);
        let interval = time("Interval").filter(|time| !time.is_zero());
        let timeout = time("Timeout").filter(|time| !time.is_zero());
        let retries = column.get("Retries").and_then(Value::as_u64).filter(|count| *count > 0);
        Some(Self {
            written: column.clone(),
            interval: interval.unwrap_or(DEFAULT_INTERVAL),
            start_period: time("StartPeriod").unwrap_or_default(),
            retries: retries.and_then(|count| u32::try_from(count).ok()).unwrap_or(DEFAULT_RETRIES),
            succeeds: succeeds(&command.join(" "), image, timeout.unwrap_or(DEFAULT_TIMEOUT)),
        })
    }

    /// Returns what becomes of a container that needs the time `start` before it answers. The first
    /// run of the command is one interval after the start.
    pub(crate) fn verdict(&self, start: Duration) -> Verdict {
        let limit = self.start_period.saturating_add(self.interval.saturating_mul(self.retries));
        let interval = self.interval.as_nanos().max(1);
        let runs = start.as_nanos().div_ceil(interval).max(1);
        let runs = u32::try_from(runs).unwrap_or(u32::MAX);
        let healthy = self.interval.saturating_mul(runs);
        if self.succeeds && healthy <= limit {
            Verdict::HealthyAfter(healthy)
        } else {
            Verdict::KilledAfter(limit)
        }
    }
}

/// Returns whether a command succeeds in a container of `image` that has started. The sandbox runs
/// none: the images without a tag have any command and say what they are, the others have a shell,
/// and some have `curl`.
fn succeeds(command: &str, image: Image, timeout: Duration) -> bool {
    let is_well = match image.behaviour {
        Behaviour::Hello | Behaviour::Slow | Behaviour::Dying => image.program.is_well(),
        Behaviour::Sluggish => timeout >= SLUGGISH,
        Behaviour::Unhealthy
        | Behaviour::Silent
        | Behaviour::Crashloop
        | Behaviour::OutOfMemory
        | Behaviour::Rejected => false,
    };
    match (command, image.program) {
        ("true" | "exit 0", _) => true,
        ("false" | "exit 1", _) => false,
        (_, Program::Plain | Program::Revisions) => is_well,
        (command, program) => is_well && program.has_curl() && asks_health(command, program),
    }
}

/// Returns whether a command asks the program itself whether it is well.
fn asks_health(command: &str, program: Program) -> bool {
    let port = program.port().unwrap_or_default();
    let url = |host: &str| format!("http://{host}:{port}{}", program.health_path());
    let mut asked = command.split([' ', '"', '\'']).filter(|word| word.starts_with("http://"));
    let own = [url("127.0.0.1"), url("localhost")];
    command.starts_with("curl ")
        && asked.next_back().is_some_and(|last| own.iter().any(|one| one == last))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(test: &[&str], image: &str) -> Option<HealthCheck> {
        let column = json!({
            "Test": test, "Interval": 1_000_000_000_u64, "Timeout": 2_000_000_000_u64,
            "StartPeriod": 1_000_000_000_u64, "Retries": 2,
        });
        HealthCheck::read(&column, Image::of(image).unwrap())
    }

    #[test]
    fn a_command_succeeds_where_the_program_is_well_and_the_image_has_it() {
        let own = "curl -fs http://127.0.0.1:8888/health";
        for (command, image, expected) in [
            (own, "sandbox/notebook:1.0.0", true),
            ("curl -fs http://127.0.0.1:8888/", "sandbox/notebook:1.0.0", false),
            ("curl -fs http://127.0.0.1:80/health", "sandbox/notebook:1.0.0", false),
            ("wget http://127.0.0.1:8888/health", "sandbox/notebook:1.0.0", false),
            ("curl -fs http://127.0.0.1:8080/health", "sandbox/chat:1.0.0", false),
            ("exit 0", "sandbox/chat:1.0.0", true),
            ("exit 1", "sandbox/hello", false),
            ("/srv probe", "sandbox/hello", true),
            ("/srv probe", "sandbox/unhealthy", false),
        ] {
            let found = check(&["CMD-SHELL", command], image).unwrap();
            assert_eq!(found.succeeds, expected, "{command} in {image}");
        }
        assert_eq!(check(&["NONE"], "sandbox/hello"), None);
        assert_eq!(check(&[], "sandbox/hello"), None);
    }

    #[test]
    fn a_container_is_used_after_a_run_of_its_command_or_killed_after_its_retries() {
        let check = check(&["CMD", "/srv", "probe"], "sandbox/slow").unwrap();
        for (start_ms, expected) in [
            (0, Verdict::HealthyAfter(Duration::from_secs(1))),
            (1_200, Verdict::HealthyAfter(Duration::from_secs(2))),
            // A container that needed 6 s was killed (recording day-two 67).
            (6_000, Verdict::KilledAfter(Duration::from_secs(3))),
        ] {
            assert_eq!(check.verdict(Duration::from_millis(start_ms)), expected);
        }
    }
}
