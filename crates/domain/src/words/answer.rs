//! The sentences of refused answers.

use crate::template::answer_error::{AnswerError, Expected, FieldError};

/// Says of a secret that a form kept for a while that it must be given again.
pub const NOT_KEPT: &str = "What you gave here before is not kept any more: give it again.";

/// Returns the sentence: what is wrong, and what to do.
pub fn message(error: &FieldError) -> String {
    match error.item {
        Some(item) => format!("Item {item}: {}", sentence(&error.error)),
        None => sentence(&error.error),
    }
}

fn sentence(error: &AnswerError) -> String {
    use AnswerError as E;
    match error {
        E::Unknown => "This template does not ask for this: leave it out.".into(),
        E::UnknownSize => "This template has no such size: choose one of its sizes.".into(),
        E::Required => "An answer is required.".into(),
        E::WrongType(expected) => wrong_type(*expected).into(),
        E::Repeated => "This field was sent more than once: send it once.".into(),
        E::Hidden => "With your other answers this is not asked for: leave it out.".into(),
        E::IsSecret => "This is a secret: send it among the secrets.".into(),
        E::IsNoSecret => "This is no secret: send it among the parameters.".into(),
        E::Immutable => "This can be set only when the stack is started.".into(),
        E::NotANumber => "This is not a number: write it like 1.5, with a point.".into(),
        E::BelowMinimum(least) => format!("This must be {least} or more."),
        E::AboveMaximum(greatest) => format!("This must be {greatest} or less."),
        E::NotAMultiple(step) => format!("This must be a multiple of {step}."),
        E::NotAChoice => "This is none of the choices.".into(),
        E::TooShort(least) => format!("This needs at least {}.", count(*least, "character")),
        E::TooLong(most) => format!("This can have at most {}.", count(*most, "character")),
        E::TooFew(least) => format!("This needs at least {}.", count(*least, "item")),
        E::TooMany(most) => format!("This can have at most {}.", count(*most, "item")),
        E::WrongForm => "This does not have the required form.".into(),
        E::LineBreak => "This must be a single line.".into(),
        E::ControlCharacter => "This contains an invisible control character: remove it.".into(),
        E::Separator('\n') => "An item must be a single line.".into(),
        E::Separator(' ') => "An item cannot contain a space.".into(),
        E::Separator(separator) => format!("An item cannot contain \"{separator}\"."),
        E::OuterSpace => "An item cannot begin or end with a space: remove the space.".into(),
        E::Reference => "This cannot contain \"${{\".".into(),
        E::NotRepresentable => "The platform cannot store this combination of quotes and \
             backslashes: remove one kind of quote, or a backslash at the end."
            .into(),
        E::TooLarge(most) => format!("This can have at most {most} KiB."),
        E::TooManyAnswers(most) => format!("There can be at most {most} answers."),
        E::TooLargeTogether(most) => format!("All answers together can have at most {most} KiB."),
    }
}

fn wrong_type(expected: Expected) -> &'static str {
    match expected {
        Expected::Text => "This must be a text.",
        Expected::Number => "This must be a number.",
        Expected::Boolean => "This must be true or false.",
        Expected::List => "This must be a list of texts.",
        Expected::Object => "This must be an object.",
    }
}

fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
