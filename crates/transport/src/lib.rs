//! Distinguishes local faults of this process from failures of others.
//!
//! It must not report a local fault by mistake, since callers wait for one to end until their
//! deadline. So a name that does not exist is no local fault, but a resolver that does not answer
//! is one. An unreachable address is a local fault only if no route leads out of this machine, not
//! if a router or a neighbour reports it as unreachable. A caller for which one server or address
//! family is not essential must also check that other names and address families fail
//! (`is_resolver_down`, and `others` of `behind`).

use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustix::fs::{Access, Mode, access};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

pub use self::exceptions::Exceptions;
pub use self::outbound::{AuthoritiesError, Outbound, Proxies, ProxyAddress, authorities};
pub use self::tls::{describe, find_tls_error, install_crypto_provider};

mod exceptions;
mod outbound;
mod tls;

/// A local fault, because of which this process can reach nobody. It says nothing about the other
/// side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalFault {
    /// File descriptors, memory or local ports.
    #[error("this process is short of resources")]
    Resources,
    /// Name resolution: the resolver does not answer.
    #[error("this process's name resolution does not answer")]
    Names,
    /// The network: no route leads to the address, or a firewall rule of this machine forbids it.
    #[error("this process has no network")]
    Network,
}

/// The time limit of name resolution, which is shorter than that of any connection.
const RESOLVER_LIMIT: Duration = Duration::from_secs(4);
/// The time limit of a connection that is opened only to find the cause of an error.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// The number of descriptors that must be free, or else they count as exhausted.
const SPARE: usize = 8;
/// The beginning of the standard library's error message about name resolution.
const LOOK_UP: &str = "failed to lookup address information";
/// The messages of glibc and musl for a resolver that got no answer: `EAI_AGAIN`, `EAI_FAIL`,
/// `EAI_SYSTEM` and `EAI_MEMORY`. A name that does not exist or has no address (`EAI_NONAME`,
/// `EAI_NODATA`) is an answer.
const TIMED_OUT: [&str; 6] = [
    "Temporary failure in name resolution",
    "Try again",
    "Non-recoverable",
    "System error",
    "Memory allocation failure",
    "Out of memory",
];

/// Raises the soft limit for open files of this process to the hard limit.
///
/// # Errors
///
/// Returns an error if the system refuses.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(())
}

/// Returns how many files this process may have open at once.
pub fn descriptor_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Lets no other user read or change the files and folders that this process will create.
pub fn keep_new_files_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Checks that this process may make files in `folder`.
///
/// # Errors
///
/// Returns the system's reason if it may not.
pub fn may_make_files_in(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Returns whether this process was started to ignore that its terminal is closed, as by `nohup`.
/// Where the system does not say so, it was not.
pub fn ignores_hang_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Bit 0 is signal 1, SIGHUP.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

/// Resolves names with the system's resolver, within four seconds.
#[derive(Clone, Copy, Debug)]
pub struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The client sets the port itself.
            let addresses = look_up(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Resolves `host` within four seconds.
///
/// # Errors
///
/// Returns the resolver's error, or one that contains [`LocalFault::Names`] if the time is over.
pub async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match timeout(RESOLVER_LIMIT, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other(LocalFault::Names)),
    }
}

/// Returns whether the resolver fails for other names as well, after it did not answer for `host`:
/// a failing name server of the zone of `host` has the same effect. It resolves a random name under
/// the same top-level domain, which no cache contains.
pub async fn is_resolver_down<F>(host: &str, look_up: impl FnOnce(String) -> F) -> bool
where
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let Some((_, top)) = host.trim_end_matches('.').rsplit_once('.') else { return true };
    let name = format!("{:016x}.{top}.", rand::random::<u64>());
    look_up(name).await.is_err_and(|error| in_error(&error).is_some())
}

