//! The addresses that are not those of a host on the public Internet, as one list.
//!
//! Source: the special-purpose registries of IANA
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>) in their version of 2024-10-22, and
//! the one later entry that is known here (RFC 9780, 2025). All of their entries are listed, also
//! those that are globally reachable: no stack is there. IPv6 addresses that lead to an IPv4 address
//! are as public as that one, so `address` looks into them. Behind the registries' entries are those
//! that have registries of their own.
//!
//! IANA allocates IPv6 addresses of hosts from `2000::/3` only
//! (<https://www.iana.org/assignments/ipv6-address-space>), so that no other one is a stack's.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

/// The networks, each with its purpose.
const LIST: [(&str, &str); 51] = [
    ("0.0.0.0/8", "this network, RFC 791"),
    ("0.0.0.0/32", "this host on this network, RFC 1122"),
    ("10.0.0.0/8", "private use, RFC 1918"),
    ("100.64.0.0/10", "shared address space, RFC 6598"),
    ("127.0.0.0/8", "loopback, RFC 1122"),
    ("169.254.0.0/16", "link-local, RFC 3927"),
    ("172.16.0.0/12", "private use, RFC 1918"),
    ("192.0.0.0/24", "IETF protocol assignments, RFC 6890"),
    ("192.0.0.0/29", "IPv4 service continuity, RFC 7335"),
    ("192.0.0.8/32", "dummy address, RFC 7600"),
    ("192.0.0.9/32", "Port Control Protocol anycast, RFC 7723"),
    ("192.0.0.10/32", "TURN anycast, RFC 8155"),
    ("192.0.0.170/32", "NAT64 discovery, RFC 8880"),
    ("192.0.0.171/32", "NAT64 discovery, RFC 8880"),
    ("192.0.2.0/24", "documentation, RFC 5737"),
    ("192.31.196.0/24", "AS112, RFC 7535"),
    ("192.52.193.0/24", "AMT, RFC 7450"),
    ("192.88.99.0/24", "6to4 relay anycast, RFC 7526"),
    ("192.88.99.2/32", "6a44 relay anycast, RFC 6751"),
    ("192.168.0.0/16", "private use, RFC 1918"),
    ("192.175.48.0/24", "AS112 delegation, RFC 7534"),
    ("198.18.0.0/15", "benchmarking, RFC 2544"),
    ("198.51.100.0/24", "documentation, RFC 5737"),
    ("203.0.113.0/24", "documentation, RFC 5737"),
    ("240.0.0.0/4", "reserved, RFC 1112"),
    ("255.255.255.255/32", "limited broadcast, RFC 919"),
    ("::1/128", "loopback, RFC 4291"),
    ("::/128", "unspecified, RFC 4291"),
    ("64:ff9b:1::/48", "local IPv4-IPv6 translation, RFC 8215"),
    ("100::/64", "discard-only, RFC 6666"),
    ("100:0:0:1::/64", "dummy prefix, RFC 9780"),
    ("2001::/23", "IETF protocol assignments, RFC 2928"),
    ("2001::/32", "Teredo, RFC 4380"),
    ("2001:1::1/128", "Port Control Protocol anycast, RFC 7723"),
    ("2001:1::2/128", "TURN anycast, RFC 8155"),
    ("2001:1::3/128", "DNS-SD registration anycast, RFC 9665"),
    ("2001:2::/48", "benchmarking, RFC 5180"),
    ("2001:3::/32", "AMT, RFC 7450"),
    ("2001:4:112::/48", "AS112, RFC 7535"),
    ("2001:10::/28", "ORCHID, RFC 4843"),
    ("2001:20::/28", "ORCHIDv2, RFC 7343"),
    ("2001:30::/28", "drone remote identification, RFC 9374"),
    ("2001:db8::/32", "documentation, RFC 3849"),
    ("2620:4f:8000::/48", "AS112 delegation, RFC 7534"),
    ("3fff::/20", "documentation, RFC 9637"),
    ("5f00::/16", "segment routing, RFC 9602"),
    ("fc00::/7", "unique local, RFC 4193"),
    ("fe80::/10", "link-local, RFC 4291"),
    ("224.0.0.0/4", "multicast, RFC 5771"),
    ("fec0::/10", "site-local, RFC 3879"),
    ("ff00::/8", "multicast, RFC 4291"),
];

/// Returns whether an address is in the list, or an IPv6 address that is not allocated to hosts.
pub(super) fn is_special(address: IpAddr) -> bool {
    static NETWORKS: LazyLock<Vec<IpNet>> =
        LazyLock::new(|| LIST.iter().filter_map(|(network, _)| network.parse().ok()).collect());
    is_unallocated(address) || NETWORKS.iter().any(|network| network.contains(&address))
}

/// Returns whether an IPv6 address is outside of `2000::/3`.
fn is_unallocated(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.to_bits() >> 125 != 0b001,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::super::address::is_public;
    use super::*;

    /// The networks whose addresses lead to an IPv4 address, which are in the registry as well.
    const EMBEDDING: [&str; 3] = ["::ffff:0:0/96", "64:ff9b::/96", "2002::/16"];
    /// The addresses beside a network that are those of another one.
    const SPECIAL_NEIGHBOURS: [&str; 2] = ["239.255.255.255", "240.0.0.0"];

    fn beside(address: IpAddr, step: i8) -> Option<IpAddr> {
        match address {
            IpAddr::V4(address) => {
                let bits = address.to_bits().checked_add_signed(step.into())?;
                Some(Ipv4Addr::from_bits(bits).into())
            }
            IpAddr::V6(address) => {
                let bits = address.to_bits().checked_add_signed(step.into())?;
                Some(Ipv6Addr::from_bits(bits).into())
            }
        }
    }

    #[test]
    fn each_network_is_special_from_its_first_to_its_last_address() {
        let listed = LIST.iter().map(|(network, _)| *network).chain(EMBEDDING);
        let networks: Vec<IpNet> = listed.map(|network| network.parse().unwrap()).collect();
        for network in &networks {
            let (first, last) = (network.network(), network.broadcast());
            assert_eq!(network.addr(), first, "{network}");
            assert!(!is_public(first) && !is_public(last), "{network}");
            if networks.iter().any(|other| other != network && other.contains(network)) {
                continue;
            }
            for beside in [beside(first, -1), beside(last, 1)].into_iter().flatten() {
                let is_special = SPECIAL_NEIGHBOURS.contains(&beside.to_string().as_str())
                    || is_unallocated(beside);
                assert_eq!(is_public(beside), !is_special, "{beside} beside {network}");
            }
        }
    }

    #[test]
    fn only_what_is_allocated_to_hosts_is_an_ipv6_address_of_one() {
        for (address, public) in [
            ("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false),
            ("2000::", true),
            ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
            ("4000::", false),
            ("4000::1", false),
            ("5fff:ffff::1", false),
            ("8000::1", false),
            ("fbff::1", false),
            ("fe00::1", false),
            ("::2", false),
            ("64:ff9b:0:1::101:101", false),
            ("200::1", false),
            // These lead to IPv4 addresses, and are as public as those.
            ("::ffff:1.1.1.1", true),
            ("64:ff9b::1.1.1.1", true),
            ("2002:101:101::1", true),
            ("::ffff:10.0.0.1", false),
            ("64:ff9b::10.0.0.1", false),
            ("2002:a00:1::1", false),
            ("2001:0:101:101::fefe:fefe", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
