//! Connections: those that send nothing, or read nothing, keep nobody out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ai_stack_deployer::http::{ConnectionLimits, ConnectionTimes, serve};
use ai_stack_deployer::server::proxies::Proxy;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::CancellationToken;

const HEAD: Duration = Duration::from_millis(400);
const IDLE: Duration = Duration::from_millis(1_200);
const WRITE: Duration = Duration::from_millis(800);
/// By then everything has happened that is going to, on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// A response of this many bytes does not fit into the buffers of the system.
const LARGE: usize = 64 << 20;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn limits(in_all: usize, per_address: Option<usize>) -> ConnectionLimits {
    ConnectionLimits {
        in_all,
        per_address,
        proxies: Arc::default(),
        times: ConnectionTimes {
            head: HEAD,
            idle: IDLE,
            proxy_idle: IDLE * 3,
            write: WRITE,
            check: Duration::from_millis(50),
        },
    }
}

/// A server with a short response, a large one, and one that sends a byte now and then for ever.
struct Server {
    address: SocketAddr,
    /// The large and the endless responses in progress.
    responding: Arc<AtomicUsize>,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
}

/// Counts a response as in progress.
struct Responding(Arc<AtomicUsize>);

impl Responding {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Responding {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    async fn start(limits: ConnectionLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, responding) = (CancellationToken::new(), Arc::<AtomicUsize>::default());
        let (large, endless, end) =
            (Arc::clone(&responding), Arc::clone(&responding), shutdown.clone());
        let chunk = |_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 64 << 10]));
        let site = Router::new()
            .route("/", get(|| async { "here" }).post(|_: Bytes| async { "here" }))
            .route(
                "/large",
                get(move || {
                    let guard = Responding::new(&large);
                    let chunks = stream::iter(0..LARGE >> 16).map(move |number| {
                        let _ = &guard;
                        chunk(number)
                    });
                    async { Body::from_stream(chunks) }
                }),
            )
            .route(
                "/endless",
                get(move || {
                    let guard = Responding::new(&endless);
                    let ticks = interval(IDLE / 4);
                    let bytes = stream::unfold((ticks, guard), |(mut ticks, guard)| async {
                        ticks.tick().await;
                        Some((Ok::<_, std::io::Error>("."), (ticks, guard)))
                    });
                    let bytes = bytes.take_until(end.cancelled_owned());
                    async { Body::from_stream(bytes) }
                }),
            );
        let served = tokio::spawn(serve(listener, site, limits, shutdown.clone()));
        Self { address, responding, shutdown, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects from another address of this machine.
    async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    async fn request(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn responses(&self, count: usize) {
        let wait = async {
            while self.responding.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, wait).await.unwrap_or_else(|_| panic!("there are never {count} responses"));
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(SOON, self.served).await.expect("the server stops").unwrap();
    }
}

/// Sends a request, and returns whether it is answered on the same connection.
async fn is_answered(stream: &mut TcpStream) -> bool {
    if stream.write_all(REQUEST).await.is_err() {
        return false;
    }
    let mut read = Vec::new();
    while !read.ends_with(b"here") {
        match timeout(SOON, stream.read_buf(&mut read)).await.expect("an answer or the end") {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    true
}

/// Returns how long it takes until the server closes the connection.
async fn closed(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut read = Vec::new();
    // An error is a connection that was reset.
    drop(timeout(SOON, stream.read_to_end(&mut read)).await.expect("it is closed"));
    begun.elapsed()
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_its_connection() {
    let server = Server::start(limits(100, None)).await;
    let mut silent = server.connect().await;
    assert!(closed(&mut silent).await >= HEAD);
    let mut slow = server.connect().await;
    let mut sent = 0;
    // One byte now and then does not prolong the time.
    let begun = Instant::now();
    while slow.write_all(&REQUEST[sent..=sent]).await.is_ok() && begun.elapsed() < SOON {
        sent = (sent + 1).min(REQUEST.len() - 2);
        tokio::time::sleep(HEAD / 10).await;
    }
    assert!(begun.elapsed() < SOON, "a byte now and then keeps it open");
    // The second head of a connection as well.
    let mut second = server.connect().await;
    assert!(is_answered(&mut second).await);
    second.write_all(&REQUEST[..10]).await.unwrap();
    assert!(closed(&mut second).await >= HEAD);
    server.stop().await;
}

#[tokio::test]
async fn a_connection_without_requests_is_kept_for_the_idle_time() {
    let server = Server::start(limits(100, None)).await;
    let mut idle = server.connect().await;
    assert!(is_answered(&mut idle).await);
    assert!(closed(&mut idle).await >= IDLE);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_a_silent_stream_is_not() {
    let server = Server::start(limits(100, None)).await;
    let mut stream = server.request("/endless").await;
    server.responses(1).await;
    let unread = server.request("/large").await;
    server.responses(2).await;
    server.responses(1).await;
    drop(unread);
    // The other response has been open for longer than every limit.
    let mut read = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < IDLE + WRITE {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "it ended");
    }
    server.stop().await;
    stream.read_to_end(&mut read).await.unwrap();
    assert!(read.ends_with(b"0\r\n\r\n"), "the stream is cut off");
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_everything() {
    let server = Server::start(limits(100, None)).await;
    let mut stream = server.request("/large").await;
    let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
    // Sixteen pauses, all together longer than the limit.
    let mut pauses = interval(WRITE / 8);
    while read < LARGE {
        if read % (4 << 20) < buffer.len() {
            pauses.tick().await;
        }
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "cut off after {read} bytes");
        read += count;
    }
    server.stop().await;
}

#[tokio::test]
async fn silent_connections_make_room_and_busy_ones_do_not() {
    let server = Server::start(patient(8)).await;
    let mut watching = server.request("/endless").await;
    server.responses(1).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(server.connect().await);
    }
    let mut visitor = server.connect().await;
    assert!(is_answered(&mut visitor).await, "silent connections keep everybody out");
    // The oldest has made room.
    closed(&mut silent[0]).await;
    assert!(watching.read(&mut [0; 64]).await.unwrap() > 0, "a busy connection made room");
    // If all are busy, there is no room, and that is said.
    let mut busy = Vec::new();
    for count in 2..=8 {
        busy.push(server.request("/endless").await);
        server.responses(count).await;
    }
    let mut refused = String::new();
    server.connect().await.read_to_string(&mut refused).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("Try again"), "{refused}");
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{refused}");
    server.stop().await;
}

/// Limits of time that are over only after the test.
fn patient(in_all: usize) -> ConnectionLimits {
    let limits = limits(in_all, None);
    let times =
        ConnectionTimes { head: SOON, idle: SOON, proxy_idle: SOON, write: SOON, ..limits.times };
    ConnectionLimits { times, ..limits }
}

/// Waits until a visitor finds room.
async fn is_let_in(server: &Server) {
    let wait = async { while !is_answered(&mut server.connect().await).await {} };
    timeout(SOON / 2, wait).await.expect("there is room");
}

#[tokio::test]
async fn clients_that_keep_a_body_back_make_room_after_those_that_are_silent() {
    let server = Server::start(patient(8)).await;
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
    let mut silent = server.connect().await;
    let mut slow = Vec::new();
    for _ in 0..7 {
        let mut stream = server.connect().await;
        stream.write_all(head).await.unwrap();
        slow.push(stream);
    }
    // A bit of the body prolongs nothing.
    tokio::time::sleep(HEAD / 4).await;
    slow[0].write_all(b".").await.unwrap();
    let mut visitor = server.connect().await;
    assert!(is_answered(&mut visitor).await);
    closed(&mut silent).await;
    visitor.write_all(head).await.unwrap();
    tokio::time::sleep(HEAD / 4).await;
    is_let_in(&server).await;
    closed(&mut slow[0]).await;
    // The server would wait for them.
    drop((slow, visitor));
    server.stop().await;
}

#[tokio::test]
async fn clients_that_do_not_read_make_room_and_those_that_wait_for_events_do_not() {
    let server = Server::start(patient(8)).await;
    let mut watching = server.request("/endless").await;
    server.responses(1).await;
    let mut unread = Vec::new();
    for count in 2..=8 {
        unread.push(server.request("/large").await);
        server.responses(count).await;
    }
    is_let_in(&server).await;
    server.responses(7).await;
    assert!(watching.read(&mut [0; 64]).await.unwrap() > 0, "a stream made room");
    server.stop().await;
}

#[tokio::test]
async fn a_proxy_keeps_its_connections_longer() {
    let proxy = [Proxy::parse("127.0.0.3").unwrap()];
    let server =
        Server::start(ConnectionLimits { proxies: Arc::from(proxy), ..limits(100, None) }).await;
    let mut streams =
        [server.connect_from("127.0.0.2").await, server.connect_from("127.0.0.3").await];
    for stream in &mut streams {
        assert!(is_answered(stream).await);
    }
    let [other, proxy] = &mut streams;
    closed(other).await;
    assert!(is_answered(proxy).await, "it is closed together with the others");
    assert!(closed(proxy).await >= IDLE * 3);
    server.stop().await;
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_a_proxy_any_number() {
    let proxy = [Proxy::parse("127.0.0.3").unwrap()];
    let server =
        Server::start(ConnectionLimits { proxies: Arc::from(proxy), ..limits(100, Some(2)) }).await;
    let request = b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut open = Vec::new();
    for (count, address) in
        ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.3"].into_iter().enumerate()
    {
        let mut stream = server.connect_from(address).await;
        stream.write_all(request).await.unwrap();
        server.responses(count + 1).await;
        open.push(stream);
    }
    let mut refused = String::new();
    server.connect_from("127.0.0.2").await.read_to_string(&mut refused).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(is_answered(&mut server.connect_from("127.0.0.4").await).await);
    // A place is free again when its connection ends.
    open.remove(0);
    server.responses(4).await;
    let wait = async { while !is_answered(&mut server.connect_from("127.0.0.2").await).await {} };
    timeout(SOON, wait).await.expect("its place is free again");
    server.stop().await;
}
