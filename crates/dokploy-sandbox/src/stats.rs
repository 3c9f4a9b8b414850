//! `swarm.getContainerStats`: what all running containers of the node use, in Docker's own texts
//! (recording day-two 385).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::request::Body;
use super::service::Container;

/// The memory of the node, in bytes: 23.54 GiB, as recorded.
const NODE_MEMORY: u64 = 25_280_000_000;
const KIB: u64 = 1_024;
const MIB: u64 = 1_024 * KIB;
/// What a container receives and sends in a second, in bytes.
const TRAFFIC: (u64, u64) = (1_150, 533);

/// Lists the containers of the services, and the one of the reverse proxy. What a container uses is
/// derived from its id and the time. The answer while Docker is down is assumed: no container.
pub(super) fn of_containers(core: &Core, now: Timestamp) -> Body {
    if core.outages.docker.lasts(now) {
        return Body::Json(json!([]));
    }
    let running = core.containers(now).into_iter().filter(Container::is_running);
    let rows = running.map(|container| row(&container, now));
    Body::Json(rows.chain([proxy()]).collect())
}

fn row(container: &Container, now: Timestamp) -> Value {
    let id = container.id();
    let age = container.started_at.map(|at| now.duration_since(at).unsigned_abs());
    let seconds = age.unwrap_or_default().max(Duration::from_secs(1)).as_secs();
    // The id is hexadecimal, and each container has another one.
    let seed = u64::from_str_radix(&id, 16).unwrap_or_default() / 7 + seconds / 15;
    let most = container.spec.memory_bytes.unwrap_or(NODE_MEMORY);
    let used = (400 * KIB + seed % 64 * MIB / 16).min(most / 2);
    let cpu = seed % 300;
    json!({
        "BlockIO": "0B / 0B",
        "CPUPerc": format!("{}.{:02}%", cpu / 100, cpu % 100),
        "Container": id,
        "ID": id,
        "MemPerc": percent(used, most),
        "MemUsage": format!("{} / {}", binary(used), binary(most)),
        "Name": container.name,
        "NetIO": format!("{} / {}", decimal(TRAFFIC.0 * seconds), decimal(TRAFFIC.1 * seconds)),
    })
}

fn proxy() -> Value {
    json!({
        "BlockIO": "0B / 0B",
        "CPUPerc": "1.28%",
        "Container": "2b42fff9e6fa",
        "ID": "2b42fff9e6fa",
        "MemPerc": "0.13%",
        "MemUsage": "31.34MiB / 23.54GiB",
        "Name": "dokploy-traefik",
        "NetIO": "33MB / 38.8MB",
    })
}

fn percent(part: u64, whole: u64) -> String {
    let hundredths = part.saturating_mul(10_000) / whole.max(1);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Formats bytes as Docker formats memory: four digits, with binary units.
fn binary(bytes: u64) -> String {
    scaled(bytes, 1_024, &["B", "KiB", "MiB", "GiB", "TiB"], 4)
}

/// Formats bytes as Docker formats traffic: three digits, with decimal units.
fn decimal(bytes: u64) -> String {
    scaled(bytes, 1_000, &["B", "kB", "MB", "GB", "TB"], 3)
}

fn scaled(bytes: u64, base: u64, units: &[&str], digits: usize) -> String {
    let (mut unit, mut scale) = (0, 1_u64);
    while bytes / scale >= base && unit + 1 < units.len() {
        unit += 1;
        scale = scale.saturating_mul(base);
    }
    let whole = (bytes / scale).to_string();
    let thousandths = format!("{:03}", bytes % scale * 1_000 / scale);
    let fraction = thousandths.get(..digits.saturating_sub(whole.len()).min(3)).unwrap_or_default();
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction}{}", units.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_the_words_of_docker() {
        for (bytes, expected) in [
            (0, "0B"),
            (748 * KIB, "748KiB"),
            (1_203_800, "1.148MiB"),
            (NODE_MEMORY, "23.54GiB"),
            (64 * MIB, "64MiB"),
        ] {
            assert_eq!(binary(bytes), expected);
        }
        for (bytes, expected) in
            [(533, "533B"), (1_150, "1.15kB"), (33_000_000, "33MB"), (38_800_000, "38.8MB")]
        {
            assert_eq!(decimal(bytes), expected);
        }
        assert_eq!(percent(31_340 * KIB, NODE_MEMORY), "0.12%");
    }
}
