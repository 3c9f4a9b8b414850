//! Serves HTTP/1.1 connections, and limits their number and the time that each may take.
//!
//! A connection waits for its client, or the portal works on a request. When there are too many, one
//! that waits makes room for the newcomer: the one that has been silent longest; if none is silent,
//! the one whose client has kept a body or an unread response back longest. So clients that do
//! nothing keep nobody out. A connection ends if the head of a request takes too long, if nothing is
//! requested for a long time, or if its client does not read what is sent. A head that is too long
//! is answered with a sentence.

mod body;
mod client_stream;
mod stream;
mod table;
mod takeover;

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request};
use axum::http::Version;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::body::{Busy, RequestBody, ResponseBody};
pub(super) use self::client_stream::ClientStream;
use self::stream::WatchedStream;
use self::table::{Connection, Entry, Table};
use self::takeover::Taken;
pub(super) use self::takeover::Takeover;
use crate::server::proxies::{Proxy, network_of};

/// The size in bytes up to which the buffers of one connection grow. The head of a request must fit
/// in. It is more than hyper's longest address, 64 KiB, so that one that is too long is read and
/// answered as such.
const BUFFER: usize = 96 << 10;
/// The pause after an error of the operating system, such as too many open files: what is freed
/// meanwhile is for the portal's own work.
const PAUSE: Duration = Duration::from_secs(1);
/// The response to a connection for which there is no room.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n\
    content-length: 54\r\nretry-after: 10\r\nconnection: close\r\n\r\n\
    Too many connections are open. Try again in a minute.\n";

/// The limits on connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// The number of connections in all.
    pub in_all: usize,
    /// The number of connections of one address (of one /64 network with IPv6); `None` means no
    /// limit.
    pub per_address: Option<usize>,
    /// The peers to which `per_address` does not apply.
    pub proxies: Arc<[Proxy]>,
    /// How long each part may take.
    pub times: ConnectionTimes,
}

/// How long each part of a connection may take.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionTimes {
    /// The time for the head of a request, from its first byte on; for the first request, from the
    /// beginning of the connection.
    pub head: Duration,
    /// The time between a response and the next request. It is longer than what reverse proxies
    /// keep idle connections for (Traefik 90 s, nginx 60 s), so that the proxy closes them first.
    pub idle: Duration,
    /// The same for trusted proxies, which are told apart: Caddy keeps idle connections for 2
    /// minutes, Google's load balancer for 10.
    pub proxy_idle: Duration,
    /// The time in which a client that reads slowly must read 16 KiB.
    pub write: Duration,
    /// The interval at which these limits are checked.
    pub check: Duration,
}

impl Default for ConnectionTimes {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            proxy_idle: Duration::from_mins(11),
            write: Duration::from_secs(30),
            check: Duration::from_secs(1),
        }
    }
}

/// What responds to requests.
pub trait Site: Clone + Send + 'static {
    /// Responds to a request.
    fn respond(
        self,
        request: Request<Body>,
    ) -> impl Future<Output = Response<Body>> + Send + 'static;
}

/// Serves `site` to the clients of `listener` until `shutdown`, then completes the responses in
/// progress. It does not limit how long that takes.
pub async fn serve(
    listener: TcpListener,
    site: impl Site,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
) {
    let table = Arc::new(Table::new(limits.in_all, limits.per_address, limits.times));
    let open = Open { tasks: TaskTracker::new(), shutdown: shutdown.clone() };
    let mut check = interval(limits.times.check);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = check.tick() => table.end_overdue(),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    match table.admit(counted(peer.ip(), &limits.proxies)) {
                        Some(entry) => serve_connection(stream, peer, entry, site.clone(), &open),
                        None => refuse(&stream),
                    }
                    table.closed().await;
                }
                Err(error) => recover(&error, &table).await,
            },
        }
    }
    drop(listener);
    open.tasks.close();
    loop {
        tokio::select! {
            () = open.tasks.wait() => break,
            _ = check.tick() => table.end_overdue(),
        }
    }
}

/// Returns the address under which a peer's connections are counted; `None` for a proxy.
fn counted(peer: IpAddr, proxies: &[Proxy]) -> Option<IpAddr> {
    let is_proxy = proxies.iter().any(|proxy| proxy.contains(peer));
    (!is_proxy).then(|| network_of(peer))
}

