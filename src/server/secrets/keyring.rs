//! The portal's keys: the first encrypts, and all of them decrypt.

use std::sync::Arc;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice, SecretString};

use super::{KEY_LENGTH, mac, short_hex};

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const LONGEST_ID: usize = 16;

/// The portal's keys: one or more, each with a unique id.
#[derive(Clone, Debug)]
pub struct Keyring {
    sealing: Arc<Key>,
    older: Vec<Arc<Key>>,
}

/// One of the portal's keys.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: String,
    bytes: SecretBox<[u8; KEY_LENGTH]>,
}

impl Key {
    pub(super) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        self.bytes.expose_secret()
    }

    /// Parses the key with this `number`, which is `ID:BASE64` or `BASE64`. Without an id, the id
    /// is derived from the key.
    fn parse(text: &str, number: usize) -> Result<Self, KeyringError> {
        let (id, key) = match text.split_once(':') {
            Some((id, key)) => (Some(id.trim()), key.trim()),
            None => (None, text.trim()),
        };
        let decoded = BASE64.decode(key).map_err(|_| KeyringError::NotBase64(number))?;
        let decoded = SecretSlice::from(decoded);
        let length = decoded.expose_secret().len();
        let bytes: [u8; KEY_LENGTH] = (decoded.expose_secret().try_into())
            .map_err(|_| KeyringError::Length { number, length })?;
        let id = match id {
            None => short_hex(&mac(&bytes, b"id")),
            Some(id) if is_id(id) => id.to_owned(),
            Some(_) => return Err(KeyringError::Id(number)),
        };
        Ok(Self { id, bytes: SecretBox::new(Box::new(bytes)) })
    }
}

fn is_id(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_allowed)
}

/// A text does not contain valid keys. No message repeats anything that could be part of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A key is not base64.
    #[error(
        "is not base64 in its key number {0}: set 32 random bytes, as `openssl rand -base64 32` \
         prints them"
    )]
    NotBase64(usize),
    /// A key has another length.
    #[error(
        "has {length} bytes in its key number {number}, and a key has 32: set 32 random bytes, as \
         `openssl rand -base64 32` prints them"
    )]
    Length {
        /// The key, counted from 1.
        number: usize,
        /// The number of its bytes.
        length: usize,
    },
    /// An id contains other characters, or is too long.
    #[error(
        "has an unusable id before its key number {0}: use 1 to 16 letters, digits, hyphens and \
         underscores before the colon, or leave out id and colon"
    )]
    Id(usize),
    /// Two keys have the same id.
    #[error("has two keys with the id {0}: give each key an id of its own")]
    SameId(String),
}

impl Keyring {
    /// Parses keys that are separated by commas, each `ID:BASE64` or `BASE64`.
    ///
    /// # Errors
    ///
    /// Returns the problem and the remedy, as the rest of a sentence that begins with the source of
    /// the text.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let (first, others) = match text.split_once(',') {
            Some((first, others)) => (first, Some(others)),
            None => (text, None),
        };
        let mut ring = Self { sealing: Arc::new(Key::parse(first, 1)?), older: Vec::new() };
        for (text, number) in others.into_iter().flat_map(|others| others.split(',')).zip(2..) {
            let key = Key::parse(text, number)?;
            if ring.find(&key.id).is_some() {
                return Err(KeyringError::SameId(key.id));
            }
            ring.older.push(Arc::new(key));
        }
        Ok(ring)
    }

    /// Returns the text of a new random key.
    pub(super) fn random_text() -> SecretString {
        let bytes: [u8; KEY_LENGTH] = rand::random();
        SecretString::from(BASE64.encode(bytes))
    }

    /// Adds the keys of `older`, which are used for decryption only.
    ///
    /// # Errors
    ///
    /// Returns [`KeyringError::SameId`] if two different keys have the same id.
    pub fn with_older(mut self, older: &Self) -> Result<Self, KeyringError> {
        for key in std::iter::once(&older.sealing).chain(&older.older) {
            match self.find(&key.id) {
                Some(known) if known.bytes() == key.bytes() => {}
                Some(_) => return Err(KeyringError::SameId(key.id.clone())),
                None => self.older.push(Arc::clone(key)),
            }
        }
        Ok(self)
    }

    /// Returns the id of the key that encrypts.
    pub fn sealing_id(&self) -> &str {
        &self.sealing.id
    }

    /// Returns whether there is a key with this id.
    pub fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// Returns all keys, the one that seals first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.sealing).chain(&self.older).map(|key| &**key)
    }

    pub(super) fn sealing(&self) -> &Key {
        &self.sealing
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.keys().find(|key| key.id == id)
    }
}
