//! Tells what a person sees of a text that somebody else wrote.
//!
//! Such a text may have characters that do not show, that turn the line around, or that a terminal
//! carries out. A name is shown without them (`name`), and what must be told apart to the last
//! character with their code points instead (`escaped`).

use std::borrow::Cow;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

/// The name of somebody or something whose own name does not show.
const NAMELESS: &str = "nameless";

/// Letters, marks and symbols that are blank, although Unicode does not count them as spaces.
const BLANK: [char; 5] = ['\u{2800}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];

/// Returns whether a character shows, or is a space. Neither do those of private use and those that
/// are not assigned: nobody knows what they look like.
pub(crate) fn is_visible(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let ends_line = [GeneralCategory::LineSeparator, GeneralCategory::ParagraphSeparator];
    !GeneralCategoryGroup::Other.contains(category)
        && !ends_line.contains(&category)
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        && !BLANK.contains(&c)
}

/// Returns the visible characters of a text on one line, without superfluous spaces.
pub(crate) fn line(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let visible: String = spaced.filter(|c| is_visible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a name as it is shown.
pub(crate) fn name(text: &str) -> String {
    let line = line(text);
    if line.is_empty() { String::from(NAMELESS) } else { line }
}

/// Returns a text with the code points of the characters that do not show, in the form that JSON
/// has, so that a line of JSON keeps its meaning. Line feeds stay.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| c != '\n' && !is_visible(c);
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| match c.encode_utf16(&mut [0; 2]) {
        [first, second] => format!("\\u{first:04x}\\u{second:04x}"),
        [.., unit] => format!("\\u{unit:04x}"),
        [] => String::new(),
    };
    text.chars().map(|c| if is_hidden(c) { escape(c) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    #[test]
    fn what_does_not_show_or_turns_the_line_around_is_not_visible() {
        for c in [
            '\0', '\n', '\t', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{ad}', '\u{34f}',
            '\u{61c}', '\u{115f}', '\u{1160}', '\u{17b4}', '\u{180b}', '\u{180e}', '\u{200b}',
            '\u{200d}', '\u{200e}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2060}',
            '\u{2065}', '\u{2066}', '\u{2069}', '\u{206f}', '\u{2800}', '\u{3164}', '\u{e000}',
            '\u{fe0f}', '\u{feff}', '\u{ffa0}', '\u{fff0}', '\u{fff9}', '\u{ffff}', '\u{13441}',
            '\u{1bca0}', '\u{1d159}', '\u{1d173}', '\u{e0001}', '\u{e0041}', '\u{e0100}',
            '\u{e01ef}', '\u{f0000}', '\u{10ffff}',
        ] {
            assert!(!is_visible(c), "{c:?}");
        }
        for c in
            "aZ09 -_.'\"<>&\\äßÅéжЯ中文あアㅎ한عربעברไทยहिंदी\u{301}\u{a0}\u{3000}€→😀👩".chars()
        {
            assert!(is_visible(c), "{c:?}");
        }
    }

    #[test]
    fn no_character_of_the_whole_categories_is_visible() {
        let category = CodePointMapData::<GeneralCategory>::new();
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let (mut formats, mut others) = (0, 0);
        for c in all() {
            match category.get(c) {
                GeneralCategory::Format => {
                    formats += 1;
                    assert!(!is_visible(c), "{c:?}");
                }
                GeneralCategory::Control
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator => assert!(!is_visible(c), "{c:?}"),
                _ if ignorable.contains(c) || c.is_control() => {
                    others += 1;
                    assert!(!is_visible(c), "{c:?}");
                }
                _ => {}
            }
        }
        assert!(formats >= 160 && others >= 3_000, "{formats} {others}");
        assert!(all().filter(|c| is_visible(*c)).count() > 100_000, "and the rest is");
    }

    #[test]
    fn a_name_is_one_line_of_what_shows() {
        for (text, expected) in [
            ("  Ann\u{2003}\n Bell ", "Ann Bell"),
            ("Ann\u{202e}lleB", "AnnlleB"),
            ("\u{1b}[31mAnn", "[31mAnn"),
            ("Zo\u{eb} O\u{27}Neil", "Zoë O'Neil"),
            ("👩\u{200d}💻", "👩💻"),
            ("\u{3164}\u{2800} \u{200b}", NAMELESS),
            ("", NAMELESS),
        ] {
            assert_eq!(name(text), expected, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_is_shown_all_of_it_shows(text: String) {
            let name = name(&text);
            prop_assert!(!name.is_empty() && name.chars().all(is_visible));
            prop_assert_eq!(line(&name), name.clone());
            prop_assert!(escaped(&text).chars().all(|c| c == '\n' || is_visible(c)));
        }

        #[test]
        fn a_line_of_json_keeps_its_meaning(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&escaped(&json)).unwrap(), text);
        }
    }
}
