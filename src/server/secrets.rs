//! Secrets at rest: each is encrypted under a key of its own, and that key under the portal's key.
//!
//! Revision and name are authenticated with a secret, so a row that was copied over another one
//! does not open. The cipher is XChaCha20-Poly1305, whose nonces are long enough to be random; each
//! ciphertext begins with its nonce. It must not know where sealed secrets are stored, or what they
//! are for.

mod handed_out;
pub mod key_file;
mod keyring;
pub mod rotation;
pub mod sealed;

use std::{fmt, iter};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hmac::{Hmac, Mac as _};
use rand::RngExt as _;
use rand::distr::Alphanumeric;
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice, SecretString};
use sha2::Sha256;

use self::keyring::Key;
pub use self::keyring::{Keyring, KeyringError};
use domain::stack_id::RevisionId;

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// The identity of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretId<'a> {
    /// The revision that it belongs to.
    pub revision: RevisionId,
    /// The name among the secrets of the revision.
    pub name: &'a str,
}

impl SecretId<'_> {
    /// Returns the owners that a secret may be bound to, the one of new secrets first. Versions that
    /// had no stacks, and of each only one revision, used the deployment that makes the stack.
    fn owners(self) -> impl Iterator<Item = String> {
        let RevisionId { stack, number } = self.revision;
        let older = (number == RevisionId::FIRST).then(|| stack.deployment().to_string());
        iter::once(self.revision.to_string()).chain(older)
    }
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// The id of the portal's key that encrypts the key of its own.
    pub key_id: String,
    /// The key of its own, encrypted under the portal's key.
    pub wrapped_key: Vec<u8>,
    /// The secret, encrypted under the key of its own.
    pub ciphertext: Vec<u8>,
    /// Eight hexadecimal digits that distinguish the values of one secret. Without the portal's key
    /// they reveal nothing, and equal values of different names or stacks have different
    /// fingerprints.
    pub fingerprint: String,
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret({})", self.fingerprint)
    }
}

/// A sealed secret does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenSecretError {
    /// The secret is not stored.
    #[error("it is not stored")]
    Missing,
    /// It is sealed under a key that the portal does not have.
    #[error("it is sealed under the key {key_id}, which the portal does not have")]
    UnknownKey {
        /// The key's id.
        key_id: String,
    },
    /// The stored data does not authenticate as this secret under that key.
    #[error(
        "it was changed, or was sealed as another secret or under another key than the one that \
         has the id {key_id} now"
    )]
    Damaged {
        /// The key's id.
        key_id: String,
    },
}

impl Keyring {
    /// Encrypts a secret under the first key.
    pub fn seal(&self, id: SecretId<'_>, secret: &SecretString) -> SealedSecret {
        let own: SecretBox<[u8; KEY_LENGTH]> = SecretBox::new(Box::new(rand::random()));
        let (key, owner) = (self.sealing(), id.revision.to_string());
        let as_key = as_key_of(&owner, id.name, &key.id);
        SealedSecret {
            key_id: key.id.clone(),
            wrapped_key: encrypt(key.bytes(), &as_key, own.expose_secret()),
            ciphertext: encrypt(
                own.expose_secret(),
                &as_secret(&owner, id.name),
                secret.expose_secret().as_bytes(),
            ),
            fingerprint: self.fingerprint(id, secret),
        }
    }

    /// Decrypts the secret `id`.
    ///
    /// # Errors
    ///
    /// Returns why it does not open. The error contains nothing of the secret.
    pub fn open(
        &self,
        id: SecretId<'_>,
        sealed: &SealedSecret,
    ) -> Result<SecretString, OpenSecretError> {
        let key_id = &sealed.key_id;
        let unknown = || OpenSecretError::UnknownKey { key_id: key_id.clone() };
        let key = self.find(key_id).ok_or_else(unknown)?;
        let opened = id.owners().find_map(|owner| {
            let as_key = as_key_of(&owner, id.name, key_id);
            let own = SecretSlice::from(decrypt(key.bytes(), &as_key, &sealed.wrapped_key)?);
            decrypt(own.expose_secret(), &as_secret(&owner, id.name), &sealed.ciphertext)
        });
        let text = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(SecretString::from).ok_or_else(|| damaged(sealed))
    }

