//! A proxy between the tests and a server, whose connections can go silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Forwards bytes to a port and back, until the connection goes silent.
pub(crate) struct BlackHole {
    port: u16,
    /// Connections with a lower number are silent, but stay open.
    swallowed: Arc<AtomicU32>,
    opened: Arc<AtomicU32>,
}

impl BlackHole {
    /// Opens a port in front of the server at `port`.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let hole = Self {
            port: listener.local_addr().unwrap().port(),
            swallowed: Arc::default(),
            opened: Arc::default(),
        };
        let (swallowed, opened) = (Arc::clone(&hole.swallowed), Arc::clone(&hole.opened));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let number = opened.fetch_add(1, Ordering::SeqCst);
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                tokio::spawn(carry(near_in, far_out, number, Arc::clone(&swallowed)));
                tokio::spawn(carry(far_in, near_out, number, Arc::clone(&swallowed)));
            }
        });
        hole
    }

    /// Returns the port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Makes all present connections silent. Later ones work.
    pub(crate) fn swallow(&self) {
        self.swallowed.store(self.opened.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// Forwards bytes one way. On a silent connection, neither side receives anything, not even the
/// end.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u32,
    swallowed: Arc<AtomicU32>,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut bytes).await.unwrap_or(0);
        if number < swallowed.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        if length == 0 || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
