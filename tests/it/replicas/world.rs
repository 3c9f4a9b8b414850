//! The processes: a platform, two portals on one database, and nginx in front of them.

use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};

use crate::support::nginx::Nginx;
use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{
    PortalDir, Running, exchange, free_port, id_in, post_deploy, request, try_exchange,
};

/// The duration of a lease in these tests.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// The time limit for what must happen.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Two portals, and everything that they need.
pub(crate) struct World {
    pub(crate) nginx: Nginx,
    /// The ports of the portals.
    pub(crate) ports: [u16; 2],
    portal_dir: PortalDir,
    database: String,
    platform: Platform,
    /// The number of deployments that each portal drives at once.
    room: u16,
    /// What the portals get besides.
    more: Vec<(String, String)>,
    portals: [Option<Running>; 2],
}

impl World {
    /// Starts everything. Each portal drives a few deployments at once, so that both have work.
    pub(crate) fn start() -> Self {
        Self::start_with(6, &[])
    }

    /// Starts everything. Each portal drives `room` deployments at once, and gets `variables` as
    /// well.
    pub(crate) fn start_with(room: u16, variables: &[(&str, &str)]) -> Self {
        let (portal_dir, ports) = (PortalDir::new(), [free_port(), free_port()]);
        let platform = Platform::answering_after(&portal_dir, "30");
        let nginx = Nginx::before(ports);
        let database = Cluster::shared().database();
        let portals = [None, None];
        let more = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let mut world = Self { nginx, ports, portal_dir, database, platform, room, more, portals };
        world.start_portal(0);
        world.start_portal(1);
        world
    }

    /// Starts one of the portals, and waits until it is ready.
    pub(crate) fn start_portal(&mut self, which: usize) {
        let (port, room) = (self.ports[which].to_string(), self.room.to_string());
        let public = format!("http://127.0.0.1:{}", self.nginx.port);
        let lease = format!("{}s", LEASE.as_secs());
        let own = [
            ("DATABASE_URL", self.database.as_str()),
            ("PORT", &port),
            ("PUBLIC_URL", &public),
            ("LEASE_DURATION", &lease),
            ("MAX_CONCURRENT_DEPLOYMENTS", &room),
        ];
        let more = self.more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables: Vec<_> = own.into_iter().chain(more).collect();
        self.portals[which] = Some(self.platform.portal(&self.portal_dir, &variables));
    }

    /// Kills a portal by SIGKILL.
    pub(crate) fn kill(&mut self, which: usize) {
        self.portals[which].take().unwrap().kill();
    }

    /// Shuts a portal down.
    pub(crate) fn end(&mut self, which: usize) {
        assert_eq!(self.portals[which].take().unwrap().end().0, Some(0));
    }

    /// Requests a deployment through nginx, repeatedly with the same idempotency key until there is
    /// an answer, and returns its id.
    pub(crate) fn deploy(&self, name: &str) -> String {
        let (key, body) =
            (format!("Idempotency-Key: {name}\r\n"), format!("{{\"name\":\"{name}\"}}"));
        let request = request("POST /api/deploy", &key, &body);
        for _ in 0..100 {
            let answer = try_exchange(self.nginx.port, &request).unwrap_or_default();
            if answer.contains(" 201 ") {
                return id_in(&answer, "dep_");
            }
            assert!(answer.is_empty() || answer.contains(" 502 "), "{answer}");
            thread::sleep(Duration::from_millis(50));
        }
        panic!("nobody takes {name}");
    }

    /// Returns how often a deployment was claimed, including the lease with which it began.
    pub(crate) fn claims(&self, id: &str) -> u32 {
        let question = format!("SELECT lease_token FROM operations WHERE id = '{id}'");
        Cluster::ask(&self.database, &question).parse().unwrap()
    }

    /// Requests `/health` through nginx.
    pub(crate) fn health(&self) -> String {
        exchange(self.nginx.port, "GET /health HTTP/1.0\r\nHost: x\r\n\r\n")
    }

    /// Waits until both portals hold leases of deployments in progress.
    pub(crate) fn wait_until_both_drive(&self) {
        let owners = "SELECT count(DISTINCT lease_owner) FROM operations WHERE state = 'active'";
        let begun = SystemClock.now();
        while Cluster::ask(&self.database, owners) != "2" {
            let waited = SystemClock.now().duration_since(begun).unsigned_abs();
            assert!(waited < TIMEOUT, "one portal drives alone");
        }
    }

    /// Returns when each event was committed, in Unix milliseconds.
    pub(crate) fn commits(&self, id: &str) -> Vec<i64> {
        let question = format!(
            "SELECT floor(extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::bigint
             FROM events WHERE deployment_id = '{id}' ORDER BY seq"
        );
        let answer = Cluster::ask(&self.database, &question);
        answer.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Checks that the platform has `count` stacks, once each, and that all answer.
    pub(crate) fn assert_holds(&self, count: usize) {
        let state = self.platform.state();
        for kind in ["projects", "applications", "domains"] {
            assert_eq!(state[kind].as_array().unwrap().len(), count, "{kind}: {state}");
        }
        for number in 0..count {
            let host = format!("stack-{number}.localhost");
            let ask = format!("GET /health HTTP/1.0\r\nHost: {host}\r\n\r\n");
            assert!(
                exchange(self.portal_dir.edge, &ask).contains(" 200 "),
                "{host} does not answer"
            );
        }
        let others = "SELECT count(*) FROM operations WHERE state <> 'live'";
        assert_eq!(Cluster::ask(&self.database, others), "0");
    }
}

/// Requests a deployment from the portal at `port`, and returns its id.
pub(crate) fn deploy_at(port: u16, name: &str) -> String {
    id_in(&post_deploy(port, name), "dep_")
}
