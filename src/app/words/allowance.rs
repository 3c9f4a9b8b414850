//! The words for the number of stacks that a person may have.

use crate::wire::Allowance;

/// Returns the sentence about the stacks that a person has and may have.
pub(crate) fn sentence(allowance: Allowance) -> String {
    let Allowance { stacks, most } = allowance;
    let noun = if most == 1 { "stack" } else { "stacks" };
    if stacks >= most {
        return format!("You have {stacks} of {most} {noun}: remove one before you start another.");
    }
    format!("You have {stacks} of {most} {noun}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_before_the_button_is_pressed() {
        let cases = [
            ((0, 1), "You have 0 of 1 stack."),
            ((2, 5), "You have 2 of 5 stacks."),
            ((5, 5), "You have 5 of 5 stacks: remove one before you start another."),
        ];
        for ((stacks, most), expected) in cases {
            assert_eq!(sentence(Allowance { stacks, most }), expected);
        }
    }
}
