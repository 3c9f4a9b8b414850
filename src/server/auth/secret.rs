//! Secrets that the portal issues: 256 random bits. Only their digest is stored.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use super::accounts::Digest;

/// The prefix of an API token, by which people and secret scanners recognise it.
pub const TOKEN_PREFIX: &str = "asd_";

/// The number of characters of a secret.
pub const LENGTH: usize = 43;

/// 256 random bits.
pub type RandomBits = [u8; 32];

/// A secret that is about to be handed out. Its `Debug` output does not contain it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Encodes random bits as 43 characters that need no escaping in a URL, a header or a cookie.
    pub fn from_random(bits: RandomBits) -> Self {
        Self(SecretString::from(URL_SAFE_NO_PAD.encode(bits)))
    }

    /// Returns the secret that a browser sent, if it can be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_secret = text.len() == LENGTH && text.bytes().all(is_plain);
        is_secret.then(|| Self(SecretString::from(text)))
    }

    /// Encodes random bits as an API token.
    pub fn token(bits: RandomBits) -> Self {
        Self(SecretString::from(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bits))))
    }

    /// Returns the secret itself, to be handed out.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the digest to store.
    pub fn digest(&self) -> Digest {
        Digest::of(self.expose())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Returns an id of 128 random bits in hexadecimal digits.
pub fn id(bits: RandomBits) -> String {
    let half = bits.iter().take(16).fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
    format!("{half:032x}")
}

#[cfg(test)]
mod tests {
    use crate::server::auth::secret::*;

    #[test]
    fn a_secret_is_43_characters_of_any_header_and_a_token_says_what_it_is() {
        let secret = Secret::from_random([0xff; 32]);
        assert_eq!(secret.expose(), "_".repeat(42) + "8");
        let token = Secret::token([0; 32]);
        assert_eq!(token.expose(), format!("asd_{}", "A".repeat(43)));
        assert_eq!(id([0xa0; 32]), "a0".repeat(16));
    }

    #[test]
    fn only_its_digest_leaves_a_secret_by_itself() {
        let secret = Secret::from_random([7; 32]);
        assert_eq!(format!("{secret:?}"), "Secret");
        // The example of FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc"), Digest(abc.to_owned()));
    }
}
