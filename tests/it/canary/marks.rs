//! Secrets, and the encodings in which they could leak.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The texts to search for.
pub(crate) struct Marks(Vec<String>);

impl Marks {
    /// Creates the search for these secrets: plain, percent-encoded, as in a form, in JSON, HTML and
    /// debug output, in hexadecimal digits, and in base64 at any position of the encoded text.
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut forms: Vec<_> = secrets.flat_map(forms).collect();
        forms.sort();
        forms.dedup();
        Self(forms)
    }

    /// Returns the first secret in `text`, with its surroundings.
    pub(crate) fn found_in<'a>(&self, text: &'a str) -> Option<&'a str> {
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
    let json = serde_json::to_string(secret).unwrap();
    let inner = |quoted: &str| quoted[1..quoted.len() - 1].to_owned();
    let html = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")];
    let html = html.iter().fold(secret.to_owned(), |text, (sign, name)| text.replace(sign, name));
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    let mut forms = [encoded(secret), encoded(&percent), encoded(&json)].concat();
    forms.extend([secret.to_owned(), percent.to_lowercase(), percent, form]);
    forms.extend([hexadecimal.to_uppercase(), hexadecimal, html]);
    forms.extend([inner(&json), inner(&format!("{secret:?}")), ascii(&inner(&json))]);
    forms
}

/// Escapes what is not ASCII as JSON may.
fn ascii(json: &str) -> String {
    json.chars().fold(String::new(), |mut text, c| {
        if c.is_ascii() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(text, "\\u{unit:04x}").unwrap();
            }
        }
        text
    })
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
    let marks = Marks::new(["two \"lines\"\n<of é>"].into_iter());
    for text in [
        "{\"a\":\"two \\\"lines\\\"\\n<of é>\"}",
        "two \\\"lines\\\"\\n<of \\u00e9>",
        "two+%22lines%22%0A%3Cof+%C3%A9%3E",
        "two &quot;lines&quot;\n&lt;of é&gt;",
        "74776F20226C696E6573220A3C6F6620C3A93E",
        &STANDARD_NO_PAD.encode("{\"a\":\"two \\\"lines\\\"\\n<of é>\"}"),
    ] {
        assert!(marks.found_in(text).is_some(), "{text}");
    }
}
