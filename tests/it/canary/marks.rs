//! Secrets, and the encodings in which they could leak.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The texts to search for.
pub(super) struct Marks(Vec<String>);

impl Marks {
    /// Creates the search for these secrets: plain, percent-encoded, in hexadecimal digits, and in
    /// base64 at any position of the encoded text.
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut forms: Vec<_> = secrets.flat_map(forms).collect();
        forms.sort();
        forms.dedup();
        Self(forms)
    }

    /// Returns the first secret in `text`, with its surroundings.
    pub(super) fn found_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.0.iter().find_map(|form| {
            let at = text.find(form.as_str())?;
            let (from, to) = (at.saturating_sub(200), at + form.len() + 100);
            Some(text.get(from..to.min(text.len())).unwrap_or(&text[at..]))
        })
    }
}

fn forms(secret: &str) -> Vec<String> {
    assert!(secret.len() >= 12, "{secret} could stand somewhere by chance");
    let percent = percent_encoded(secret);
    let hexadecimal = secret.bytes().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    });
    let mut forms = [encoded(secret), encoded(&percent)].concat();
    forms.extend([secret.to_owned(), percent.to_lowercase(), percent, hexadecimal]);
    forms
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}

/// Encodes `text` after zero, one and two other bytes, and keeps only the digits that do not depend
/// on these.
fn encoded(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let bytes = [&[0; 3][..before], text.as_bytes()].concat();
        let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&bytes)[own.clone()].to_owned());
        }
    }
    forms
}

#[test]
fn a_secret_is_found_in_every_encoding() {
    let secret = "canary/key+one";
    let marks = Marks::new([secret].into_iter());
    let basic = |text: &str| format!("Basic {}", STANDARD_NO_PAD.encode(text));
    for text in [
        "a canary/key+one b",
        "a canary%2Fkey%2Bone b",
        "a canary%2fkey%2bone b",
        &basic("portal:canary/key+one:"),
        &basic("portal1:canary/key+one"),
        &basic("portal12:canary%2Fkey%2Bone."),
        "63616e6172792f6b65792b6f6e65",
    ] {
        assert!(marks.found_in(text).is_some(), "{text}");
    }
    assert_eq!(marks.found_in("a canary/key-one b"), None);
}
