//! The words for what a stack uses.

use jiff::Timestamp;

pub(crate) const HEADING: &str = "Used in the last hour";
pub(crate) const TIME: &str = "Time (UTC)";
pub(crate) const CPU: &str = "CPU";
pub(crate) const MEMORY: &str = "Memory";

/// Formats CPU time, as in `0.25 CPUs`.
pub(crate) fn cpu(cpus: f64) -> String {
    format!("{cpus:.2} CPUs")
}

/// Formats a number of bytes, as in `64 MiB`.
pub(crate) fn memory(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes / 1_024),
        1_048_576..10_737_418_240 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{} GiB", bytes / 1_073_741_824),
    }
}

pub(crate) fn cpu_now(cpus: f64) -> String {
    format!("CPU: {}", cpu(cpus))
}

pub(crate) fn memory_now(bytes: u64) -> String {
    format!("Memory: {}", memory(bytes))
}

/// Formats the time of a step.
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}
