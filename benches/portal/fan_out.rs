//! Many who watch one operation or one log, on a thread of their own.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connection::get_with;

/// The number of streams that are opened at the same time.
const AT_ONCE: usize = 128;
/// What the last event has, with any of the servers.
const LAST: &[u8] = b"event: complete";
/// The time after which the last event does not come any more.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The thread of all watchers, which ends with this value.
pub(crate) struct Crew {
    handle: Handle,
    /// Its end ends the thread.
    _stop: oneshot::Sender<Infallible>,
}

/// Open streams that wait for the last event.
pub(crate) struct Watchers {
    /// How long it took to open all of them.
    pub(crate) opened: Duration,
    arrivals: JoinHandle<io::Result<Vec<Timestamp>>>,
}

impl Crew {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel());
        thread::spawn(move || runtime.block_on(stopped));
        Ok(Self { handle, _stop: stop })
    }

    /// Opens `count` streams of the events at `path`, until the operation ends well.
    pub(crate) async fn watch(
        &self,
        addr: SocketAddr,
        path: &str,
        count: usize,
    ) -> anyhow::Result<Watchers> {
        self.watch_for(LAST, addr, path, count).await
    }

    /// Opens `count` streams at `path`, each of which is read until it has sent `last`.
    pub(crate) async fn watch_for(
        &self,
        last: &'static [u8],
        addr: SocketAddr,
        path: &str,
        count: usize,
    ) -> anyhow::Result<Watchers> {
        let request = get_with(path, "Accept: text/event-stream\r\n").into();
        let begun = Instant::now();
        let opened = self.handle.spawn(async move {
            let streams = open_all(addr, request, count).await?;
            io::Result::Ok((streams, begun.elapsed()))
        });
        let (streams, opened) = opened.await??;
        let arrivals = self.handle.spawn(all(streams.into_iter().map(|stream| stream.until(last))));
        Ok(Watchers { opened, arrivals })
    }
}

impl Watchers {
    /// Waits until all have the last event, and returns when each had it.
    pub(crate) async fn arrivals(self) -> anyhow::Result<Vec<Timestamp>> {
        Ok(self.arrivals.await??)
    }
}

async fn open_all(addr: SocketAddr, request: Arc<[u8]>, count: usize) -> io::Result<Vec<Stream>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    all((0..count).map(|_| {
        let (places, request) = (Arc::clone(&places), Arc::clone(&request));
        async move {
            // It is never closed.
            let _place = places.acquire().await.map_err(io::Error::other)?;
            Stream::open(addr, &request).await
        }
    }))
    .await
}

/// Waits for all, each in a task of its own.
async fn all<T: Send + 'static>(
    each: impl Iterator<Item = impl Future<Output = io::Result<T>> + Send + 'static>,
) -> io::Result<Vec<T>> {
    let mut tasks: JoinSet<_> = each.collect();
    let mut results = Vec::with_capacity(tasks.len());
    while let Some(result) = tasks.join_next().await {
        results.push(result??);
    }
    Ok(results)
}

/// An open stream.
struct Stream {
    stream: TcpStream,
    /// The last bytes that were read.
    tail: Vec<u8>,
}

impl Stream {
    /// Opens a stream, and waits for the head of the answer.
    async fn open(addr: SocketAddr, request: &[u8]) -> io::Result<Self> {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request).await?;
        let mut open = Self { stream, tail: Vec::new() };
        open.read().await?;
        if open.tail.starts_with(b"HTTP/1.1 200") {
            Ok(open)
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&open.tail).into_owned()))
        }
    }

    /// Reads until `last` is there, and returns when that was.
    async fn until(mut self, last: &[u8]) -> io::Result<Timestamp> {
        let reading = async {
            while !self.tail.windows(last.len()).any(|part| part == last) {
                let kept = self.tail.len().saturating_sub(last.len() - 1);
                self.tail.drain(..kept);
                self.read().await?;
            }
            Ok(Timestamp::now())
        };
        timeout(TIMEOUT, reading).await.map_err(io::Error::from)?
    }

    async fn read(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.try_read() {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads what is there. The buffer is no part of the stream, of which there are thousands.
    fn try_read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 << 10];
        let count = self.stream.try_read(&mut buffer)?;
        self.tail.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
