//! A server that misbehaves below HTTP, with one script for each connection, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the server does after the first request of a connection.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// Sends these bytes, then closes the connection.
    Answer(String),
    /// Sends these bytes as the answer to every request, until the client disconnects.
    KeepAnswering(String),
    /// Sends nothing and keeps the connection open.
    Hang,
}

impl Script {
    /// Returns a script that sends an answer and closes the connection.
    pub(super) fn closing(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Answer(format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ))
    }
}

/// The server.
pub(super) struct WireServer {
    /// Its address.
    pub url: String,
    /// The number of connections that it has accepted.
    pub connections: Arc<AtomicUsize>,
    /// Notified when a request has arrived.
    pub asked: Arc<Notify>,
}

impl WireServer {
    pub(super) async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(Notify::new());
        let server = Self { url, connections: Arc::clone(&connections), asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            for script in scripts {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(follow(script, stream, Arc::clone(&asked)));
            }
        });
        server
    }
}

async fn follow(script: Script, mut stream: TcpStream, asked: Arc<Notify>) {
    let mut request = [0; 8 * 1024];
    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
        asked.notify_one();
        match &script {
            Script::Answer(answer) => {
                stream.write_all(answer.as_bytes()).await.unwrap();
                return;
            }
            Script::KeepAnswering(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Script::Hang => std::future::pending().await,
        }
    }
}
