//! What containers use, as Docker measures it.

use super::ContainerId;

/// What a running container uses (recording day-two 385). A number is `None` if Docker reports none,
/// as for a container that has just started.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerUsage {
    /// The container's short id.
    pub container: ContainerId,
    /// Its name. For one of a service it is `<appName>.<slot>.<task id>`.
    pub name: String,
    /// The CPU time in CPUs: 1 is one whole CPU.
    pub cpus: Option<f64>,
    /// The memory, in bytes.
    pub memory: Option<u64>,
    /// The most memory that it may use, in bytes; that of the node without a limit.
    pub memory_limit: Option<u64>,
    /// What it has received since its start, in bytes.
    pub received: Option<u64>,
    /// What it has sent since its start, in bytes.
    pub sent: Option<u64>,
}

/// Parses Docker's text of two numbers of bytes, such as `748KiB / 23.54GiB`.
pub(super) fn pair(text: &str) -> (Option<u64>, Option<u64>) {
    match text.split_once('/') {
        Some((first, second)) => (bytes(first), bytes(second)),
        None => (None, None),
    }
}

/// Parses Docker's text of a number of bytes. Memory has binary units, traffic decimal ones.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let power = |base: f64, exponent| base.powi(exponent);
    let factor = match unit {
        "B" => 1.0,
        "kB" | "KB" => power(1_000.0, 1),
        "MB" => power(1_000.0, 2),
        "GB" => power(1_000.0, 3),
        "TB" => power(1_000.0, 4),
        "KiB" => power(1_024.0, 1),
        "MiB" => power(1_024.0, 2),
        "GiB" => power(1_024.0, 3),
        "TiB" => power(1_024.0, 4),
        _ => return None,
    };
    let amount = number.trim().parse::<f64>().ok()? * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
    (0.0..=1e18).contains(&amount).then(|| amount.round() as u64)
}

/// Parses Docker's percentage of one CPU, such as `1.91%`.
pub(super) fn cpus(text: &str) -> Option<f64> {
    let percent: f64 = text.trim().strip_suffix('%')?.parse().ok()?;
    (percent.is_finite() && percent >= 0.0).then_some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_with_their_units() {
        for (text, expected) in [
            ("748KiB / 23.54GiB", (Some(765_952), Some(25_275_882_537))),
            ("1.148MiB / 64MiB", (Some(1_203_765), Some(67_108_864))),
            ("1.15kB / 533B", (Some(1_150), Some(533))),
            ("33MB / 38.8MB", (Some(33_000_000), Some(38_800_000))),
            ("0B / 0B", (Some(0), Some(0))),
            ("-- / --", (None, None)),
            ("1.5 / 2XB", (None, None)),
            ("-1B / 1e30TB", (None, None)),
            ("", (None, None)),
        ] {
            assert_eq!(pair(text), expected, "{text}");
        }
        for (text, expected) in
            [("1.91%", Some(0.0191)), ("250.00%", Some(2.5)), ("--", None), ("-1%", None)]
        {
            assert_eq!(cpus(text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_docker_writes_is_read_or_left_out(text in "\\PC{0,20}|[0-9.e+-]{1,12}[kKMGTi]{0,2}B") {
            bytes(&text);
            pair(&text);
            cpus(&text);
        }
    }
}
