//! The hint under the name field.

use crate::app::words::name_form as words;
use crate::wire::{AddressPattern, NameVerdict};
use domain::stack_name::StackName;

/// What is known about the text in the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// There is no verdict yet. Contains the address that the name would have.
    Address(String),
    /// The name is available. Contains the address.
    Free(String),
    /// The name is taken. Contains similar names that are available.
    Taken(StackName, Vec<StackName>),
    /// The name is invalid. Contains the reason.
    Refused(String),
}

impl Hint {
    /// Returns whether the name is not available.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Taken(..) | Self::Refused(_) => true,
            Self::Address(_) | Self::Free(_) => false,
        }
    }

    /// Returns the address that the name would have, until there is a verdict.
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Address(url) => url,
            Self::Free(_) | Self::Taken(..) | Self::Refused(_) => "",
        }
    }
}

/// The progress of typing. An unfinished name is checked only after the person left the field or
/// pressed the button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    /// Still typing.
    Ongoing,
    /// Left the field.
    #[cfg(any(feature = "name-form", test))]
    Left,
    /// Pressed the button.
    Submitted,
}

impl Typing {
    /// Returns the progress when the page is rendered. A text with a verdict was submitted.
    pub(crate) fn at_first(verdict: Option<&NameVerdict>) -> Self {
        if verdict.is_some() { Self::Submitted } else { Self::Ongoing }
    }
}

/// Returns the hint about `input`. A `verdict` on another name is out of date and is ignored.
pub(crate) fn hint(
    input: &str,
    typing: Typing,
    verdict: Option<&NameVerdict>,
    pattern: &AddressPattern,
) -> Hint {
    let name = match StackName::for_new_stack(input) {
        Ok(name) => name,
        Err(_) if input.is_empty() && typing != Typing::Submitted => {
            return Hint::Address(pattern.address(words::PLACEHOLDER));
        }
        Err(error) if error.is_unfinished() && typing == Typing::Ongoing => {
            return Hint::Address(pattern.address(input));
        }
        Err(error) => return Hint::Refused(words::rule(error)),
    };
    match verdict {
        Some(NameVerdict::Free { name: free, url }) if *free == name => Hint::Free(url.clone()),
        Some(NameVerdict::Taken { name: taken, suggestions, .. }) if *taken == name => {
            Hint::Taken(name, suggestions.clone())
        }
        Some(NameVerdict::Invalid { name: invalid, sentence, .. }) if invalid == input => {
            Hint::Refused(sentence.clone())
        }
        Some(_) | None => Hint::Address(pattern.address(input)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern() -> AddressPattern {
        AddressPattern { before: String::from("https://"), after: String::from(".example.com") }
    }

    fn name(text: &str) -> StackName {
        StackName::parse(text).unwrap()
    }

    fn address(text: &str) -> Hint {
        Hint::Address(format!("https://{text}.example.com"))
    }

    #[test]
    fn an_unfinished_name_is_judged_only_when_the_person_is_done_with_it() {
        let few = Hint::Refused(String::from("Use at least 3 characters"));
        let none = Hint::Refused(String::from("Enter a name"));
        let cases = [
            ("", Typing::Ongoing, address("your-name")),
            ("", Typing::Left, address("your-name")),
            ("", Typing::Submitted, none),
            ("al", Typing::Ongoing, address("al")),
            ("al", Typing::Left, few),
            ("al-", Typing::Ongoing, address("al-")),
            ("alice", Typing::Ongoing, address("alice")),
        ];
        for (input, typing, expected) in cases {
            assert_eq!(hint(input, typing, None, &pattern()), expected, "{input:?} {typing:?}");
        }
    }

    #[test]
    fn what_typing_cannot_mend_is_said_at_once() {
        let refused = hint("Al", Typing::Ongoing, None, &pattern());
        assert_eq!(refused, Hint::Refused(String::from("Use lower-case letters only")));
    }

    #[test]
    fn a_verdict_counts_for_its_own_name_alone() {
        let url = String::from("https://alice.example.com");
        let free = NameVerdict::Free { name: name("alice"), url: url.clone() };
        let suggestions = vec![name("alice-2"), name("alice-lab")];
        let taken =
            NameVerdict::Taken { name: name("alice"), url, suggestions: suggestions.clone() };
        let reserved = NameVerdict::Invalid {
            name: String::from("acme"),
            code: String::from("NAME_RESERVED"),
            sentence: String::from("This name is kept for the system: choose another"),
        };
        let cases = [
            ("alice", &free, Hint::Free(String::from("https://alice.example.com"))),
            ("alice", &taken, Hint::Taken(name("alice"), suggestions)),
            (
                "acme",
                &reserved,
                Hint::Refused(String::from("This name is kept for the system: choose another")),
            ),
            ("alicia", &free, address("alicia")),
            ("alicia", &taken, address("alicia")),
            ("acmes", &reserved, address("acmes")),
        ];
        for (input, verdict, expected) in cases {
            let said = hint(input, Typing::Ongoing, Some(verdict), &pattern());
            assert_eq!(said, expected, "{input}");
        }
    }
}
