//! What stands between the lines of a log.

/// The end of a line that is not whole.
pub const CUT: &str = " [The rest of the line is left out]";

/// Returns what precedes the lines of another container.
pub fn container(name: &str) -> String {
    format!("--- Container {name} ---")
}

/// What stands for lines that are left out; `{}` is their number.
pub const GAP: &str = "--- {} lines are left out ---";

/// Returns what stands for lines that are left out.
pub fn gap(skipped: u64) -> String {
    match skipped {
        1 => "--- 1 line is left out ---".to_owned(),
        _ => GAP.replace("{}", &skipped.to_string()),
    }
}