/// The connections that are open.
#[derive(Clone)]
struct Open {
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// Serves one connection in a task of its own.
fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    entry: Entry,
    site: impl Site,
    open: &Open,
) {
    // Event frames are small and must not wait for more.
    drop(stream.set_nodelay(true));
    let connection = Arc::clone(entry.connection());
    let io = TokioIo::new(WatchedStream::new(stream, Arc::clone(&connection)));
    let slot = Slot::default();
    let (requested, taken) = (Arc::clone(&connection), Arc::clone(&slot));
    let service = service_fn(move |request: Request<Incoming>| {
        let busy = Busy::new(&requested);
        let version = request.version();
        let request = received(request, peer, &requested);
        let (responding, taken) = (site.clone().respond(request), Arc::clone(&taken));
        async move { pass_on(responding.await, version, busy, &taken).await }
    });
    let mut builder = Builder::new();
    builder.max_buf_size(BUFFER).header_read_timeout(None);
    let mut serving = builder.serve_connection(io, service);
    let own = open.clone();
    open.tasks.spawn(async move {
        let mut is_ending = false;
        let taken = loop {
            tokio::select! {
                taken = poll_fn(|cx| poll(&mut serving, &connection, &slot, cx)) => break taken,
                () = connection.ended() => {
                    // The table counts a connection until it is closed.
                    drop(serving);
                    return drop(entry);
                }
                () = own.shutdown.cancelled(), if !is_ending => {
                    is_ending = true;
                    Pin::new(&mut serving).graceful_shutdown();
                }
            }
        };
        if let Some(Taken { takeover, head, is_chunked, busy }) = taken {
            let stream = serving.into_parts().io.into_inner().into_inner();
            let stream = ClientStream::new(stream, is_chunked, busy, entry);
            // In a task of its own, which is much smaller than this one.
            takeover.begin(stream, head).map(|sending| own.tasks.spawn(sending));
        }
    });
}

/// Returns a request of `peer` as the site gets it.
fn received(
    request: Request<Incoming>,
    peer: SocketAddr,
    connection: &Arc<Connection>,
) -> Request<Body> {
    let mut request = request.map(|body| {
        if body.is_end_stream() {
            return Body::empty();
        }
        Body::new(RequestBody::new(body, connection))
    });
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// The response of a connection that takes it over, when there is one.
type Slot = Arc<Mutex<Option<Taken>>>;

/// Passes a response on to hyper, unless it takes its connection over.
async fn pass_on(
    response: Response,
    version: Version,
    busy: Busy,
    taken: &Slot,
) -> Result<Response<ResponseBody>, Infallible> {
    let (parts, body) = response.into_parts();
    match Taken::from_parts(&parts, version, busy) {
        Ok(response) => {
            *taken.lock() = Some(response);
            pending().await
        }
        Err(busy) => Ok(Response::from_parts(parts, ResponseBody::new(body, busy))),
    }
}

/// Serves a connection until its end, or until a response takes it over, which is returned.
fn poll(
    serving: &mut (impl Future + Unpin),
    connection: &Connection,
    taken: &Slot,
    cx: &mut Context<'_>,
) -> Poll<Option<Taken>> {
    // An error is a client that disconnected or does not speak HTTP.
    if Pin::new(serving).poll(cx).is_ready() {
        return Poll::Ready(None);
    }
    connection.has_read();
    // The client may not have read the response to an earlier request yet.
    if connection.is_stalled() {
        return Poll::Pending;
    }
    taken.lock().take().map_or(Poll::Pending, |taken| Poll::Ready(Some(taken)))
}

/// Refuses a connection, as far as that is possible without waiting for its client.
fn refuse(stream: &TcpStream) {
    if stream.try_write(NO_ROOM).is_err() {
        tracing::debug!("A connection for which there is no room was closed without a response");
    }
}

/// Recovers from an error while accepting. An error of the connection itself needs nothing. With
/// too many open files, closing a waiting connection makes room.
async fn recover(error: &io::Error, table: &Table) {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "A connection could not be accepted");
    table.make_room();
    sleep(PAUSE).await;
}
