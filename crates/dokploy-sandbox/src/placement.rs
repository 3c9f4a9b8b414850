//! Whether a task of a service has a node. The swarm has one, which meets a constraint or does not.
//!
//! It must not know rows or calls.

use super::environment::{NODE_ID, NODE_NAME};

/// The error of a task that waits for a node (recording day-two 413).
pub(crate) const NO_NODE: &str =
    "no suitable node (scheduling constraints not satisfied on 1 node)";

/// Returns whether the swarm's only node meets all `constraints`. It has no labels. A constraint
/// that is none is not met.
pub(crate) fn fits(constraints: &[String]) -> bool {
    constraints.iter().all(|constraint| is_met(constraint))
}

fn is_met(constraint: &str) -> bool {
    let equal = constraint.split_once("==").map(|parts| (parts, true));
    let parts = equal.or_else(|| constraint.split_once("!=").map(|parts| (parts, false)));
    let Some(((key, value), wanted)) = parts else { return false };
    let own = match key.trim() {
        "node.hostname" => NODE_NAME,
        "node.id" => NODE_ID,
        "node.role" => "manager",
        "node.platform.os" => "linux",
        "node.platform.arch" => "x86_64",
        _ => "",
    };
    own.eq_ignore_ascii_case(value.trim()) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_node_meets_what_is_true_of_it() {
        for (constraints, expected) in [
            (vec![], true),
            (vec!["node.hostname==sandbox"], true),
            (vec!["node.hostname == Sandbox", "node.role==manager"], true),
            (vec!["node.hostname==vm"], false),
            (vec!["node.role==manager", "node.role!=manager"], false),
            (vec!["node.labels.disk==fast"], false),
            (vec!["node.labels.disk!=fast"], true),
            (vec!["sandbox"], false),
        ] {
            let owned: Vec<_> = constraints.iter().map(|&one| one.to_owned()).collect();
            assert_eq!(fits(&owned), expected, "{constraints:?}");
        }
    }
}
