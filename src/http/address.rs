//! The address of a client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

use crate::server::proxies::{self, Proxy};

/// Returns the address of the client, as reported by the trusted proxies.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, proxies: &[Proxy]) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(Ipv4Addr::LOCALHOST.into(), |ConnectInfo(peer)| peer.ip());
    let lines = headers.get_all("x-forwarded-for").iter();
    // What cannot be read is one entry like any other that is no address: the client may have sent
    // it, and the entries after it still count.
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    proxies::client(peer, lines.iter().map(|line| &**line), proxies)
}
