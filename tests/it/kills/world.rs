//! The processes: a portal and its platform, which are killed and restarted.

use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::Value;

use super::board::Board;
use crate::support::platform::Platform as Sandbox;
use crate::support::process::{PortalDir, Running, free_port};

/// The image that becomes live.
const GOOD: &str = "sandbox/hello";
/// Images that are rolled back: mostly early, because they do not exist, and sometimes late.
const BAD: [&str; 4] =
    ["sandbox/nothing-such", "sandbox/nothing-such", "sandbox/nothing-such", "sandbox/crashloop"];
const API_KEY: &str = "key-of-the-sandbox";

/// Where the platform is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    /// A process of its own, with its API on this port.
    Alone(u16),
    /// In the portal, with which it dies.
    Embedded,
}

/// A portal and its platform.
pub(crate) struct World {
    pub(crate) portal_dir: PortalDir,
    pub(crate) board: Arc<Board>,
    pub(crate) rng: StdRng,
    platform: Platform,
    /// Further variables of the portal, such as another database.
    variables: Vec<(String, String)>,
    /// The number of times that the portal was started.
    starts: usize,
    portal: Option<Running>,
    sandbox: Option<Sandbox>,
    log: Vec<String>,
}

impl Platform {
    pub(crate) fn alone() -> Self {
        Self::Alone(free_port())
    }
}

impl World {
    /// Starts the platform and the portal. The portal gets `variables` as well.
    pub(crate) fn start(platform: Platform, variables: &[(&str, &str)], seed: u64) -> Self {
        let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let mut world = Self {
            portal_dir: PortalDir::new(),
            board: Arc::default(),
            rng: StdRng::seed_from_u64(seed),
            platform,
            variables: variables.collect(),
            starts: 0,
            portal: None,
            sandbox: None,
            log: Vec::new(),
        };
        if let Platform::Alone(api) = platform {
            world.start_sandbox(api);
        }
        world.start_portal();
        world
    }

    /// Starts the portal, alternately with an image that becomes live and with one that does not,
    /// without waiting for it.
    fn start_portal(&mut self) {
        let is_valid = self.starts.is_multiple_of(2);
        let image = if is_valid { GOOD } else { BAD.choose(&mut self.rng).unwrap() };
        self.starts += 1;
        let mut command = self.portal_dir.command(&[]);
        command.envs(self.sandbox.iter().flat_map(Sandbox::variables));
        command
            .env("STACK_IMAGE", image)
            .env("DEPLOY_RATE_LIMIT", "1000000")
            .env("MAX_CONCURRENT_DEPLOYMENTS", "5");
        self.portal = Some(Running::spawn(command.envs(self.variables.iter().cloned())));
    }

    fn start_sandbox(&mut self, api: u16) {
        let state = self.portal_dir.path().join("sandbox.json").display().to_string();
        let arguments = ["--latency", "15", "--state", &state];
        self.sandbox = Some(Sandbox::start_at(api, &self.portal_dir, API_KEY, &arguments));
    }

    pub(crate) fn portal(&mut self) -> &mut Running {
        self.portal.as_mut().unwrap()
    }

    /// Injects a fault into the platform, which is a process of its own.
    pub(crate) fn inject(&self, fault: &str) {
        self.sandbox.as_ref().unwrap().inject(fault);
    }

    /// Kills the portal and restarts it at once.
    pub(crate) fn kill_portal(&mut self) {
        let log = self.portal.take().unwrap().kill();
        self.keep("the portal was killed", log);
        self.start_portal();
    }

    /// Kills a platform in its own process, and restarts it after `pause`.
    pub(crate) fn kill_platform(&mut self, pause: Duration) {
        let Platform::Alone(api) = self.platform else { panic!("it dies with the portal") };
        let log = self.sandbox.take().unwrap().kill();
        self.keep("the platform was killed", log);
        thread::sleep(pause);
        self.start_sandbox(api);
    }

    /// Shuts the portal down, and returns what exists on the platform.
    pub(crate) fn end(&mut self) -> Value {
        self.portal().wait_until_ready();
        let (code, _) = self.portal.take().unwrap().end();
        assert_eq!(code, Some(0));
        // A separate sandbox reads the state file of an embedded one.
        if self.platform == Platform::Embedded {
            self.start_sandbox(free_port());
        }
        self.sandbox.as_ref().unwrap().state()
    }

    fn keep(&mut self, what: &str, log: Vec<String>) {
        self.log.extend(log);
        self.log.push(format!("--- {what}"));
    }
}

/// Stops the watchers, and keeps the logs if the test fails.
impl Drop for World {
    fn drop(&mut self) {
        self.board.give_up();
        if thread::panicking() {
            let portal = self.portal.take().map(Running::kill);
            let sandbox = self.sandbox.take().map(Sandbox::kill);
            for log in portal.into_iter().chain(sandbox) {
                self.keep("the test gave up", log);
            }
            fs::write(self.portal_dir.path().join("log"), self.log.join("\n")).ok();
            self.portal_dir.folder.disable_cleanup(true);
            println!("log, database and platform: {}", self.portal_dir.path().display());
        }
    }
}
