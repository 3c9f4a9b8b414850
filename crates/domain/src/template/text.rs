//! Texts for people, in one language or in several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The language that every text in several languages has.
pub const FALLBACK: &str = "en";

/// A text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Localized {
    /// One text for all.
    Plain(String),
    /// A text for each language, by the language's tag, such as `nl` or `pt-BR`.
    Tagged(BTreeMap<String, String>),
}

impl Localized {
    /// Returns the text in the language of `tag`, in that of its first part, or in English.
    pub fn in_language(&self, tag: &str) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Tagged(texts) => {
                let primary = tag.split('-').next().unwrap_or_default();
                let by_tag = |tag: &str| {
                    texts
                        .iter()
                        .find(|(one, _)| one.eq_ignore_ascii_case(tag))
                        .map(|(_, text)| text)
                };
                let found = by_tag(tag).or_else(|| by_tag(primary)).or_else(|| by_tag(FALLBACK));
                found.map_or("", String::as_str)
            }
        }
    }

    /// Returns all texts.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Plain(text) => vec![text],
            Self::Tagged(texts) => texts.values().map(String::as_str).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_in_the_nearest_language() {
        let text: Localized =
            serde_json::from_str("{\"en\":\"Name\",\"nl\":\"Naam\",\"pt-BR\":\"Nome\"}").unwrap();
        for (tag, shown) in [
            ("nl", "Naam"),
            ("nl-BE", "Naam"),
            ("NL", "Naam"),
            ("pt-br", "Nome"),
            ("pt", "Name"),
            ("", "Name"),
            ("de", "Name"),
        ] {
            assert_eq!(text.in_language(tag), shown, "{tag}");
        }
        let plain: Localized = serde_json::from_str("\"Name\"").unwrap();
        assert_eq!(plain.in_language("nl"), "Name");
    }
}
