//! Removes secrets and control characters from text of the platform, before operators read it.
//!
//! Such text may contain passwords from command lines, tokens in URLs, or escape sequences for a
//! terminal. Known secrets are masked wherever they occur, and so is everything that looks like a
//! credential. When in doubt, text is masked.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};

use super::visible::is_visible;

/// The replacement of a secret.
const MASK: &str = "***";
/// The length in bytes from which a value is masked: to mask every occurrence of a shorter one
/// would make the text unreadable.
const SHORTEST_SECRET: usize = 4;
/// The characters that are percent-encoded in an address.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The number of bytes at the end of a text that are read.
const LONGEST_INPUT: usize = 256 * 1024;

/// The patterns of credentials, each with its replacement.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        // Headers: the rest of the line.
        (
            r"(?i)\b((?:proxy-)?authorization|x-[a-z-]*(?:auth|key|token)|(?:set-)?cookie)\b(['\x22]?\s*[:=]\s*)[^\r\n]+",
            "${1}${2}***",
        ),
        (r"(?i)\b(bearer|basic|digest|negotiate)\s+[A-Za-z0-9+/=._~-]{6,}", "${1} ***"),
        // User and password in an address, and its query and fragment.
        (r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\x22@]+@", "${1}***@"),
        (r"([A-Za-z][A-Za-z0-9+.-]*://[^\s'\x22?#]+)[?#][^\s'\x22]+", "${1}?***"),
        // Options of commands, and text that `echo` or `printf` pipes into them.
        (
            r"(?i)(\s(?:-p|--password|--token|--secret)(?:\s+|=))('[^']*'|\x22[^\x22]*\x22|\S+)",
            "${1}***",
        ),
        (r"(?i)\b(echo|printf)\s[^|\r\n]*\|", "${1} *** |"),
        // Named values, as in JSON, in environments and in prose.
        (
            r"(?i)([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature|identitytoken)[a-z0-9_.-]*['\x22]?\s*[:=]\s*)('[^'\r\n]*'|\x22(?:[^\x22\\\r\n]|\\.)*\x22|[^\s,;&}'\x22]+)",
            "${1}***",
        ),
        (r"(?i)(\x22auth\x22\s*:\s*)\x22[^\x22]*\x22", "${1}\"***\""),
        // Tokens by their shape.
        (r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}", MASK),
        (
            r"\b(?:gh[opusr]_|github_pat_|glpat-|dckr_(?:pat|oat)_|asd_|xox[abprs]-|sk-|npm_|hf_|AKIA|ASIA|AIza)[A-Za-z0-9_-]{8,}",
            MASK,
        ),
        (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", MASK),
    ];
    patterns.into_iter().filter_map(|(text, with)| Some((Regex::new(text).ok()?, with))).collect()
});

/// Long runs of letters and digits, which [`looks_like_key`] tells from names and digests.
static RUNS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:sha(?:256|512):)?[A-Za-z0-9+/_=-]{20,}").ok());

/// The known secrets, in all forms in which they may occur in a text.
pub(crate) struct Secrets(Vec<String>);

/// Returns whether `secret` is too short to be masked. An empty one needs no masking, so it is not.
pub(crate) fn is_too_short(secret: &SecretString) -> bool {
    (1..SHORTEST_SECRET).contains(&secret.expose_secret().trim().len())
}

impl Secrets {
    /// Collects all forms of `secrets`. Each line of a secret is a secret of its own as well.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets {
            // The text loses its invisible characters before it is masked, so the secret has to
            // lose them as well.
            let visible = visible(secret.expose_secret());
            let whole = [secret.expose_secret(), visible.as_str()].into_iter();
            let parts = whole.chain(visible.lines()).map(str::trim);
            forms.extend(parts.filter(|part| part.len() >= SHORTEST_SECRET).flat_map(forms_of));
        }
        // The longest come first: to mask a part of a secret would leave the rest readable.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(forms)
    }

    /// Returns the last lines of `text`, at most `lines` lines and `bytes` bytes, with every secret
    /// masked, and without blank lines and invisible characters.
    pub(crate) fn masked_end(&self, text: &str, lines: usize, bytes: usize) -> String {
        let visible = visible(end_of(text, LONGEST_INPUT));
        let masked = self.mask(&visible);
        let kept: Vec<_> = masked.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = kept.get(kept.len().saturating_sub(lines)..).unwrap_or_default();
        end_of(&last.join("\n"), bytes).to_owned()
    }

    /// Masks every secret in `text`.
    fn mask(&self, text: &str) -> String {
        let mut masked = Cow::Borrowed(text);
        for secret in &self.0 {
            if masked.contains(secret.as_str()) {
                masked = Cow::Owned(masked.replace(secret.as_str(), MASK));
            }
        }
        for (pattern, with) in PATTERNS.iter() {
            if let Cow::Owned(changed) = pattern.replace_all(&masked, *with) {
                masked = Cow::Owned(changed);
            }
        }
        let Some(runs) = RUNS.as_ref() else { return masked.into_owned() };
        let mask_keys = |found: &regex::Captures<'_>| {
            let run = found.get(0).map_or("", |run| run.as_str());
            String::from(if looks_like_key(run) { MASK } else { run })
        };
        runs.replace_all(&masked, mask_keys).into_owned()
    }
}

/// Returns the forms of a secret: as it is, percent-encoded, in JSON, in hexadecimal and in base64.
pub(super) fn forms_of(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, RESERVED).to_string();
    let json = serde_json::to_string(secret).unwrap_or_default();
    let mut forms = vec![
        secret.to_owned(),
        percent.to_lowercase(),
        percent,
        json.trim_matches('"').to_owned(),
        base16ct::lower::encode_string(secret.as_bytes()),
    ];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        forms.push(engine.encode(secret));
    }
    forms
}

/// Returns whether a run of letters and digits is probably a key rather than a name or a digest. A
/// key mixes upper case, lower case and digits, or is hexadecimal without the prefix of a digest.
fn looks_like_key(run: &str) -> bool {
    if run.starts_with("sha256:") || run.starts_with("sha512:") {
        return false;
    }
    let has = |is: fn(&u8) -> bool| run.bytes().any(|byte| is(&byte));
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let is_hex = run.len() >= 32 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex || (has(u8::is_ascii_digit) && is_mixed && run.len() >= 20)
}

/// Returns the end of a text, at most `bytes` bytes. It begins with a line if possible, otherwise
/// with a word: the rest of a secret that was cut in two would not be recognised.
fn end_of(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = text.get(text.ceil_char_boundary(text.len() - bytes)..).unwrap_or_default();
    match end.split_once('\n').or_else(|| end.split_once(char::is_whitespace)) {
        Some((_, rest)) => rest,
        None => "",
    }
}

/// Removes escape sequences, control characters and invisible characters.
pub(super) fn visible(text: &str) -> String {
    static ESCAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let (csi, osc) = (r"[\[\u{9b}][0-?]*[ -/]*[@-~]", r"[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?");
        Regex::new(&format!(r"\x1b(?:{csi}|{osc}|[ -/]*[0-~])|\u{{9b}}[0-?]*[ -/]*[@-~]")).ok()
    });
    let plain = match ESCAPES.as_ref() {
        Some(escapes) => escapes.replace_all(text, ""),
        None => Cow::Borrowed(text),
    };
    let ends_line =
        |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    plain
        .chars()
        .filter_map(|c| match c {
            c if ends_line(c) => Some('\n'),
            '\t' => Some(' '),
            c => is_visible(c).then_some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests;
