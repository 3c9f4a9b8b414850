//! Web origins: scheme, host and port of a URL (RFC 6454).
//!
//! It must not know what an origin is used for.

use std::fmt;
use std::net::IpAddr;

use strum::{Display, EnumString};

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// Returns the port of a URL that has none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A web origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// A text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address like https://portal.example.com")]
pub struct ParseOriginError;

impl Origin {
    /// Creates an origin from its parts.
    pub fn new(scheme: Scheme, host: impl Into<String>, port: u16) -> Self {
        Self { scheme, host: host.into(), port }
    }

    /// Parses an origin, without a path and without a slash at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` is anything but a scheme, a host and an optional port.
    pub fn parse(text: &str) -> Result<Self, ParseOriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(ParseOriginError)?;
        let scheme: Scheme = scheme.to_ascii_lowercase().parse().map_err(|_| ParseOriginError)?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| ParseOriginError)?)
            }
            _ => (rest, scheme.default_port()),
        };
        if is_host(host) {
            Ok(Self::new(scheme, host.to_ascii_lowercase(), port))
        } else {
            Err(ParseOriginError)
        }
    }

    /// Parses the origin at the beginning of a URL, and returns it with the rest, which is empty or
    /// begins with a slash.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` does not begin with an origin.
    pub fn split(text: &str) -> Result<(Self, &str), ParseOriginError> {
        let host = text.find("://").map_or(0, |at| at + 3);
        let path =
            text.get(host..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| host + at);
        let (origin, path) = text.split_at(path);
        Ok((Self::parse(origin)?, path))
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether `other` is the same origin. All loopback names of this machine count as the
    /// same host.
    pub fn covers(&self, other: &Self) -> bool {
        let same_host = self.host == other.host || (self.is_loopback() && other.is_loopback());
        same_host && (self.scheme, self.port) == (other.scheme, other.port)
    }

    /// Returns whether browsers resolve the host to the machine that they run on.
    pub fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6());
    }
    is_domain(text)
}

/// Returns whether `text` is a domain: labels of letters, digits and hyphens between dots.
pub fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_origin_reads_back_as_browsers_write_it() {
        let cases = [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("https://Portal.Example.com:443", "https://portal.example.com"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]"),
        ];
        for (text, shown) in cases {
            assert_eq!(Origin::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for text in [
            "",
            "null",
            "portal.example.com",
            "ftp://portal.example.com",
            "http://",
            "http://a/b",
            "http://a:b",
            "http://a..b",
            "http://user@a",
            "http://[1.2.3.4]",
            "http://a:70000",
        ] {
            assert_eq!(Origin::parse(text), Err(ParseOriginError), "{text:?}");
        }
    }

    #[test]
    fn only_on_loopback_are_several_names_one() {
        let origin = |text| Origin::parse(text).unwrap();
        let local = origin("http://localhost:3000");
        for (other, covered) in [
            ("http://127.0.0.1:3000", true),
            ("http://[::1]:3000", true),
            ("https://localhost:3000", false),
            ("http://localhost:3001", false),
            ("http://alice.localhost:3000", false),
            ("http://127.0.0.2:3000", false),
        ] {
            assert_eq!(local.covers(&origin(other)), covered, "{other}");
        }
        assert!(!origin("https://a.com").covers(&origin("https://b.com")));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_parses_reads_back_and_covers_itself_alone(
            text in "\\PC{0,30}|(https?|HTTP)://[a-zA-Z0-9.:\\[\\]@/-]{0,20}",
            port in 1..65_535_u16,
        ) {
            if let Ok(origin) = Origin::parse(&text) {
                let shown = origin.to_string();
                prop_assert_eq!(&Origin::parse(&shown).unwrap(), &origin);
                prop_assert!(origin.covers(&origin));
                let other = Origin::new(origin.scheme(), origin.host(), port);
                prop_assert_eq!(origin.covers(&other), other == origin);
            }
        }
    }
}
