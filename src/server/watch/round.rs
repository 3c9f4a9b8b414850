//! Judges a whole round: where most stacks do not work, the cause is not theirs.

use super::{Look, Looked};

/// The fewest bad looks that can show that the cause is not the stacks'.
const FEWEST: usize = 3;

/// Makes all looks unknown if more than half of them are bad, and at least three: then the network,
/// the reverse proxy, or the portal itself has a fault.
pub(super) fn judge(looked: Vec<Looked>) -> Vec<Looked> {
    let is_known = |one: &&Looked| one.look != Look::Unknown;
    let is_bad = |one: &&Looked| matches!(one.look, Look::Bad(_));
    let (known, bad) =
        (looked.iter().filter(is_known).count(), looked.iter().filter(is_bad).count());
    if bad < FEWEST || bad * 2 <= known {
        return looked;
    }
    tracing::warn!(
        bad,
        known,
        "Most stacks seem not to work: nothing is concluded from this round"
    );
    vec![Looked::UNKNOWN; looked.len()]
}

#[cfg(test)]
mod tests {
    use domain::stack_event::Problem;

    use super::*;

    #[test]
    fn a_round_counts_unless_most_of_it_is_bad() {
        for (good, bad, unknown, counts) in [
            (0, 1, 0, true),
            (0, 2, 0, true),
            (0, 3, 0, false),
            (3, 3, 0, true),
            (2, 3, 0, false),
            (2, 3, 9, false),
            (10, 3, 0, true),
            (0, 0, 4, true),
        ] {
            let of = |look, count| vec![Looked { look, ..Looked::UNKNOWN }; count];
            let looked = [
                of(Look::Good, good),
                of(Look::Bad(Problem::NoAnswer), bad),
                of(Look::Unknown, unknown),
            ];
            let looked = looked.concat();
            let judged = judge(looked.clone());
            assert_eq!(judged == looked, counts, "{good} good, {bad} bad, {unknown} unknown");
            assert_eq!(judged.len(), looked.len());
        }
    }
}
