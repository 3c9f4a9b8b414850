//! The middlewares of the reverse proxy, as far as the sandbox has them: a request that no container
//! takes is repeated by `retry`, and the others do nothing.
//!
//! It must not know files or routes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kinds of middlewares that are recognised in a file.
const KINDS: [&str; 7] =
    ["retry", "redirectScheme", "forwardAuth", "errors", "headers", "basicAuth", "stripPrefix"];
/// The middleware that the platform itself always defines.
const OF_THE_PLATFORM: &str = "redirect-to-https";

/// A middleware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Middleware {
    /// It repeats a request that no container took.
    Retry(Retry),
    /// It does nothing here.
    Other,
}

/// How a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    /// How often it is tried in all.
    attempts: u32,
    /// The pause before it is tried for the second time.
    first_pause: Duration,
}

impl Retry {
    /// Returns the pauses between the attempts. The last one is twice the first, so 12 attempts with
    /// 300 ms take 4.5 s (recording day-two 544).
    pub(crate) fn pauses(self) -> Vec<Duration> {
        let steps = self.attempts.saturating_sub(1);
        let growth = 2_f64.powf(1.0 / f64::from(steps.max(1)));
        let pause = |step| self.first_pause.mul_f64(growth.powf(f64::from(step)));
        (0..steps).map(pause).collect()
    }
}

/// Returns the middlewares that the text of a file defines, by name.
pub(crate) fn defined(text: &str) -> BTreeMap<String, Middleware> {
    let mut found = BTreeMap::new();
    for kind in KINDS {
        for (at, _) in text.match_indices(&format!("{kind}:")) {
            let (before, after) = text.split_at(at);
            if let Some(name) = name(before) {
                let middleware = if kind == "retry" { retry(after) } else { Middleware::Other };
                found.insert(name.to_owned(), middleware);
            }
        }
    }
    found
}

/// Finds the middleware that a router calls `name`; `None` if it does not exist.
pub(crate) fn find(known: &BTreeMap<String, Middleware>, name: &str) -> Option<Middleware> {
    let name = name.strip_suffix("@file").unwrap_or(name);
    let own = (name == OF_THE_PLATFORM).then_some(Middleware::Other);
    known.get(name).copied().or(own)
}

/// Returns the key to which a text that ends before the kind of a middleware belongs.
fn name(before: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if before.ends_with(is_part) {
        return None;
    }
    let key = before.trim_end_matches(|c: char| c.is_whitespace() || c == '{').strip_suffix(':')?;
    let start = key.rfind(|c| !is_part(c)).map_or(0, |last| last + 1);
    key.get(start..).filter(|name| !name.is_empty())
}

fn retry(after: &str) -> Middleware {
    let value = |key: &str| {
        let rest = after.split(key).nth(1)?;
        rest.split([',', '}', '\n']).next().map(str::trim)
    };
    let attempts = value("attempts:").and_then(|text| text.parse().ok());
    let pause = value("initialInterval:").and_then(|text| text.strip_suffix("ms")?.parse().ok());
    Middleware::Retry(Retry {
        attempts: attempts.unwrap_or(1),
        first_pause: Duration::from_millis(pause.unwrap_or_default()),
    })
}
