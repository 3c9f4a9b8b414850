//! The supported versions of Dokploy.
//!
//! v0.30 is the first version with `overview.domains`, which lists all hosts.

use crate::Version;

const OLDEST: (u32, u32) = (0, 30);
/// [`OLDEST`] in Dokploy's notation.
const OLDEST_TEXT: &str = "v0.30";

/// Returns whether a version such as `v0.30.2` is supported. One that cannot be parsed is not.
pub(super) fn judge(text: String) -> Version {
    let is_supported = number(&text).is_some_and(|found| found >= OLDEST);
    Version { text, is_supported, oldest: OLDEST_TEXT }
}

/// Parses the first two numbers.
fn number(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split('.');
    let mut next = || parts.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        let cases = [
            ("v0.30.2", true),
            ("v0.30.0", true),
            ("0.31", true),
            ("v1.0.0-rc1", true),
            ("v0.29.11", false),
            ("v0.9.9", false),
            ("canary", false),
            ("", false),
        ];
        for (text, is_supported) in cases {
            assert_eq!(judge(text.to_owned()).is_supported, is_supported, "{text}");
        }
        assert_eq!(number(OLDEST_TEXT), Some(OLDEST));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_the_platform_calls_itself_is_judged_and_kept(text in "\\PC{0,30}|v?[0-9.]{0,30}") {
            prop_assert_eq!(judge(text.clone()).text, text);
        }

        #[test]
        fn every_version_is_compared_by_its_numbers(major: u32, minor: u32, rest in "(\\.[0-9a-z.-]{0,9})?") {
            let version = judge(format!("v{major}.{minor}{rest}"));
            prop_assert_eq!(version.is_supported, (major, minor) >= OLDEST);
        }
    }
}
