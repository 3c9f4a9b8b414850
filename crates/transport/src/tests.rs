//! The classification of errors, both constructed and caused by the system.

use std::net::TcpListener;

use super::*;

fn os(errno: Errno) -> io::Error {
    errno.into()
}

fn said(words: &str) -> io::Error {
    io::Error::other(format!("{LOOK_UP}: {words}"))
}

async fn behind_all(error: &io::Error, addresses: &[SocketAddr]) -> Option<LocalFault> {
    behind(error, async { Ok(addresses.to_vec()) }, &[]).await
}

#[test]
fn what_is_lacking_here_is_told_from_what_others_do_not_do() {
    let (resources, names) = (Some(LocalFault::Resources), Some(LocalFault::Names));
    for (error, fault) in [
        (os(Errno::MFILE), resources),
        (os(Errno::NFILE), resources),
        (os(Errno::NOBUFS), resources),
        (os(Errno::NOMEM), resources),
        (io::Error::other(os(Errno::MFILE)), resources),
        (io::Error::other(io::Error::other(os(Errno::NFILE))), resources),
        (os(Errno::CONNREFUSED), None),
        (os(Errno::CONNRESET), None),
        (os(Errno::TIMEDOUT), None),
        (said("Temporary failure in name resolution"), names),
        (said("Try again"), names),
        (said("Non-recoverable failure in name resolution"), names),
        (said("Name or service not known"), None),
        (said("Name does not resolve"), None),
        (said("No address associated with hostname"), None),
        (io::Error::other("Try again"), None),
        (io::Error::other(LocalFault::Names), names),
    ] {
        assert_eq!(in_error(&error), fault, "{error:?}");
    }
}

#[tokio::test]
async fn nobody_who_listens_is_no_local_fault() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    // There may be no route to the second address, but there is one to the first.
    let six: SocketAddr = "[2001:db8::1]:9".parse().unwrap();
    for errno in [Errno::CONNREFUSED, Errno::ADDRNOTAVAIL, Errno::NETUNREACH, Errno::HOSTUNREACH] {
        assert_eq!(behind_all(&os(errno), &[closed, six]).await, None, "{errno:?}");
    }
    assert_eq!(behind_all(&os(Errno::MFILE), &[closed]).await, Some(LocalFault::Resources));
    assert_eq!(behind_all(&os(Errno::CONNREFUSED), &[]).await, None);
}

#[tokio::test]
async fn an_address_to_which_no_way_leads_is_a_local_fault() {
    // No machine can connect to this address (RFC 6890): the system reports that without sending a
    // packet.
    let nowhere: SocketAddr = "255.255.255.255:9".parse().unwrap();
    assert!(route_to(nowhere).is_err());
    let fault = behind_all(&os(Errno::NETUNREACH), &[nowhere]).await;
    assert_eq!(fault, Some(LocalFault::Network));
}

#[tokio::test]
async fn a_resolver_that_does_not_answer_again_is_a_local_fault() {
    let unanswered = async { Err(said("Temporary failure in name resolution")) };
    let fault = behind(&os(Errno::NETUNREACH), unanswered, &[]).await;
    assert_eq!(fault, Some(LocalFault::Names));
}

#[tokio::test]
async fn one_address_without_a_way_is_no_local_fault_where_one_leads_out() {
    // Without an interface there is no route to a link-local address.
    let nowhere: SocketAddr = "[fe80::1]:9".parse().unwrap();
    let here: SocketAddr = "127.0.0.1:9".parse().unwrap();
    assert!(route_to(nowhere).is_err());
    for (others, fault) in [
        (vec![], Some(LocalFault::Network)),
        (vec![nowhere], Some(LocalFault::Network)),
        (vec![nowhere, here], None),
    ] {
        let addresses = async { Ok(vec![nowhere]) };
        assert_eq!(behind(&os(Errno::NETUNREACH), addresses, &others).await, fault, "{others:?}");
    }
    // A rule of this machine forbids it, even if there are other routes.
    let barred = async { Ok(vec!["255.255.255.255:9".parse().unwrap()]) };
    let fault = behind(&os(Errno::NETUNREACH), barred, &[here]).await;
    assert_eq!(fault, Some(LocalFault::Network));
}

#[tokio::test]
async fn a_resolver_that_answers_for_others_is_no_local_fault() {
    let cases: [(Failure, bool); 5] = [
        (|| said("Name or service not known"), false),
        (|| said("No address associated with hostname"), false),
        (|| said("Temporary failure in name resolution"), true),
        (|| io::Error::other(LocalFault::Names), true),
        (|| os(Errno::MFILE), true),
    ];
    for (failure, is_nobody) in cases {
        let look_up = async |name: String| {
            assert!(name.ends_with(".org.") && name.matches('.').count() == 2, "{name}");
            Err(failure())
        };
        let host = "alice.stacks.example.org";
        assert_eq!(is_resolver_down(host, look_up).await, is_nobody, "{:?}", failure());
    }
    let found = async |_| Ok(vec!["192.0.2.1:0".parse().unwrap()]);
    assert!(!is_resolver_down("alice.stacks.example.org.", found).await);
    // Without a top-level domain there is no other name to try.
    assert!(is_resolver_down("dokploy", async |_| Ok(Vec::new())).await);
}

/// Makes an error.
type Failure = fn() -> io::Error;

/// A resolver that fails as it is told to.
struct Failing(Failure);

impl Resolve for Failing {
    fn resolve(&self, _: Name) -> Resolving {
        let error = (self.0)();
        Box::pin(async move { Err(error.into()) })
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "this is about the errors of the client")]
async fn the_cause_is_found_behind_all_that_the_http_client_wraps_it_in() {
    install_crypto_provider();
    let cases: [(Failure, Option<LocalFault>); 4] = [
        (|| io::Error::other(LocalFault::Names), Some(LocalFault::Names)),
        (|| said("Temporary failure in name resolution"), Some(LocalFault::Names)),
        (|| os(Errno::MFILE), Some(LocalFault::Resources)),
        (|| said("Name or service not known"), None),
    ];
    for (failure, fault) in cases {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let client = client.dns_resolver(Failing(failure)).build().unwrap();
        let error = client.get("http://stack.example.org/").send().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        assert_eq!(behind(&error, async { Ok(Vec::new()) }, &[]).await, fault, "{error:?}");
    }
}
