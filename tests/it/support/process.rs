//! The binary as a process: starts it, sends requests, and stops or kills it.

use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};
use tempfile::TempDir;

use super::contract;

const BINARY: &str = env!("CARGO_BIN_EXE_ai-stack-deployer");
/// The log message of a portal that is ready.
const LISTENS: &str = "The portal listens on";
/// The time limit for the output of a process.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The range of ports. It has none that the system uses for outgoing connections, since such a
/// connection could take the port while its process is down.
const PORTS: std::ops::Range<u16> = 10_000..30_000;

/// A folder and two ports, for portals that run one after the other.
pub(crate) struct PortalDir {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    pub(crate) edge: u16,
}

/// A running process, which is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    log: Receiver<String>,
    read: Vec<String>,
}

impl PortalDir {
    pub(crate) fn new() -> Self {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        Self { folder, port: free_port(), edge: free_port() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns a command without inherited environment variables. `variables` override those of
    /// this folder.
    pub(crate) fn command(&self, variables: &[(&str, &str)]) -> Command {
        let database = format!("sqlite://{}/portal.db", self.path().display());
        // Most tests are about one image.
        let has_templates = variables.iter().any(|(name, _)| *name == "CATALOGUE");
        let image = (!has_templates).then_some(("STACK_IMAGE", "sandbox/hello"));
        let mut command = Command::new(BINARY);
        command
            .env_clear()
            .env("DATABASE_URL", database)
            .env("PORT", self.port.to_string())
            .env("SANDBOX_EDGE_PORT", self.edge.to_string())
            .envs(image)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a portal, and waits until it is ready.
    pub(crate) fn start(&self, variables: &[(&str, &str)]) -> Running {
        let mut running = Running::spawn(&mut self.command(variables));
        running.wait_until_ready();
        running
    }

    pub(crate) fn get(&self, path: &str) -> String {
        exchange(self.port, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    /// Starts a deployment, and returns its id.
    pub(crate) fn deploy(&self, name: &str) -> String {
        let answer = post_deploy(self.port, name);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        id_in(&answer, "dep_")
    }

    /// Returns the events of a deployment, once it has ended.
    pub(crate) fn events(&self, id: &str) -> String {
        self.get(&format!("/api/status/{id}"))
    }

    /// Waits until the events of a deployment contain `text`.
    pub(crate) fn wait_for_event(&self, id: &str, text: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(request(&format!("GET /api/status/{id}"), "", "").as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert!(lines.any(|line| line.unwrap().contains(text)), "no {text}");
    }

    /// Makes a deployment that ends with the event `end`, and returns its id.
    pub(crate) fn deploy_until(&self, name: &str, end: &str) -> String {
        let id = self.deploy(name);
        let events = self.events(&id);
        assert!(events.contains(&format!("event: {end}")), "{events}");
        id
    }
}

impl Running {
    /// Starts `command`, and reads its output while it runs: a full pipe would block it.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, log) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let (lines, sender) = (BufReader::new(output).lines(), sender.clone());
            thread::spawn(move || {
                lines.map_while(Result::ok).try_for_each(|line| sender.send(line))
            });
        }
        Self { child, log, read: Vec::new() }
    }

    /// Returns the process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until its output contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.has_read(text) {
            match self.log.recv_timeout(TIMEOUT) {
                Ok(line) => self.read.push(line),
                Err(error) => panic!("no {text:?} ({error}):\n{}", self.read.join("\n")),
            }
        }
    }

    /// Waits until a portal is ready.
    pub(crate) fn wait_until_ready(&mut self) {
        self.wait_for(LISTENS);
    }

    /// Returns whether a portal is ready by now.
    pub(crate) fn is_ready(&mut self) -> bool {
        self.read.extend(self.log.try_iter());
        self.has_read(LISTENS)
    }

    fn has_read(&self, text: &str) -> bool {
        self.read.iter().any(|line| line.contains(text))
    }

    /// Waits until it ends by itself, and returns its exit code and its output.
    pub(crate) fn wait_until_it_ends(&mut self) -> (Option<i32>, Vec<String>) {
        // Its outputs are closed when it ends.
        self.read.extend(self.log.iter());
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.read))
    }

    /// Shuts it down, and returns its exit code and its output.
    pub(crate) fn end_with_output(mut self) -> (Option<i32>, Vec<String>) {
        let (code, _) = self.ask_to_end();
        self.read.extend(self.log.iter());
        (code, std::mem::take(&mut self.read))
    }

    /// Shuts it down, and returns its exit code and how many seconds that took.
    pub(crate) fn end(mut self) -> (Option<i32>, i64) {
        self.ask_to_end()
    }

    fn ask_to_end(&mut self) -> (Option<i32>, i64) {
        let asked = SystemClock.now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, SystemClock.now().duration_since(asked).as_secs())
    }

    /// Kills it with SIGKILL, and returns its output.
    ///
    /// # Panics
    ///
    /// Panics if it had ended by itself, unless the test is failing already.
    pub(crate) fn kill(mut self) -> Vec<String> {
        let ended = self.child.try_wait().unwrap();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.read.extend(self.log.iter());
        let is_as_wanted = ended.is_none() || thread::panicking();
        assert!(is_as_wanted, "it ended by itself:\n{}", self.read.join("\n"));
        std::mem::take(&mut self.read)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns a free port that no other test gets.
pub(crate) fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> =
        LazyLock::new(|| AtomicU16::new(rand::random_range(0..PORTS.end - PORTS.start)));
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + next % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Writes a request for an exchange; each of `headers` ends its own line.
pub(crate) fn request(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Asks the portal at `port` for a deployment, and returns the whole answer.
pub(crate) fn post_deploy(port: u16, name: &str) -> String {
    exchange(port, &request("POST /api/deploy", "", &format!("{{\"name\":\"{name}\"}}")))
}

/// Finds the id that begins with `prefix`.
pub(crate) fn id_in(answer: &str, prefix: &str) -> String {
    let at = answer.find(prefix).unwrap_or_else(|| panic!("no {prefix} in {answer}"));
    answer[at..at + 36].to_owned()
}

/// Sends `request`, and reads until the server closes the connection. Checks that the API's document
/// allows an answer of the portal.
pub(crate) fn exchange(port: u16, request: &str) -> String {
    let answer = try_exchange(port, request).unwrap();
    contract::check_raw(request, &answer);
    answer
}

/// Does the same as [`exchange`] with a server that may be killed meanwhile.
pub(crate) fn try_exchange(port: u16, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