/// Returns the local fault that caused an error in connecting to one of `addresses`, if there is
/// one.
///
/// With several addresses, `error` is about one of them only, so each is tested. A missing route is
/// no local fault if there is a route to another of the `addresses`, or to any of `others`.
pub async fn behind(
    error: &(dyn Error + Send + Sync + 'static),
    addresses: impl Future<Output = io::Result<Vec<SocketAddr>>>,
    others: &[SocketAddr],
) -> Option<LocalFault> {
    if let Some(fault) = in_error(error) {
        return Some(fault);
    }
    if !find_errno(error).is_some_and(|errno| is_no_route(errno) || errno == Errno::ADDRNOTAVAIL) {
        return None;
    }
    match addresses.await {
        Ok(addresses) => judge(&addresses, others).await,
        Err(error) => in_error(&error),
    }
}

/// Returns the local fault if this process has no free descriptors. Then a missing answer says
/// nothing about the other side, which may run in this process, as the sandbox's stacks do.
pub fn behind_silence() -> Option<LocalFault> {
    let sockets: io::Result<Vec<UdpSocket>> =
        (0..SPARE).map(|_| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))).collect();
    sockets.err().as_ref().and_then(in_io)
}

/// Whether this process can reach an address.
enum Reach {
    /// No, because of this local fault.
    Short(LocalFault),
    /// No: there is no route to it.
    None,
    /// No: a firewall rule of this machine forbids it.
    Barred,
    /// As far as this machine is concerned, yes.
    Open,
}

async fn judge(addresses: &[SocketAddr], others: &[SocketAddr]) -> Option<LocalFault> {
    let leads_out = || others.iter().any(|other| route_to(*other).is_ok());
    let mut blocked = None;
    for address in addresses {
        match reach(*address).await {
            Reach::Short(fault) => return Some(fault),
            Reach::None if leads_out() => return None,
            Reach::Barred | Reach::None => blocked = Some(LocalFault::Network),
            Reach::Open => return None,
        }
    }
    blocked
}

async fn reach(address: SocketAddr) -> Reach {
    if let Err(error) = route_to(address) {
        return match in_error(&error) {
            Some(fault) => Reach::Short(fault),
            None if is_rule(errno(&error)) => Reach::Barred,
            None => Reach::None,
        };
    }
    match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
        Ok(Err(error)) => match in_error(&error) {
            Some(fault) => Reach::Short(fault),
            None => match errno(&error) {
                // There is a route, but no local port is free.
                Some(Errno::ADDRNOTAVAIL) => Reach::Short(LocalFault::Resources),
                // Over IPv6, a remote firewall can cause this error as well (ICMPv6 type 1, codes
                // 1, 5 and 6).
                Some(Errno::ACCESS) if address.is_ipv6() => Reach::Open,
                errno if is_rule(errno) => Reach::Barred,
                Some(_) | None => Reach::Open,
            },
        },
        Ok(Ok(_)) | Err(_) => Reach::Open,
    }
}

/// Returns whether the error is that of a firewall rule. Before a packet is sent, it can only be a
/// rule of this machine.
fn is_rule(errno: Option<Errno>) -> bool {
    matches!(errno, Some(Errno::PERM | Errno::ACCESS))
}

/// Checks that the system has a route to `address`. Sends nothing.
fn route_to(address: SocketAddr) -> io::Result<()> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    UdpSocket::bind(any)?.connect(address)
}

/// Returns whether an error can mean that there is no route.
fn is_no_route(errno: Errno) -> bool {
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

/// Returns the local fault that an error shows directly.
fn in_error(error: &(dyn Error + 'static)) -> Option<LocalFault> {
    causes(error).find_map(|error| {
        let fault = error.downcast_ref::<LocalFault>().copied();
        fault.or_else(|| error.downcast_ref::<io::Error>().and_then(in_io))
    })
}

fn find_errno(error: &(dyn Error + 'static)) -> Option<Errno> {
    causes(error).find_map(|error| error.downcast_ref::<io::Error>().and_then(errno))
}

/// Returns an error and all its sources.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        // The source of an I/O error is the source of its inner error, so the inner error itself
        // would be skipped.
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
    // Without free descriptors, the resolver may report that a name does not exist.
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
