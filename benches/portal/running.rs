//! A server as a process of its own: started, looked at, and killed.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::connection::{Connection, get};

/// The time that a start may take until the benchmark gives up.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The unit in which Linux tells the CPU time of processes, in milliseconds.
const TICK_MS: u64 = 10;

/// A process that is killed with this value.
pub(crate) struct Running {
    child: Child,
    addr: SocketAddr,
}

impl Running {
    /// Starts a command that will listen on a port, and returns how long it took until it was
    /// ready.
    pub(crate) async fn start(command: (Command, u16)) -> anyhow::Result<(Self, Duration)> {
        Self::start_at(command, "/readyz").await
    }

    /// Does the same for a server that says at `path` that it is ready.
    pub(crate) async fn start_at(
        (mut command, port): (Command, u16),
        path: &str,
    ) -> anyhow::Result<(Self, Duration)> {
        let begun = Instant::now();
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let running = Self { child: quiet.spawn()?, addr };
        while !is_ready(addr, path).await {
            ensure!(begun.elapsed() < TIMEOUT, "the process does not get ready");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok((running, begun.elapsed()))
    }

    /// Returns the address of what it serves.
    pub(crate) fn root(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the bytes of memory that it holds.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// Returns the bytes of it that are no pages of files, such as those of the binary: what the
    /// system cannot drop.
    pub(crate) fn anonymous_memory(&self) -> anyhow::Result<u64> {
        self.status("RssAnon:")
    }

    /// Returns the most bytes of memory that it has ever held.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    /// Returns the CPU time that it has used, to a hundredth of a second.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the command, which may have any characters, ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(')').context("the system does not tell of a process")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<_, _>>()?;
        Ok(Duration::from_millis(ticks * TICK_MS))
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(number.context("the system does not tell the memory of a process")? * 1_024)
    }

    /// Ends it by SIGKILL.
    ///
    /// # Errors
    ///
    /// When it had ended by itself.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the process ended by itself");
        Ok(self.child.kill()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn is_ready(addr: SocketAddr, path: &str) -> bool {
    let Ok(mut connection) = Connection::open(addr).await else { return false };
    connection.ask(&get(path)).await.is_ok()
}
