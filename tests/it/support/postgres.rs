//! PostgreSQL for tests: a new cluster of the binaries on the machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::{env, fs};

use super::keeper::Keeper;
use super::process::free_port;

/// The folder in which Debian has one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
const SCRIPT: &str = include_str!("postgres.sh");
const MISSING: &str =
    "PostgreSQL's server programs are missing: scripts/test installs them on Debian";

/// A running PostgreSQL server with its data, which ends when this is dropped or the test process
/// ends.
pub(crate) struct Cluster {
    keeper: Mutex<Keeper>,
    port: u16,
    databases: AtomicU32,
}

impl Cluster {
    /// Returns the cluster that all tests share. Each test has its own database.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Cluster> = LazyLock::new(Cluster::start);
        &SHARED
    }

    /// Creates a cluster, and starts its server.
    pub(crate) fn start() -> Self {
        Self::try_start().expect(MISSING)
    }

    /// Does the same; `None` if the server's programs are missing.
    pub(crate) fn try_start() -> Option<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(binaries()?).arg(SCRIPT);
        let mut keeper = Keeper::start(command);
        let folder = keeper.answer();
        assert!(Path::new(&folder).is_absolute(), "{folder}");
        let port = free_port();
        keeper.order(&format!("start {port}")).unwrap_or_else(|problem| panic!("{problem}"));
        Some(Self { keeper: Mutex::new(keeper), port, databases: AtomicU32::new(0) })
    }

    /// Creates an empty database, and returns its address.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.order(&format!("create {name}"));
        format!("postgres://portal@127.0.0.1:{}/{name}", self.port)
    }

    /// Returns the address of a database as seen through another port, such as a proxy's.
    pub(crate) fn through(port: u16, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').unwrap();
        format!("postgres://portal@127.0.0.1:{port}/{database}")
    }

    /// Queries a database, and returns the answer as plain text.
    pub(crate) fn ask(url: &str, question: &str) -> String {
        let mut psql = Command::new(binaries().expect(MISSING).join("psql"));
        let output = psql.args(["-XAtc", question, url]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Returns the port that the server listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server as a crash would.
    pub(crate) fn stop(&self) {
        self.order("stop");
    }

    /// Restarts the server on the same port, with the same data.
    pub(crate) fn start_again(&self) {
        self.order(&format!("start {}", self.port));
    }

    fn order(&self, order: &str) {
        self.keeper.lock().unwrap().order(order).unwrap_or_else(|problem| panic!("{problem}"));
    }
}

/// Finds the folder with the server's programs, of the newest version.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(version);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates =
        newest.map(|path| path.join("bin")).into_iter().chain(env::split_paths(&path));
    candidates.find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}
