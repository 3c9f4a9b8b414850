//! Requests as fast as they are answered, over several connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Effort;
use super::connection::Connection;
use super::sample::Sample;

/// The number of connections that ask at the same time, each one request after the other.
pub(crate) const CONNECTIONS: usize = 32;

/// A server, and what it is asked for in turn.
pub(crate) struct Side {
    pub(crate) addr: SocketAddr,
    pub(crate) requests: Arc<[Vec<u8>]>,
}

impl Side {
    /// Asks a server for one thing again and again.
    pub(crate) fn of_one(addr: SocketAddr, request: Vec<u8>) -> Self {
        Self { addr, requests: Arc::from([request]) }
    }
}

/// Loads all sides in turns, so that a busy moment of the machine meets each, and returns the answers
/// per second of each.
pub(crate) async fn in_turns(sides: &[Side], effort: Effort) -> anyhow::Result<Vec<Sample>> {
    for side in sides {
        load(side, effort.round / 2).await?;
    }
    let mut rates = vec![Sample::default(); sides.len()];
    for _ in 0..effort.rounds {
        for (side, rates) in sides.iter().zip(&mut rates) {
            rates.push(load(side, effort.round).await?);
        }
    }
    Ok(rates)
}

/// Asks for `time` over all connections, and returns how many answers came in a second.
async fn load(side: &Side, time: Duration) -> anyhow::Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(side.addr).await?);
    }
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for (number, connection) in connections.into_iter().enumerate() {
        let first = number * side.requests.len() / CONNECTIONS;
        asking.spawn(ask_until(begun + time, connection, Arc::clone(&side.requests), first));
    }
    let mut answers = 0_u32;
    while let Some(count) = asking.join_next().await {
        answers += count??;
    }
    Ok(f64::from(answers) / begun.elapsed().as_secs_f64())
}

/// Asks one request after the other, beginning at the one with the number `first`.
async fn ask_until(
    end: Instant,
    mut connection: Connection,
    requests: Arc<[Vec<u8>]>,
    first: usize,
) -> std::io::Result<u32> {
    let mut answers = 0;
    for request in requests.iter().cycle().skip(first) {
        if Instant::now() >= end {
            break;
        }
        connection.ask(request).await?;
        answers += 1;
    }
    Ok(answers)
}
