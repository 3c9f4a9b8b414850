//! The words for the end of a stack's time.

use std::time::Duration;

use super::account::minute;
use crate::server::stacks::Ending;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

/// Says when a stack ends, and what happens then.
pub(crate) fn sentence(ending: &Ending) -> String {
    let (at, removed) = (minute(ending.at), minute(ending.removed));
    if ending.is_over {
        format!(
            "This stack ended on {at}, so it is stopped. It is removed on {removed} or later, and \
             data that survives a restart is kept."
        )
    } else {
        format!(
            "This stack ends on {at}: it is stopped then, and removed on {removed} or later. Data \
             that survives a restart is kept."
        )
    }
}

/// Returns the label of the button that keeps the stack for longer.
pub(crate) fn keep(longer: Duration) -> String {
    format!("Keep it for {} more", length(longer.as_secs()))
}

fn length(seconds: u64) -> String {
    let (count, unit) = match seconds {
        _ if seconds >= DAY_S && seconds.is_multiple_of(DAY_S) => (seconds / DAY_S, "day"),
        _ if seconds >= HOUR_S && seconds.is_multiple_of(HOUR_S) => (seconds / HOUR_S, "hour"),
        _ if seconds >= 60 && seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_says_how_much_longer() {
        for (hours, label) in [
            (1, "Keep it for 1 hour more"),
            (36, "Keep it for 36 hours more"),
            (24, "Keep it for 1 day more"),
            (168, "Keep it for 7 days more"),
        ] {
            assert_eq!(keep(Duration::from_hours(hours)), label);
        }
        assert_eq!(keep(Duration::from_mins(90)), "Keep it for 90 minutes more");
        assert_eq!(keep(Duration::from_millis(5_500)), "Keep it for 5 seconds more");
    }
}
