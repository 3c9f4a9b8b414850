//! Finds the address of a client behind trusted proxies.
//!
//! Each proxy appends the address of its client to `X-Forwarded-For`. The client can send any value
//! in that header itself, so an entry counts only if a trusted proxy appended it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// A network of trusted proxies, such as `10.0.0.0/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy(IpNet);

/// A text is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address or a network like 10.0.0.0/8")]
pub struct ParseProxyError;

impl Proxy {
    /// Parses an address, or a network in CIDR notation.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` is neither.
    pub fn parse(text: &str) -> Result<Self, ParseProxyError> {
        let alone = || text.parse::<IpAddr>().map(|address| address.to_canonical().into());
        text.parse().or_else(|_| alone()).map(Self).map_err(|_| ParseProxyError)
    }

    /// Returns whether `address` is one of these proxies.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// Returns the address under which everything that a client does is counted: with IPv6 its /64
/// network, since one machine can use all addresses of its network.
pub fn network_of(address: IpAddr) -> IpAddr {
    masked(address, 64, 32)
}

/// Returns the network that one customer of a provider may have as a whole: /48 with IPv6, and /24
/// with IPv4.
pub fn block_of(address: IpAddr) -> IpAddr {
    masked(address, 48, 24)
}

/// Returns the network that a provider may have as a whole: /32 with IPv6, and /16 with IPv4.
pub fn region_of(address: IpAddr) -> IpAddr {
    masked(address, 32, 16)
}

/// Returns the network of an address with the prefix length `v6` or `v4`.
fn masked(address: IpAddr, v6: u32, v4: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - v6))).into()
        }
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - v4))).into()
        }
    }
}

/// Returns the address of the client of a request that `peer` sent; `forwarded_for` are the values
/// of `X-Forwarded-For`, in order.
///
/// Starting at the peer, it goes from right to left through the header, as long as the current
/// address is a trusted proxy.
pub fn client<'a>(
    peer: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    proxies: &[Proxy],
) -> IpAddr {
    let is_trusted = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let forwarded_for =
        forwarded_for.rev().flat_map(|line| line.rsplit(',').map(|text| address(text.trim())));
    let mut client = peer.to_canonical();
    for forwarded_for in forwarded_for {
        match forwarded_for {
            Some(forwarded_for) if is_trusted(client) => client = forwarded_for,
            Some(_) | None => break,
        }
    }
    client
}

/// Parses an address as proxies write it: some append the port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let address = text.parse::<IpAddr>().ok().or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn client_of(peer: &str, lines: &[&str], proxies: &[&str]) -> String {
        let proxies: Vec<_> = proxies.iter().map(|text| Proxy::parse(text).unwrap()).collect();
        client(peer.parse().unwrap(), lines.iter().copied(), &proxies).to_string()
    }

    #[test]
    fn only_what_a_trusted_proxy_has_added_is_believed() {
        let inner = ["10.0.0.0/8", "::1"];
        for (peer, lines, client) in [
            ("203.0.113.9", vec!["1.2.3.4"], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", vec!["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", vec!["6.6.6.6, 1.2.3.4, 10.0.0.7"], "1.2.3.4"),
            ("10.0.0.1", vec!["6.6.6.6", "1.2.3.4", "10.0.0.7"], "1.2.3.4"),
            ("10.0.0.1", vec!["1.2.3.4, nonsense"], "10.0.0.1"),
            ("10.0.0.1", vec!["10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", vec!["1.2.3.4:5678"], "1.2.3.4"),
            ("::ffff:10.0.0.1", vec!["::ffff:1.2.3.4"], "1.2.3.4"),
            ("::1", vec!["1.2.3.4"], "1.2.3.4"),
        ] {
            assert_eq!(client_of(peer, &lines, &inner), client, "{peer} {lines:?}");
        }
        assert_eq!(client_of("10.0.0.1", &["1.2.3.4"], &[]), "10.0.0.1", "nobody is trusted");
    }

    #[test]
    fn a_network_is_an_address_with_the_length_of_its_prefix() {
        for text in ["10.0.0.0/8", "10.1.2.3", "::/0", "fd00::/8", "0.0.0.0/0"] {
            assert!(Proxy::parse(text).is_ok(), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "proxy.example.com"] {
            assert_eq!(Proxy::parse(text), Err(ParseProxyError), "{text}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn nobody_but_a_trusted_proxy_says_where_somebody_is(lines in vec("\\PC{0,60}", 0..4)) {
            let peer: IpAddr = "203.0.113.9".parse().unwrap();
            let proxies = [Proxy::parse("10.0.0.0/8").unwrap()];
            prop_assert_eq!(client(peer, lines.iter().map(String::as_str), &proxies), peer);
        }

        #[test]
        fn whatever_stands_further_left_a_trusted_proxy_is_believed(left in "\\PC{0,60}") {
            let line = format!("{left}, 1.2.3.4");
            prop_assert_eq!(client_of("10.0.0.1", &[&line], &["10.0.0.0/8"]), "1.2.3.4");
        }
    }
}
