//! Secrets that are given to somebody who sends them back, and who cannot read or change them.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Keyring, decrypt, encrypt, joined, mac};

/// The purpose of the keys that encrypt them.
const PURPOSE: &str = "handed out";
/// Stands between the parts of a text that was handed out, and between the parts of its content.
const BETWEEN: char = '.';

impl Keyring {
    /// Encrypts a secret that counts until `until`, for whoever sends it back with the same
    /// `context`. The result consists of letters, digits, `-`, `_` and `.`.
    pub fn hand_out(&self, context: &[&str], secret: &SecretString, until: Timestamp) -> String {
        let key = self.sealing();
        let plain = format!("{}{BETWEEN}{}", until.as_second(), secret.expose_secret());
        let own = mac(key.bytes(), &joined(&[PURPOSE, &key.id]));
        let sealed = encrypt(&own, &joined(context), plain.as_bytes());
        let (id, sealed) =
            (BASE64_URL_SAFE_NO_PAD.encode(&key.id), BASE64_URL_SAFE_NO_PAD.encode(sealed));
        format!("{id}{BETWEEN}{sealed}")
    }

    /// Decrypts a secret that was handed out with this `context`; `None` if it counts no longer, or
    /// is something else.
    pub fn take_back(&self, context: &[&str], text: &str, now: Timestamp) -> Option<SecretString> {
        let (id, sealed) = text.split_once(BETWEEN)?;
        let id = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let key = self.find(&id)?;
        let own = mac(key.bytes(), &joined(&[PURPOSE, &key.id]));
        let plain = decrypt(&own, &joined(context), &BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?)?;
        let plain = SecretString::from(String::from_utf8(plain).ok()?);
        let (until, secret) = plain.expose_secret().split_once(BETWEEN)?;
        (now.as_second() <= until.parse().ok()?).then(|| SecretString::from(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_handed_out_comes_back_to_the_same_place_and_in_time() {
        let keyring = Keyring::parse("test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let until = Timestamp::from_second(1_000).unwrap();
        let secret = SecretString::from("a.b\nö");
        let text = keyring.hand_out(&["alice", "key"], &secret, until);
        let open = |context: &[&str], text: &str, second: i64| {
            let now = Timestamp::from_second(second).unwrap();
            keyring.take_back(context, text, now).map(|it| it.expose_secret().to_owned())
        };
        assert_eq!(open(&["alice", "key"], &text, 1_000).as_deref(), Some("a.b\nö"));
        assert_eq!(open(&["alice", "key"], &text, 1_001), None);
        assert_eq!(open(&["bob", "key"], &text, 1_000), None);
        assert_eq!(open(&["alicek", "ey"], &text, 1_000), None);
        for other in ["", ".", "x", "x.y", &text[1..], &text[..text.len() - 2]] {
            assert_eq!(open(&["alice", "key"], other, 1_000), None, "{other}");
        }
        assert!(!text.contains("a.b"));
    }
}
