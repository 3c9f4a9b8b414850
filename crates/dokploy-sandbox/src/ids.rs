//! Ids and random names in the platform's formats.

use rand::RngExt;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};

const NANOID: &[u8] = b"useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict";
const SUFFIX: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const VERBS: [&str; 6] = ["transmit", "synthesize", "navigate", "compress", "index", "reboot"];
const ADJECTIVES: [&str; 6] = ["bluetooth", "haptic", "optical", "neural", "virtual", "primary"];
const NOUNS: [&str; 6] = ["feed", "card", "matrix", "sensor", "array", "driver"];

/// Makes the id of a row: 21 characters.
pub(crate) fn row_id(rng: &mut StdRng) -> String {
    text(rng, NANOID, 21)
}

/// Makes the id of a service in the swarm: 12 characters.
pub(crate) fn service_id(rng: &mut StdRng) -> String {
    text(rng, SUFFIX, 12)
}

/// Makes the full name of an application: the requested name with a random suffix (recordings 33 to
/// 35).
pub(crate) fn app_name(rng: &mut StdRng, wanted: Option<&str>) -> String {
    let base = match wanted {
        Some(wanted) => wanted.to_lowercase(),
        None => {
            format!("app-{}-{}-{}", pick(rng, &VERBS), pick(rng, &ADJECTIVES), pick(rng, &NOUNS))
        }
    };
    format!("{base}-{}", text(rng, SUFFIX, 6))
}

/// Derives the id of a service's task: 25 characters, always the same.
pub(crate) fn task_id(service: &str, number: u64) -> String {
    let digest = Sha256::digest(format!("{service}/{number}"));
    digest.iter().take(25).map(|byte| character(SUFFIX, usize::from(*byte))).collect()
}

/// Derives the short id of a container: 12 characters, always the same.
pub(crate) fn container_id(name: &str) -> String {
    let digest = Sha256::digest(name);
    digest.iter().take(12).map(|byte| character(HEX, usize::from(*byte))).collect()
}

fn text(rng: &mut StdRng, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| character(alphabet, rng.random_range(0..alphabet.len()))).collect()
}

fn pick<'a>(rng: &mut StdRng, words: &[&'a str]) -> &'a str {
    words.get(rng.random_range(0..words.len())).copied().unwrap_or_default()
}

fn character(alphabet: &[u8], index: usize) -> char {
    alphabet.get(index % alphabet.len()).copied().map_or('0', char::from)
}
