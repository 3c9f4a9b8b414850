//! How a container ended, in plain words before its exit code.

use std::fmt::Display;

/// Says how a container ended, for the end of a sentence.
pub fn with_code(code: impl Display) -> String {
    let code = code.to_string();
    let how = if code == "0" { "without an error" } else { "with an error" };
    format!("{how} (exit code {code})")
}
