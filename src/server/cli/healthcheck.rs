//! `healthcheck`: asks a running portal on this machine whether it is ready, for the image.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(4);

/// Asks the portal that listens on `addr`.
pub(super) async fn run(addr: SocketAddr) -> anyhow::Result<ExitCode> {
    let ip = if addr.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { addr.ip() };
    let addr = SocketAddr::new(ip, addr.port());
    let answer = timeout(LIMIT, ask(addr)).await.context("the portal does not answer in time")?;
    let line = answer.with_context(|| format!("the portal at {addr} cannot be reached"))?;
    anyhow::ensure!(line.starts_with("HTTP/1.1 200"), "the portal at {addr} is not ready");
    Ok(ExitCode::SUCCESS)
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
