//! The words for what a stack uses.

use jiff::Timestamp;

pub(crate) const HEADING: &str = "Used in the last hour";
pub(crate) const TIME: &str = "Time (UTC)";
pub(crate) const CPU: &str = "CPU";
pub(crate) const MEMORY: &str = "Memory";

/// Formats CPU time, as in `0.25 cores`.
pub(crate) fn cpu(cpus: f64) -> String {
    if cpus > 0.0 && cpus < 0.005 {
        return String::from("less than 0.01 cores");
    }
    format!("{cpus:.2} cores")
}

/// Formats a number of bytes, as in `64 MiB`.
pub(crate) fn memory(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes / 1_024),
        1_048_576..10_737_418_240 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{} GiB", bytes / 1_073_741_824),
    }
}

/// Returns what stands before a figure.
pub(crate) fn before(label: &str) -> String {
    format!("{label}:")
}

/// Formats the time of a step.
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_told_in_cores() {
        let cases = [
            (0.0, "0.00 cores"),
            (0.004, "less than 0.01 cores"),
            (0.25, "0.25 cores"),
            (2.0, "2.00 cores"),
        ];
        for (cpus, words) in cases {
            assert_eq!(cpu(cpus), words);
        }
    }
}
