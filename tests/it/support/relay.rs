//! A proxy between the tests and a PostgreSQL server that delays bytes, and counts statements.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Forwards bytes to a port and back, each way with the same delay.
pub(crate) struct Relay {
    port: u16,
    delay_ms: Arc<AtomicU64>,
    asked: Arc<Mutex<Asked>>,
}

/// The numbers of requests over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The number of executed statements.
    pub(crate) statements: usize,
    /// The number of round trips, including pings.
    pub(crate) round_trips: usize,
}

/// Splits what a client sends into messages (PostgreSQL's protocol 3.0, without TLS).
#[derive(Default)]
struct Messages {
    bytes: Vec<u8>,
    has_begun: bool,
}

impl Messages {
    /// Returns the kinds of the messages that are complete by now.
    fn kinds(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.bytes.extend_from_slice(bytes);
        let mut kinds = Vec::new();
        loop {
            // The first message has no kind.
            let head = usize::from(self.has_begun);
            let Some(length) = self.bytes.get(head..head + 4) else { return kinds };
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize + head;
            if self.bytes.len() < length {
                return kinds;
            }
            if self.has_begun {
                kinds.push(self.bytes[0]);
            }
            self.has_begun = true;
            self.bytes.drain(..length);
        }
    }
}

impl Asked {
    fn count(&mut self, kind: u8) {
        match kind {
            b'Q' => {
                self.statements += 1;
                self.round_trips += 1;
            }
            b'E' => self.statements += 1,
            b'S' => self.round_trips += 1,
            _ => {}
        }
    }
}

impl Relay {
    /// Opens a port in front of the server at `port`.
    pub(crate) async fn before(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            delay_ms: Arc::default(),
            asked: Arc::default(),
        };
        relay.set_delay(delay);
        let (delay_ms, asked) = (Arc::clone(&relay.delay_ms), Arc::clone(&relay.asked));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                near.set_nodelay(true).unwrap();
                far.set_nodelay(true).unwrap();
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                let (asked, mut messages) = (Arc::clone(&asked), Messages::default());
                carry(near_in, far_out, Arc::clone(&delay_ms), move |bytes| {
                    for kind in messages.kinds(bytes) {
                        asked.lock().unwrap().count(kind);
                    }
                });
                carry(far_in, near_out, Arc::clone(&delay_ms), |_| {});
            }
        });
        relay
    }

    /// Returns the port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the numbers of requests so far.
    pub(crate) fn asked(&self) -> Asked {
        *self.asked.lock().unwrap()
    }

    /// Changes the delay.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.delay_ms.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// Forwards bytes and the end of a connection one way.
fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay_ms: Arc<AtomicU64>,
    mut observe: impl FnMut(&[u8]) + Send + 'static,
) {
    let (sender, mut under_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            observe(&bytes[..length]);
            let delay = Duration::from_millis(delay_ms.load(Ordering::SeqCst));
            if sender.send((Instant::now() + delay, bytes[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, bytes)) = under_way.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
}
