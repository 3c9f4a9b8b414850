//! Many concurrent starts over two replicas on one PostgreSQL, on a platform with ten database
//! connections that hangs permanently if too many domains are created at once.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};

use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, exchange, free_port, post_deploy};

const STARTS: usize = 200;
/// The time limit for all of them on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(4);

/// A platform and two replicas.
struct World {
    portal_dir: PortalDir,
    api: u16,
    ports: [u16; 2],
    database: String,
    _running: Mutex<(Platform, [Running; 2])>,
}

impl World {
    /// Starts them, with `variables` for the replicas. The platform answers after `latency`
    /// milliseconds.
    fn start(latency: &str, variables: &[(&str, &str)]) -> Self {
        let portal_dir = PortalDir::new();
        let platform = Platform::answering_after(&portal_dir, latency);
        let database = Cluster::shared().database();
        let ports = [free_port(), free_port()];
        let portals = ports.map(|port| {
            let port = port.to_string();
            let own = [
                ("DATABASE_URL", database.as_str()),
                ("PORT", &port),
                ("DEPLOY_RATE_LIMIT", "10000"),
                ("RUST_LOG", "warn,ai_stack_deployer::run=info"),
            ];
            platform.portal(&portal_dir, &[&own, variables].concat())
        });
        let (api, running) = (platform.api, Mutex::new((platform, portals)));
        Self { portal_dir, api, ports, database, _running: running }
    }

    /// Requests all stacks at once, half of them from each replica, and returns how many requests
    /// were accepted.
    fn start_all(self: &Arc<Self>) -> usize {
        let callers = (0..20).map(|caller| {
            let world = Arc::clone(self);
            thread::spawn(move || {
                let numbers = (caller..STARTS).step_by(20);
                numbers.filter(|number| world.start_one(*number)).count()
            })
        });
        let callers: Vec<_> = callers.collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    }

    fn start_one(&self, number: usize) -> bool {
        post_deploy(self.ports[number % 2], &format!("stack-{number}")).contains(" 201 ")
    }

    fn count(&self, state: &str) -> usize {
        let question = format!("SELECT count(*) FROM operations WHERE state = '{state}'");
        Cluster::ask(&self.database, &question).parse().unwrap()
    }

    /// Returns whether the platform answers its health check within five seconds.
    fn is_healthy(&self) -> bool {
        let mut stream = TcpStream::connect(("127.0.0.1", self.api)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = "GET /api/trpc/settings.health HTTP/1.0\r\nHost: x\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
    }
}

#[test]
fn two_hundred_concurrent_starts_over_two_replicas_succeed() {
    let world = Arc::new(World::start("2", &[]));
    let begun = SystemClock.now();
    assert_eq!(world.start_all(), STARTS);
    let waited = || SystemClock.now().duration_since(begun).unsigned_abs();
    while world.count("active") > 0 {
        assert!(waited() < TIMEOUT, "{} are live", world.count("live"));
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(world.count("live"), STARTS);
    assert!(world.is_healthy());
    assert_eq!(Cluster::ask(&world.database, "SELECT count(*) FROM call_slots"), "0");
    let request =
        format!("GET / HTTP/1.0\r\nHost: stack-7.localhost:{}\r\n\r\n", world.portal_dir.edge);
    assert!(exchange(world.portal_dir.edge, &request).contains(" 200 "));
    println!("{STARTS} starts over two replicas are live after {:?}", waited());
}

#[test]
fn without_the_limit_the_platform_hangs() {
    let unbounded = [
        ("DOMAIN_CALLS_PER_REPLICA", "1000"),
        ("DOMAIN_CALLS", "2000"),
        ("CHANGING_CALLS", "2000"),
    ];
    let world = Arc::new(World::start("1000", &unbounded));
    world.start_all();
    let begun = SystemClock.now();
    while world.is_healthy() {
        let waited = SystemClock.now().duration_since(begun).unsigned_abs();
        assert!(waited < TIMEOUT && world.count("active") > 0, "it did not hang");
        thread::sleep(Duration::from_millis(100));
    }
}
