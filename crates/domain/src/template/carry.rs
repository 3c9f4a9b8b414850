//! What the environment of a container can carry on the platform.
//!
//! The platform's adapter encodes each value (`encode_environment` in `crates/dokploy`). This is
//! the same rule for pages, which cannot use the adapter: `catalogue`'s tests compare both.

use super::answer_error::AnswerError;

/// What begins a reference that the platform would replace by another value.
pub const REFERENCE: &str = "${{";

/// Checks whether a container can get `value` unchanged.
///
/// # Errors
///
/// Returns the rule that `value` breaks.
pub fn check_carried(value: &str) -> Result<(), AnswerError> {
    if value.contains(REFERENCE) {
        return Err(AnswerError::Reference);
    }
    let is_carried = !value.contains(['\r', '\0'])
        && (is_plain(value) || (!value.ends_with('\\') && has_free_quotes(value)));
    if is_carried { Ok(()) } else { Err(AnswerError::NotRepresentable) }
}

/// Returns whether the platform reads `value` unchanged without quotes. `{{` is written as a
/// template, which has quotes.
fn is_plain(value: &str) -> bool {
    let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !"#'\"`".contains(c);
    value.chars().all(plain) && value.trim() == value && !value.contains("{{")
}

/// Returns whether there are quotes that keep `value`. Double quotes expand escapes.
fn has_free_quotes(value: &str) -> bool {
    !value.contains('\'') || !value.contains('`') || !value.contains(['"', '\\'])
}

/// Returns whether `name` can name a variable.
pub fn is_variable_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}
