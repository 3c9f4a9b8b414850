//! The Dokploy client against recordings of a real server, and against faults.
#![cfg(test)]

mod faults;
mod live;
mod logs;
mod recordings;
mod running;
mod secrets;
mod wire_server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clock::Clock;
use dokploy::{Dokploy, DokployConfig};
use jiff::Timestamp;
use secrecy::SecretString;

/// The API key of every client in these tests.
const KEY: &str = "canary-api-key";

/// A clock that moves only when it is told to.
#[derive(Debug)]
struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-23T10:00:00Z".parse().unwrap())))
    }

    fn advance(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.now().duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

fn config(base_url: &str) -> DokployConfig {
    DokployConfig::new(base_url, SecretString::from(KEY))
}

fn client(base_url: &str) -> Dokploy {
    Dokploy::new(config(base_url), ManualClock::new()).unwrap()
}
