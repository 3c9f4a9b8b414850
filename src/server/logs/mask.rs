//! Masks the known secrets of a stack in a line of its log.
//!
//! Only what is known is masked: other text of a log belongs to the person who reads it.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::{Regex, RegexBuilder};
use secrecy::{ExposeSecret as _, SecretString};

use crate::server::masking::{forms_of, visible};

/// The replacement of a secret.
const MASK: &str = "***";
/// The number of characters from which a value is masked. To mask each occurrence of a shorter one
/// would make a log unreadable.
const SHORTEST: usize = 6;
/// The largest size of the automaton that finds a line with a secret, in bytes.
const LARGEST: usize = 16 << 20;

/// The known secrets, in all forms in which they may occur in a line.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    /// Finds out quickly whether a line has any of them; `None` if that cannot be built.
    any: Option<Regex>,
    forms: Vec<String>,
}

impl Masks {
    /// Collects all forms of `secrets`. Each line of a secret is a secret of its own as well.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets {
            // A line loses its invisible characters before it is masked, so the secret loses them
            // as well.
            let visible = visible(secret.expose_secret());
            let on_one_line = visible.replace('\n', " ");
            let whole = [secret.expose_secret(), visible.as_str(), on_one_line.as_str()];
            let parts = whole.into_iter().chain(visible.lines()).flat_map(|it| [it, it.trim()]);
            for part in parts.filter(|part| part.chars().count() >= SHORTEST) {
                forms.extend(forms_of(part));
                forms.push(base16ct::upper::encode_string(part.as_bytes()));
                forms.extend(within_base64(part));
            }
        }
        forms.retain(|form| form.chars().count() >= SHORTEST);
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let pattern = forms.iter().map(|form| regex::escape(form)).collect::<Vec<_>>().join("|");
        let any = (!forms.is_empty())
            .then(|| RegexBuilder::new(&pattern).size_limit(LARGEST).build().ok())
            .flatten();
        Self { any, forms }
    }

    /// Returns the length of the longest form, in bytes.
    pub fn longest(&self) -> usize {
        self.forms.first().map_or(0, String::len)
    }

    /// Masks every secret in `text`, also those that overlap.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask_until(text, text.len())
    }

    /// Does the same, and leaves out what is after `end`. A secret that goes beyond it is masked.
    pub(super) fn mask_until<'a>(&self, text: &'a str, end: usize) -> Cow<'a, str> {
        let kept = text.get(..text.floor_char_boundary(end)).unwrap_or_default();
        let is_found = self.any.as_ref().map_or(!self.forms.is_empty(), |any| any.is_match(text));
        if !is_found {
            return Cow::Borrowed(kept);
        }
        let (mut masked, mut at) = (String::with_capacity(kept.len()), 0);
        for place in united(self.places(text)) {
            if place.start >= kept.len() {
                break;
            }
            masked.push_str(text.get(at..place.start).unwrap_or_default());
            masked.push_str(MASK);
            at = place.end;
        }
        masked.push_str(kept.get(at..).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// Finds all places of secrets, in any order.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        for form in &self.forms {
            let mut from = 0;
            while let Some(found) = text.get(from..).and_then(|rest| rest.find(form.as_str())) {
                let start = from + found;
                places.push(start..start + form.len());
                // The next occurrence may overlap with this one.
                from = text.ceil_char_boundary(start + 1);
            }
        }
        places
    }
}

/// Unites the places that overlap or touch, and puts them in order.
fn united(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| place.start);
    let mut united: Vec<Range<usize>> = Vec::new();
    for place in places {
        match united.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            Some(_) | None => united.push(place),
        }
    }
    united
}

/// Returns what a secret is in the base64 of a longer text, such as `name:secret`: the characters
/// that depend on nothing else, for each of the three places where it can begin.
fn within_base64(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3_usize {
        let text = [vec![0; before], secret.as_bytes().to_vec()].concat();
        // Characters of six bits: those of the bytes before it, and the last if it is not whole.
        let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for engine in [&STANDARD, &URL_SAFE] {
            forms.extend(engine.encode(&text).get(first..end).map(str::to_owned));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(secrets: &[&str]) -> Masks {
        let secrets: Vec<_> = secrets.iter().map(|text| SecretString::from(*text)).collect();
        Masks::new(&secrets)
    }

    #[test]
    fn a_secret_is_masked_in_each_form_and_nothing_else_is() {
        let masks = masks(&["s3cr+t/pass word", "short", "first line\nsecond line\nno", "éèàçüö"]);
        for (text, expected) in [
            ("key=s3cr+t/pass word!", "key=***!"),
            ("key=s3cr%2Bt%2Fpass%20word", "key=***"),
            ("key=s3cr%2bt%2fpass%20word", "key=***"),
            ("czNjcit0L3Bhc3Mgd29yZA==", "***"),
            ("733363722b742f7061737320776f7264", "***"),
            ("733363722B742F7061737320776F7264", "***"),
            ("a short word", "a short word"),
            ("the first line and the second line, no", "the *** and the ***, no"),
            ("first line second line no", "***"),
            ("éèàçüö", "***"),
            ("password: hunter2 token=abcdefgh", "password: hunter2 token=abcdefgh"),
            ("s3cr+t/pass words3cr+t/pass word", "***"),
        ] {
            assert_eq!(masks.mask(text), expected, "{text}");
        }
    }

    #[test]
    fn a_secret_that_overlaps_with_another_leaves_nothing() {
        let masks = masks(&["xabcde", "abcdefghijkl"]);
        assert_eq!(masks.mask("<xabcdefghijkl>"), "<***>");
        assert_eq!(Masks::default().mask("xabcde"), "xabcde");
    }

    #[test]
    fn a_secret_within_the_base64_of_more_is_masked() {
        let masks = masks(&["correct-horse"]);
        for before in ["", "u:", "me:", "user:"] {
            let encoded = STANDARD.encode(format!("{before}correct-horse and more"));
            let masked = masks.mask(&encoded);
            assert!(masked.contains(MASK) && masked.len() < encoded.len() - 10, "{masked}");
        }
    }
}
