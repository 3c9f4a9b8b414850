//! The words for durations.

/// Formats `ms` as minutes and seconds, as in `0:42`.
pub(crate) fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Formats the duration of something that has ended, as in `0.1 s`, `42 s` or `1:05 min`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        10_000..60_000 => format!("{} s", ms / 1000),
        _ => format!("{} min", clock(ms)),
    }
}

/// Formats the duration of something that lasts: whole seconds, and nothing in the first second.
pub(crate) fn so_far(ms: u64) -> String {
    match ms {
        0..1000 => String::new(),
        1000..60_000 => format!("{} s", ms / 1000),
        _ => format!("{} min", clock(ms)),
    }
}

/// Formats an approximate duration, as in `about 30 s`, `about 8 min` or `about 3 days`.
pub(crate) fn about(seconds: u64) -> String {
    match seconds {
        0..=60 => format!("about {} s", seconds.div_ceil(5) * 5),
        61..=7_200 => format!("about {} min", seconds.div_ceil(60)),
        7_201..=172_800 => format!("about {} h", seconds / 3_600),
        _ => format!("about {} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_a_person_reads_them() {
        let cases = [
            (0, "0:00", "0.0 s", ""),
            (99, "0:00", "0.0 s", ""),
            (100, "0:00", "0.1 s", ""),
            (9_999, "0:09", "9.9 s", "9 s"),
            (10_000, "0:10", "10 s", "10 s"),
            (42_900, "0:42", "42 s", "42 s"),
            (65_000, "1:05", "1:05 min", "1:05 min"),
            (4_510_000, "75:10", "75:10 min", "75:10 min"),
        ];
        for (ms, on_clock, took, lasting) in cases {
            assert_eq!((clock(ms).as_str(), duration(ms).as_str()), (on_clock, took), "{ms}");
            assert_eq!(so_far(ms), lasting, "{ms}");
        }
    }

    #[test]
    fn what_is_ahead_is_told_roughly() {
        let cases = [
            (1, "about 5 s"),
            (30, "about 30 s"),
            (60, "about 60 s"),
            (61, "about 2 min"),
            (7_200, "about 120 min"),
            (10_800, "about 3 h"),
            (259_200, "about 3 days"),
        ];
        for (seconds, words) in cases {
            assert_eq!(about(seconds), words);
        }
    }
}