    /// Encrypts the secret anew under the portal's first key and a new key of its own, so that an
    /// old key does not decrypt it. Its fingerprint does not change.
    ///
    /// # Errors
    ///
    /// Returns why it does not open.
    pub fn reseal(
        &self,
        id: SecretId<'_>,
        sealed: &SealedSecret,
    ) -> Result<SealedSecret, OpenSecretError> {
        let new = self.seal(id, &self.open(id, sealed)?);
        Ok(SealedSecret { fingerprint: sealed.fingerprint.clone(), ..new })
    }

    /// Returns the fingerprint that the secret has under the first key.
    pub fn fingerprint(&self, id: SecretId<'_>, secret: &SecretString) -> String {
        // Of a stack, not of a revision: equal values look equal in all its revisions.
        let owner = id.revision.stack.deployment();
        let key = mac(self.sealing().bytes(), &joined(&["fingerprint", owner.as_str(), id.name]));
        short_hex(&mac(&key, secret.expose_secret().as_bytes()))
    }
}

impl Keyring {
    /// Returns digests of bytes that may contain secrets, one for each key, that of new ones first.
    /// Without the key, nobody can try which bytes have a digest.
    pub fn digests(&self, bytes: &[u8]) -> impl Iterator<Item = String> {
        let digest = |key: &Key| {
            let own = mac(key.bytes(), &joined(&["digest", &key.id]));
            base16ct::lower::encode_string(&mac(&own, bytes))
        };
        self.keys().map(digest)
    }
}

/// Returns a new secret of `length` letters and digits, each equally likely.
pub fn generate(length: u32) -> SecretString {
    let text: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(usize::try_from(length).unwrap_or(usize::MAX))
        .map(char::from)
        .collect();
    SecretString::from(text)
}

fn damaged(sealed: &SealedSecret) -> OpenSecretError {
    OpenSecretError::Damaged { key_id: sealed.key_id.clone() }
}

/// Returns the associated data of a secret's ciphertext.
fn as_secret(owner: &str, name: &str) -> Vec<u8> {
    joined(&["secret", owner, name])
}

/// Returns the associated data of the encrypted key of a secret.
fn as_key_of(owner: &str, name: &str, key_id: &str) -> Vec<u8> {
    joined(&["key", owner, name, key_id])
}

/// Joins texts unambiguously: each is preceded by its length.
fn joined(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| [&text.len().to_be_bytes(), text.as_bytes()].concat()).collect()
}

#[expect(clippy::expect_used, reason = "only what is longer than 256 GiB cannot be encrypted")]
fn encrypt(key: &[u8; KEY_LENGTH], bound_to: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LENGTH] = rand::random();
    let payload = Payload { msg: plain, aad: bound_to };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt((&nonce).into(), payload);
    [nonce.as_slice(), &sealed.expect("it is shorter than 256 GiB")].concat()
}

/// Decrypts a result of [`encrypt`]; `None` if it, or the associated data, was changed.
fn decrypt(key: &[u8], bound_to: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let payload = Payload { msg: rest, aad: bound_to };
    XChaCha20Poly1305::new_from_slice(key).ok()?.decrypt(nonce.into(), payload).ok()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.chain_update(text).finalize().into_bytes().into()
}

/// Writes the first four bytes as eight hexadecimal digits.
fn short_hex(bytes: &[u8; 32]) -> String {
    let [first, second, third, fourth, ..] = *bytes;
    base16ct::lower::encode_string(&[first, second, third, fourth])
}

#[cfg(test)]
mod tests;
