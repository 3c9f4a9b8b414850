//! The patterns that a template may have: those that Rust's `regex`, JavaScript's `RegExp` with the
//! flag `u` or `v`, and JSON Schema understand alike, and that none of them takes long to match.
//!
//! Allowed are characters, classes such as `[a-z0-9_]` and `[^ ]`, groups, alternatives, and the
//! quantifiers `?`, `*`, `+`, `{n}`, `{n,}` and `{n,m}`.

mod ambiguity;
mod class;
mod syntax;

use domain::template::parameter::Pattern;

use crate::patterns;

/// The longest pattern, in bytes.
const LONGEST: usize = 500;

/// Parses a pattern.
///
/// # Errors
///
/// Returns what is wrong, and what to write instead.
pub fn parse(text: &str) -> Result<Pattern, String> {
    if text.len() > LONGEST {
        return Err(format!("the pattern is longer than {LONGEST} bytes: shorten it"));
    }
    let node = syntax::parse(text)?;
    ambiguity::check(&node)?;
    let pattern = Pattern::new(text);
    match patterns::compile(&pattern) {
        Some(_) => Ok(pattern),
        None => {
            Err(String::from("the pattern is too large: use smaller numbers in its quantifiers"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_that_all_three_languages_read_alike_are_allowed() {
        for text in [
            "",
            "abc",
            "[a-z][a-z0-9-]*[a-z0-9]".replace("9-]", "9\\-]").as_str(),
            "a|b",
            "(a|b)c",
            "(?:ab)+",
            "[0-9]{1,3}(\\.[0-9]{1,3}){3}",
            "[a-z]{8}[a-z0-9]*",
            "[a-z]{20}-[a-z0-9]",
            "([0-9]{1,3}\\.){3}[0-9]{1,3}",
            "[^@ ]+@[^@ ]+\\.[a-z]{2,}",
            "[A-Za-z0-9_]{8,64}",
            "[0-9]+(\\.[0-9]+)?",
            "[a-z]+(,[a-z]+)*",
            "\\{\\}\\(\\)\\[\\]\\^\\$\\.\\*\\+\\?\\|\\\\\\/",
            "a b#c-d&e/f",
            "[\\-\\]\\[\\^\\/.*+?]",
            "[à-ÿ]+",
            "😀{2}",
            "([A-Za-z0-9+\\/]{4})*",
            "a\\nb\\tc",
            "sk\\-[A-Za-z0-9]{20,}".replace("\\-", "-").as_str(),
            "(foo|foobar)baz",
        ] {
            assert_eq!(parse(text).map(|pattern| pattern.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn patterns_that_mean_different_things_are_refused_with_the_remedy() {
        for (text, remedy) in [
            ("^a", "whole value"),
            ("a$", "whole value"),
            ("a.b", "class"),
            ("\\d+", "[0-9]"),
            ("\\w+", "[A-Za-z0-9_]"),
            ("\\s", "[ ]"),
            ("\\D", "[^0-9]"),
            ("\\bx", "boundaries"),
            ("\\p{L}", "class"),
            ("\\u0041", "itself"),
            ("\\x41", "itself"),
            ("\\1", "group"),
            ("(?i)a", "[Aa]"),
            ("(?=a)b", "look"),
            ("(?!a)b", "look"),
            ("(?<=a)b", "look"),
            ("(?<n>a)", "without a name"),
            ("(?P<n>a)", "without a name"),
            ("a*?", "lazy"),
            ("a++", "possessive"),
            ("a{1}{2}", "quantifier"),
            ("*a", "nothing to repeat"),
            ("(|a)", "?"),
            ("a||b", "?"),
            ("()", "?"),
            ("a{,3}", "{0,3}"),
            ("a{2,1}", "2"),
            ("a{1001}", "1000"),
            ("a{b", "\\{"),
            ("a}", "\\}"),
            ("a]", "\\]"),
            ("(a", ")"),
            ("a)", "\\)"),
            ("[a", "]"),
            ("[]", "empty"),
            ("[^]", "empty"),
            ("[z-a]", "z-a"),
            ("[a-]", "\\-"),
            ("[-a]", "\\-"),
            ("[a&&b]", "&&"),
            ("[a--b]", "\\-"),
            ("[a~~b]", "~~"),
            ("[[a]b]", "\\["),
            ("[[:alpha:]]", "\\["),
            ("[\\d]", "0-9"),
            ("[a/b]", "\\/"),
            ("[a|b]", "\\|"),
            ("[a(b]", "\\("),
            ("[a^b]", "\\^"),
            ("\\<", "itself"),
            ("\\-", "itself"),
            ("a\\", "\\\\"),
            ("[a\\", "]"),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(remedy), "{text}: {refused}");
        }
    }

    #[test]
    fn patterns_that_could_be_matched_in_many_ways_are_refused() {
        for text in [
            "(a+)+", "(a*)*", "(a|a)*b", "(a?)*", "(a?b?)*", "a*a*b", "(a|aa)+", "([a-z]+)*x",
            "(a{0,30}){0,30}", "a?a?a?a?a?", "[a-z]+[a-z0-9]+", "[a-z]{20}[a-z0-9]*", "(a?|b?)c",
            "(a{1,9})+", "([a-z.]+\\.)+com", "(x+x+)+y", "((ab)*|c*)*",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[ab]{1000}".repeat(3)).is_err());
        assert!(parse(&"a".repeat(501)).is_err());
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_text_is_parsed_without_a_panic(
            text in "\\PC{0,40}|[ab|()*+?{}0-9,\\[\\]\\\\^$.-]{0,30}"
        ) {
            if let Ok(pattern) = parse(&text) {
                prop_assert!(regex::Regex::new(&pattern.whole()).is_ok());
            }
        }
    }
}
