//! `healthcheck`: requests `/readyz` from a running portal on this machine, for the image's health
//! check.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{CommandError, Exit};

const LIMIT: Duration = Duration::from_secs(4);

/// Checks the portal that listens on `addr`.
pub(super) async fn run(addr: SocketAddr) -> Exit {
    let ip = if addr.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { addr.ip() };
    let addr = SocketAddr::new(ip, addr.port());
    match timeout(LIMIT, ask(addr)).await {
        Ok(Ok(line)) if line.starts_with("HTTP/1.1 200") => Ok(ExitCode::SUCCESS),
        Ok(Ok(_)) => Err(CommandError::NotReady(addr)),
        Ok(Err(source)) => Err(CommandError::Unreachable { addr, source }),
        Err(_) => Err(CommandError::Silent(addr)),
    }
}

async fn ask(addr: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    stream.take(64).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
