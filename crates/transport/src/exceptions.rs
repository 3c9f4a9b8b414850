//! The hosts that are reached without a proxy, as `NO_PROXY` lists them.
//!
//! No standard says how. This understands the forms of curl and of Go, which differ: an entry that
//! one of them ignores is taken as the other one takes it.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

/// The hosts, domains and networks that are reached without a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    hosts: Hosts,
    /// The only port; `None` for all.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A single address is a network as well.
    Network(IpNet),
    /// A name, with all names below it.
    Domain(String),
}

impl Exceptions {
    /// Parses a list that is separated by commas or spaces. It contains names, with or without a dot
    /// or `*.` before them, addresses, networks like `10.0.0.0/8`, any of these with a port, and
    /// `*` for everything. IPv6 addresses may be in brackets. What is none of these matches nothing.
    pub fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter(|entry| !entry.is_empty()).filter_map(Exception::parse).collect())
    }

    /// Returns whether `url` is reached without a proxy.
    pub fn have(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port = url.port_or_known_default();
        let on_port = |exception: &&Exception| exception.port.is_none() || exception.port == port;
        self.0.iter().filter(on_port).any(|exception| exception.hosts.have(host))
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let is_bare = |text: &str| !text.contains(':') || network(text).is_some();
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !is_bare(entry) => (host, Some(port.parse().ok()?)),
            Some(_) | None => (entry, None),
        };
        let hosts = match network(host) {
            Some(network) => Hosts::Network(network),
            None if host == "*" => Hosts::All,
            None => Hosts::Domain(domain(host)?),
        };
        Some(Self { hosts, port })
    }
}

impl Hosts {
    fn have(&self, host: &str) -> bool {
        match (self, network(host)) {
            (Self::All, _) => true,
            (Self::Network(network), Some(address)) => network.contains(&address),
            (Self::Domain(domain), None) => {
                let above = host.trim_end_matches('.').strip_suffix(domain.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (Self::Network(_), None) | (Self::Domain(_), Some(_)) => false,
        }
    }
}

/// Parses a network or a single address, with or without brackets around an IPv6 address.
fn network(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/').unzip();
    let address = address.unwrap_or(text);
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(address).parse().ok()?;
    match length {
        Some(length) => IpNet::new(address, length.parse().ok()?).ok(),
        None => Some(address.to_canonical().into()),
    }
}

/// Returns a name in the form of URLs, which is in lower case and ASCII.
fn domain(text: &str) -> Option<String> {
    let name = text.strip_prefix('*').unwrap_or(text).trim_matches('.');
    let url = Url::parse(&format!("http://{name}")).ok()?;
    url.host_str().filter(|_| url.path() == "/" && url.port().is_none()).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::Exceptions;

    fn have(list: &str, url: &str) -> bool {
        Exceptions::parse(list).have(&Url::parse(url).unwrap())
    }

    #[test]
    fn every_form_of_curl_and_of_go_is_understood() {
        for (list, url) in [
            ("example.com", "https://example.com"),
            ("example.com", "https://login.example.com/realm"),
            (".example.com", "https://login.example.com"),
            (".example.com", "https://example.com"),
            ("*.example.com", "https://login.example.com"),
            ("EXAMPLE.com", "https://Login.Example.COM"),
            ("example.com.", "https://example.com"),
            ("example.com", "https://example.com./"),
            ("bücher.example", "https://bücher.example"),
            ("example.com:8443", "https://example.com:8443"),
            ("example.com:443", "https://login.example.com"),
            ("localhost, example.com", "https://example.com"),
            ("localhost example.com", "https://example.com"),
            (" ,, example.com ,", "https://example.com"),
            ("*", "https://example.com"),
            ("*", "http://10.0.0.1:3000"),
            ("*", "http://[fd00::1]:3000"),
            ("10.0.0.1", "http://10.0.0.1:3000"),
            ("10.0.0.1:3000", "http://10.0.0.1:3000"),
            ("10.0.0.0/8", "http://10.1.2.3"),
            ("10.1.2.3/8", "http://10.0.0.1"),
            ("::1", "http://[::1]:3000"),
            ("[::1]", "http://[::1]:3000"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("fd00::/8", "http://[fd12::1]"),
            ("[fd00::]/8", "http://[fd12::1]"),
            ("FD00::1", "http://[fd00:0:0::1]"),
            ("::ffff:10.0.0.1", "http://10.0.0.1"),
            ("10.0.0.1", "http://[::ffff:10.0.0.1]"),
        ] {
            assert!(have(list, url), "{list} {url}");
        }
    }

    #[test]
    fn other_hosts_and_ports_are_no_exceptions() {
        for (list, url) in [
            ("", "https://example.com"),
            (" , ", "https://example.com"),
            ("example.com", "https://notexample.com"),
            ("login.example.com", "https://example.com"),
            ("example.com", "https://example.com.test"),
            ("example.com:8443", "https://example.com"),
            ("example.com:x", "https://example.com"),
            ("example.com:99999", "https://example.com"),
            ("10.0.0.1:3000", "http://10.0.0.1"),
            ("10.0.0.0/8", "http://11.0.0.1"),
            ("10.0.0.0/99", "http://10.0.0.0"),
            ("[::1]:3000", "http://[::1]"),
            ("::1", "http://[::2]"),
            ("0.1", "http://10.0.0.1"),
            ("10.0.0.1", "https://10.0.0.1.example.com"),
            (".", "https://example.com"),
            ("*example.com", "https://other.com"),
            ("http://example.com", "https://example.com"),
        ] {
            assert!(!have(list, url), "{list} {url}");
        }
    }
}
