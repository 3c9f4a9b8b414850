//! A forward proxy, which takes every name for this machine.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that remembers what it was asked for.
pub(crate) struct ForwardProxy {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ForwardProxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://user:secret@{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let known = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let known = Arc::clone(&known);
                tokio::spawn(async move { serve(client, &known).await.ok() });
            }
        });
        Self { address, requests }
    }

    /// Returns the heads of all requests so far.
    pub(crate) fn requests(&self) -> String {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

async fn serve(mut client: TcpStream, known: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let target = text.split(' ').nth(1).unwrap_or_default().trim_start_matches("http://");
    let authority = target.split('/').next().unwrap_or_default();
    let port: u16 = authority.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
    let is_tunnel = text.starts_with("CONNECT ");
    known.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    } else {
        server.write_all(&head).await?;
    }
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
