//! Resolves names, and determines which addresses are public.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::AddressPolicy;
use super::special::is_special;

/// Resolves names to the addresses that a policy allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver {
    policy: AddressPolicy,
}

impl Resolver {
    /// Creates a resolver with this policy.
    pub(super) fn new(policy: AddressPolicy) -> Self {
        Self { policy }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        Box::pin(async move {
            // The client sets the port itself.
            let addresses = of(name.as_str(), 0, policy).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Returns whether `name` means this machine: `localhost` or a name below it (RFC 6761, section
/// 6.3).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Resolves `name` to the addresses that `policy` allows.
pub(super) async fn of(
    name: &str,
    port: u16,
    policy: AddressPolicy,
) -> io::Result<Vec<SocketAddr>> {
    if is_local(name) {
        let both = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        return Ok(both.map(|address| SocketAddr::new(address, port)).into());
    }
    let found = transport::look_up(name, port).await?.into_iter();
    let within: Vec<_> = found
        .filter(|address| policy == AddressPolicy::AnyAddress || is_public(address.ip()))
        .collect();
    if within.is_empty() {
        return Err(io::Error::other("the name leads to private addresses only"));
    }
    Ok(within)
}

/// Returns whether `address` is one of the public Internet. One that leads to an IPv4 address is if
/// that one is.
pub(super) fn is_public(address: IpAddr) -> bool {
    let target = match address {
        IpAddr::V6(address) if !address.is_unspecified() && !address.is_loopback() => {
            embedded(address)
        }
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    };
    !is_special(target.map_or(address, IpAddr::V4))
}

/// Returns the IPv4 address that an IPv6 address leads to by translation or in a tunnel: mapped
/// (RFC 4291, section 2.5.5.2), the old IPv4-compatible form (section 2.5.5.1), translated
/// (RFC 2765), NAT64 (RFC 6052), and 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0, 0, 0, 0, 0, 0 | 0xffff, high, low]
    | [0, 0, 0, 0, 0xffff, 0, high, low]
    | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
    | [0x2002, high, low, ..]) = address.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for (address, public) in [
            ("1.1.1.1", true),
            ("100.63.0.1", true),
            ("172.32.0.1", true),
            ("2606:4700::1111", true),
            ("::ffff:1.1.1.1", true),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
            ("192.0.0.8", false),
            ("198.18.0.1", false),
            ("64:ff9b::a00:1", false),
            ("64:ff9b::101:101", true),
            ("2002:a00:1::1", false),
            ("2002:101:101::1", true),
            ("::10.0.0.1", false),
            ("::ffff:0:10.0.0.1", false),
            ("::ffff:0:1.1.1.1", true),
            ("64:ff9b:1::101:101", false),
            ("2002:c000:201::1", false),
            // Teredo, with a private server, with a private client, and with public ones.
            ("2001:0:a00:1::f5ff:fffe", false),
            ("2001:0:101:101::f5ff:fffe", false),
            ("2001:0:101:101::fefe:fefe", false),
            ("fec0::1", false),
            ("192.0.2.1", false),
            ("203.0.113.1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn names_under_localhost_mean_this_machine() {
        for (name, local) in [
            ("localhost", true),
            ("alice.localhost", true),
            ("Alice.LOCALHOST.", true),
            ("localhost.example.org", false),
            ("notlocalhost", false),
        ] {
            assert_eq!(is_local(name), local, "{name}");
        }
    }
}
