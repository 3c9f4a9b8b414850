//! What stands between the lines of a log.

/// The end of a line that is not whole.
pub const CUT: &str = " [The rest of the line is left out]";

/// Returns what precedes the lines of another container.
pub fn container(name: &str) -> String {
    format!("--- Container {name} ---")
}

/// Returns what stands for lines that are left out.
pub fn gap(skipped: u64) -> String {
    match skipped {
        1 => "--- 1 line is left out ---".to_owned(),
        _ => format!("--- {skipped} lines are left out ---"),
    }
}
