//! The words for usual durations, which claim no more than was measured.

use crate::wire::Usual;

/// The number of seconds from which durations are shown in minutes.
const LONG_S: u64 = 120;

/// Returns the words for the usual remaining time of a deployment after `elapsed_ms`.
pub(crate) fn remaining(usual: Option<Usual>, elapsed_ms: u64) -> Option<String> {
    let Usual { low_s, high_s, .. } = usual?;
    let elapsed_s = elapsed_ms / 1000;
    let (low, high) = (low_s.saturating_sub(elapsed_s), high_s.saturating_sub(elapsed_s));
    if high == 0 {
        return Some(String::from("longer than usual"));
    }
    // Rounded, so that the words do not change every second.
    let (step, unit, shown) = match high {
        0..=60 => (5, 1, "s"),
        61..LONG_S => (10, 1, "s"),
        _ => (60, 60, "min"),
    };
    let low = low / step * step / unit;
    let high = high.div_ceil(step) * step / unit;
    Some(match low {
        0 => format!("usually up to {high} {shown} more"),
        low => format!("usually {low}–{high} {shown} more"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(low_s: u64, median_s: u64, high_s: u64) -> Usual {
        Usual { low_s, median_s, high_s }
    }

    #[test]
    fn what_is_left_is_told_in_steps_and_only_as_far_as_it_is_known() {
        let cases = [
            (None, 5, None),
            (Some(usual(32, 45, 62)), 0, Some("usually 30–70 s more")),
            (Some(usual(32, 45, 62)), 12, Some("usually 20–50 s more")),
            (Some(usual(32, 45, 62)), 22, Some("usually 10–40 s more")),
            (Some(usual(32, 45, 62)), 31, Some("usually up to 35 s more")),
            (Some(usual(32, 45, 62)), 61, Some("usually up to 5 s more")),
            (Some(usual(32, 45, 62)), 62, Some("longer than usual")),
            (Some(usual(32, 45, 62)), 600, Some("longer than usual")),
            (Some(usual(0, 1, 2)), 0, Some("usually up to 5 s more")),
            (Some(usual(150, 200, 290)), 10, Some("usually 2–5 min more")),
            (Some(usual(50, 200, 290)), 0, Some("usually up to 5 min more")),
            (Some(usual(0, 0, 0)), 0, Some("longer than usual")),
        ];
        for (usual, elapsed_s, words) in cases {
            let said = remaining(usual, elapsed_s * 1000 + 999);
            assert_eq!(said.as_deref(), words, "{usual:?} after {elapsed_s} s");
        }
    }
}
