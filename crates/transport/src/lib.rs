//! Tells what this process itself lacks from what others do not do.
//!
//! It must be sure: what is taken for this process's own fault is waited for up to the deadline. So a
//! name that does not exist is nobody's fault here, while a resolver that does not answer is; and
//! of addresses that cannot be reached only those count to which no way leads out of this machine,
//! not those that somebody on the way, or a neighbour, does not answer for. Whoever asks somebody
//! whom this process can do without makes sure, too, that it is not one name, or one family of
//! addresses.

use std::{
    error::Error,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

pub use self::tls::{describe, find_tls_error, install_crypto_provider};

mod tls;

/// What this machine lacks to ask anybody anything: it says nothing of whoever was to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalFault {
    /// File descriptors, memory or local ports.
    #[error("this process is short of resources")]
    Resources,
    /// A resolver that answers.
    #[error("this process's name resolution does not answer")]
    Names,
    /// A way out: no route leads there, or a rule of this machine forbids it.
    #[error("this process has no network")]
    Network,
}

/// The time that name resolution may take: less than any connection does.
const RESOLVER_LIMIT: Duration = Duration::from_secs(4);
/// The time that a connection may take that is only to show what is wrong.
const LOOK: Duration = Duration::from_secs(1);
/// The number of descriptors that are free where there are enough.
const SPARE: usize = 8;
/// What the standard library says before the resolver's own words.
const LOOK_UP: &str = "failed to lookup address information";
/// Describes how the system's resolver says that it got no answer, in glibc's words and in musl's:
/// `EAI_AGAIN`, `EAI_FAIL`, `EAI_SYSTEM` and `EAI_MEMORY`. That a name does not exist, or has no
/// address (`EAI_NONAME`, `EAI_NODATA`), is an answer.
const TIMED_OUT: [&str; 6] = [
    "Temporary failure in name resolution",
    "Try again",
    "Non-recoverable",
    "System error",
    "Memory allocation failure",
    "Out of memory",
];

/// Lets the process open as many files as the system allows.
///
/// # Errors
///
/// Returns the system's refusal.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(())
}

/// Looks names up by the system's resolver, within a limit.
#[derive(Clone, Copy, Debug)]
pub struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is set by who asked.
            let addresses = look_up(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Looks `host` up.
///
/// # Errors
///
/// Returns an error with a [`LocalFault`] in it where the resolver does not answer.
pub async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match timeout(RESOLVER_LIMIT, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other(LocalFault::Names)),
    }
}

/// Makes sure that the resolver answers nobody, once it did not answer for `host`: a server for the
/// zone of `host` that fails looks the same. It asks for a name that nobody has, under the same
/// top-level domain; one picked at random, so that no cache answers.
pub async fn answers_nobody<F>(host: &str, look_up: impl FnOnce(String) -> F) -> bool
where
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let Some((_, top)) = host.trim_end_matches('.').rsplit_once('.') else { return true };
    let name = format!("{:016x}.{top}.", rand::random::<u64>());
    look_up(name).await.is_err_and(|error| in_error(&error).is_some())
}

/// Finds what this process lacks behind an error in connecting to one of `addresses`, if that is what
/// is wrong.
///
/// Of several addresses only one's error is told. A family of addresses to which no way leads says
/// nothing as long as there is another one, nor do addresses without a way where one leads to any
/// of `others`.
pub async fn behind(
    error: &(dyn Error + Send + Sync + 'static),
    addresses: impl Future<Output = io::Result<Vec<SocketAddr>>>,
    others: &[SocketAddr],
) -> Option<LocalFault> {
    if let Some(fault) = in_error(error) {
        return Some(fault);
    }
    if !find_errno(error).is_some_and(|errno| is_no_way(errno) || errno == Errno::ADDRNOTAVAIL) {
        return None;
    }
    match addresses.await {
        Ok(addresses) => judge(&addresses, others).await,
        Err(error) => in_error(&error),
    }
}

/// Finds whether this process is at the end of its descriptors. Then nobody is to blame for an answer
/// that does not come: whoever should give it may share them, as the sandbox's stacks do.
pub fn behind_silence() -> Option<LocalFault> {
    let sockets: io::Result<Vec<UdpSocket>> =
        (0..SPARE).map(|_| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))).collect();
    sockets.err().as_ref().and_then(in_io)
}

