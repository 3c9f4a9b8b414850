//! The page to return to after a sign-in.

/// Paths that belong to the sign-in itself and are therefore not returned to.
const SIGN_IN_PATHS: [&str; 2] = ["/sign-in", "/auth/"];

/// A page of the portal itself: a path, optionally with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The maximum length, in bytes.
    pub const LONGEST: usize = 1_000;

    /// Returns the home page.
    pub fn home() -> Self {
        Self(String::from("/"))
    }

    /// Returns the page `text` if it is on the portal, and the home page otherwise. `text` comes
    /// from a URL, which anyone can craft, so it must not lead to another site.
    pub fn parse(text: &str) -> Self {
        let leads_here = text.starts_with('/')
            && !text.starts_with("//")
            // Browsers treat `/\` like `//`.
            && !text.starts_with("/\\")
            // Browsers drop other characters, such as tabs, which could produce `//`.
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.len() <= ReturnTo::LONGEST;
        let is_way_in = SIGN_IN_PATHS.iter().any(|way| text.starts_with(way));
        if leads_here && !is_way_in { Self(text.to_owned()) } else { Self::home() }
    }

    /// Returns the path with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::Url;

    use crate::server::auth::sign_in::return_to::*;

    #[test]
    fn a_place_on_the_portal_is_kept() {
        for path in ["/", "/deployments/dep_1", "/?name=alice&refused=NAME_TAKEN", "/a//b", "/%0a"]
        {
            assert_eq!(ReturnTo::parse(path).as_str(), path);
        }
    }

    #[test]
    fn everything_else_is_the_home_page() {
        let long = format!("/{}", "a".repeat(1_000));
        for path in [
            "",
            "deployments",
            "https://evil.example.org",
            "//evil.example.org",
            "/\\evil.example.org",
            "\\/evil.example.org",
            "/\t/evil.example.org",
            "\t//evil.example.org",
            " //evil.example.org",
            "/a\r\nSet-Cookie: a=b",
            "/ä",
            "javascript:alert(1)",
            "/sign-in?return_to=/",
            "/auth/sign-out",
            &long,
        ] {
            assert_eq!(ReturnTo::parse(path), ReturnTo::home(), "{path:?}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        /// The result is checked with a parser of the URL standard, which browsers follow.
        #[test]
        fn wherever_somebody_wants_to_go_a_browser_stays_on_the_portal(
            wanted in "\\PC{0,40}|/?[/\\\\.@:?#%\t\r\n a-z-]{0,12}|[/\\\\\t]{0,3}evil\\.example\\.org/?"
        ) {
            let portal = Url::parse("https://portal.example.com/auth/callback?code=c").unwrap();
            let taken = ReturnTo::parse(&wanted);
            let arrived = portal.join(taken.as_str()).unwrap();
            prop_assert_eq!(arrived.origin(), portal.origin());
            prop_assert!(taken == ReturnTo::home() || taken.as_str() == wanted);
            prop_assert_eq!(ReturnTo::parse(taken.as_str()), taken);
        }
    }
}
