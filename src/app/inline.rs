//! Scripts that stand in pages themselves.

/// Returns a script without what only developers read, since each page has it.
pub(super) fn script(source: &str) -> String {
    let lines = source.lines().map(str::trim_start);
    lines.filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
}
