//! Words stand only among the words: in the domain and on the pages.

use syn::buffer::{Cursor, TokenBuffer};
use syn::{LitStr, parse_str};

use super::{Source, sources};

/// The attributes of elements and components whose values nobody reads, besides `data-…`.
const WORDLESS: &str = "action aria-describedby aria-hidden aria-labelledby aria-live autocapitalize \
    autocomplete charset class content d for href http-equiv http_equiv id inputmode labelled_by max maxlength \
    method name opacity rel role scope spellcheck tabindex translate type value viewBox";

/// What only developers and operators read.
const SKIPPED: [&str; 4] = ["#", "#!", "expect", "custom"];

/// Returns whether `text` begins like a sentence or a label.
fn begins(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_some_and(char::is_lowercase)
}

/// Returns whether `text` has a word beside another one or beside a value, or joins other words.
fn is_phrase(text: &str) -> bool {
    let kind = |token: &str| {
        let token = token.trim_matches(|c: char| ".,:;!?…·()\"".contains(c));
        let is_word = token.starts_with(char::is_alphabetic)
            && token.chars().all(|c| c.is_alphabetic() || c == '\'');
        let is_value = token.starts_with('{') && token.ends_with('}');
        (is_word || is_value).then_some(is_word)
    };
    let kinds: Vec<_> = text.split_whitespace().map(kind).collect();
    let together = |pair: &[Option<bool>]| pair.contains(&Some(true)) && !pair.contains(&None);
    text.trim() != text && kinds.contains(&Some(true)) || kinds.windows(2).any(together)
}

/// Returns whether the tokens `before` end with an attribute that holds no words. Its value may have
/// begun with other tokens.
fn is_in_wordless(before: &str) -> bool {
    let Some((tokens, value)) = before.rsplit_once('=') else { return false };
    let name = tokens.rsplit(' ').next().unwrap_or_default();
    let is_wordless = name.starts_with("data-") || WORDLESS.split(' ').any(|one| one == name);
    is_wordless && !value.contains(['>', '"', '|'])
}

/// Adds the words among the tokens `at`, which may be those of a `view!`: there, a literal is a text
/// or the value of an attribute.
fn search(mut at: Cursor<'_>, is_view: bool, found: &mut Vec<String>) {
    let mut before = String::new();
    while let Some((token, rest)) = at.token_tree() {
        let (is_wordless, last) = (is_view && is_in_wordless(&before), before.rsplit(' ').next());
        let last = last.unwrap_or_default();
        if let Some((inside, ..)) = at.any_group() {
            let is_log = last.starts_with("tracing::");
            if !is_wordless && !is_log && !SKIPPED.iter().any(|one| last.ends_with(one)) {
                search(inside, last == "view!", found);
            }
            before.push_str("()");
        } else if at.literal().is_some() {
            let text = parse_str::<LitStr>(&token.to_string()).map(|text| text.value());
            let is_read = |text: &String| match (is_wordless, is_view) {
                _ if begins(text) => true,
                (true, _) => false,
                (false, true) => text.contains(char::is_alphabetic),
                (false, false) => is_phrase(text),
            };
            found.extend(text.into_iter().filter(is_read));
            before.push('"');
        } else {
            // Parts of a name have no space between them, as in `aria-label` and `tracing::info`.
            if at.ident().is_some() && !before.ends_with(['-', ':']) {
                before.push(' ');
            }
            before.push_str(&token.to_string());
        }
        at = rest;
    }
}

/// Returns the words in `code`.
fn words(code: &str) -> Vec<String> {
    let tokens = TokenBuffer::new2(code.parse().unwrap());
    let mut found = Vec::new();
    search(tokens.begin(), false, &mut found);
    found
}

#[test]
fn the_search_finds_texts_attributes_and_phrases() {
    let code = r#"
        #[expect(dead_code, reason = "not read")]
        fn page() -> impl IntoView {
            tracing::info!("only in a log");
            let (state, label) = ("good", "Label");
            let hint = format!("{count} days");
            view! {
                <p class="a b" class=format!("button {state}") data-state="under way" title="single">
                    "text" {label} <Field label=words::NAME example="an example" />
                    <b aria-label="Log" on:click=move |_| go_to("/path")>{view! { ": " "inner" }}</b>
                </p>
            }
        }"#;
    let expected = ["Label", "{count} days", "single", "text", "an example", "Log", "inner"];
    assert_eq!(words(code), expected);
}

#[test]
fn sentences_are_only_among_the_words() {
    for part in ["crates/domain/src", "src/app"] {
        let folder = format!("{part}/words");
        let is_test = |source: &Source| source.path.ends_with("/tests.rs");
        let (of_words, others): (Vec<_>, Vec<_>) =
            sources(part).into_iter().partition(|source| source.is_in(&folder));
        assert!(of_words.iter().any(|source| words(&source.code).len() > 10), "{folder}");
        for source in others.iter().filter(|source| !is_test(source)) {
            let mut said = words(&source.code);
            // The domain also reads words: those that older versions have written.
            said.retain(|text| part == "src/app" || is_phrase(text));
            assert_eq!(said, [""; 0], "{} says it itself", source.path);
        }
    }
}