/// What stands between this process and an address.
enum Reach {
    /// This process is short of something.
    Short(LocalFault),
    /// None leads there from here.
    None,
    /// A rule of this machine's forbids it.
    Barred,
    /// Nothing of ours.
    Open,
}

async fn judge(addresses: &[SocketAddr], others: &[SocketAddr]) -> Option<LocalFault> {
    let leads_out = || others.iter().any(|other| route_to(*other).is_ok());
    let mut blocked = None;
    for address in addresses {
        match way_to(*address).await {
            Reach::Short(fault) => return Some(fault),
            Reach::None if leads_out() => return None,
            Reach::Barred | Reach::None => blocked = Some(LocalFault::Network),
            Reach::Open => return None,
        }
    }
    blocked
}

async fn way_to(address: SocketAddr) -> Reach {
    if let Err(error) = route_to(address) {
        return match in_error(&error) {
            Some(fault) => Reach::Short(fault),
            None if is_rule(errno(&error)) => Reach::Barred,
            None => Reach::None,
        };
    }
    match timeout(LOOK, TcpStream::connect(address)).await {
        Ok(Err(error)) => match in_error(&error) {
            Some(fault) => Reach::Short(fault),
            None => match errno(&error) {
                // A route there is, but no local port is free.
                Some(Errno::ADDRNOTAVAIL) => Reach::Short(LocalFault::Resources),
                // Over IPv6 a firewall on the way can say so, too (ICMPv6 type 1, codes 1, 5 and
                // 6).
                Some(Errno::ACCESS) if address.is_ipv6() => Reach::Open,
                errno if is_rule(errno) => Reach::Barred,
                Some(_) | None => Reach::Open,
            },
        },
        Ok(Ok(_)) | Err(_) => Reach::Open,
    }
}

/// Returns whether a rule of this machine's says so: before a packet is sent nobody else can.
fn is_rule(errno: Option<Errno>) -> bool {
    matches!(errno, Some(Errno::PERM | Errno::ACCESS))
}

/// Asks the system for a route, which sends nothing.
fn route_to(address: SocketAddr) -> io::Result<()> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    UdpSocket::bind(any)?.connect(address)
}

/// Returns whether an error can mean that no way leads out of this machine.
fn is_no_way(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NETUNREACH
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::PERM
            | Errno::ACCESS
            | Errno::INVAL
            | Errno::AFNOSUPPORT
    )
}

/// Finds what this process lacks in an error that shows it by itself.
fn in_error(error: &(dyn Error + 'static)) -> Option<LocalFault> {
    causes(error).find_map(|error| {
        let fault = error.downcast_ref::<LocalFault>().copied();
        fault.or_else(|| error.downcast_ref::<io::Error>().and_then(in_io))
    })
}

fn find_errno(error: &(dyn Error + 'static)) -> Option<Errno> {
    causes(error).find_map(|error| error.downcast_ref::<io::Error>().and_then(errno))
}

/// Returns an error and all that lies behind it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        // An I/O error's source is its content's source: the content itself would be skipped.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(content) => Some(content as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn in_io(error: &io::Error) -> Option<LocalFault> {
    match errno(error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
            return Some(LocalFault::Resources);
        }
        Some(_) => return None,
        None => {}
    }
    let text = error.to_string();
    if !text.starts_with(LOOK_UP) {
        return None;
    }
    // Without descriptors the resolver may say that a name does not exist.
    if UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).is_err_and(|error| in_io(&error).is_some()) {
        return Some(LocalFault::Resources);
    }
    TIMED_OUT.iter().any(|words| text.contains(words)).then_some(LocalFault::Names)
}

fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

#[cfg(test)]
mod tests;
