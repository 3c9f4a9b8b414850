//! The words about answers that cannot be used, as server and browser show them.

/// Returns the heading of what is wrong.
pub(crate) fn problems(count: usize) -> String {
    match count {
        1 => String::from("One answer cannot be used"),
        count => format!("{count} answers cannot be used"),
    }
}
