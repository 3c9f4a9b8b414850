//! The sentences of the rules of names, without a full stop.

use crate::stack_name::{MAX_LENGTH, MIN_LENGTH, ParseStackNameError};

/// Returns what a person must change.
pub fn rule(error: ParseStackNameError) -> String {
    use ParseStackNameError as E;
    match error {
        E::Empty => String::from("Enter a name"),
        E::TooShort => format!("Use at least {MIN_LENGTH} characters"),
        E::TooLong => format!("Use at most {MAX_LENGTH} characters"),
        E::InvalidCharacter(c) if c.is_ascii_uppercase() => {
            String::from("Use lower-case letters only")
        }
        E::InvalidCharacter(c) if c.is_whitespace() => {
            String::from("Leave out spaces: a hyphen can join words")
        }
        E::InvalidCharacter(_) => String::from("Use only the letters a to z, digits and hyphens"),
        E::StartsWithoutLetter => String::from("Start with a letter"),
        E::EndsWithHyphen => String::from("End with a letter or a digit"),
        E::DoubleHyphen => String::from("Hyphens can't stand next to each other"),
        E::Reserved => String::from("This name is kept for the system: choose another"),
    }
}
