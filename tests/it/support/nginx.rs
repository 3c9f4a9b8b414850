//! nginx in front of several portals, with the configuration of `compose.yaml`.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::keeper::Keeper;
use super::process::free_port;

const SCRIPT: &str = include_str!("nginx.sh");

/// A running nginx, which ends when this is dropped or the test process ends.
pub(crate) struct Nginx {
    pub(crate) port: u16,
    _keeper: Keeper,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it in front of the portals on these ports.
    pub(crate) fn before(portals: [u16; 2]) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut shipped = shipped();
        for (number, portal) in (1..).zip(portals) {
            replace(&mut shipped, &format!("portal-{number}:3000"), &format!("127.0.0.1:{portal}"));
        }
        // The directive that resolves names again is too new for the nginx of some distributions,
        // and not needed here.
        replace(&mut shipped, "resolver 127.0.0.11 valid=2s;", "");
        shipped = shipped.replace(" resolve;", ";");
        replace(&mut shipped, "listen 8080;", &format!("listen 127.0.0.1:{port};"));
        fs::write(folder.path().join("nginx.conf"), around(&shipped)).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(folder.path());
        let mut keeper = Keeper::start(command);
        let started = keeper.answer();
        assert_eq!(started, "", "nginx does not start");
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, _keeper: keeper, _folder: folder }
    }
}

/// Reads the configuration that `compose.yaml` gives to nginx.
fn shipped() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compose = fs::read_to_string(root.join("compose.yaml")).unwrap();
    assert_eq!(compose.matches("file: deploy/nginx.conf\n").count(), 1);
    fs::read_to_string(root.join("deploy/nginx.conf")).unwrap()
}

fn replace(text: &mut String, from: &str, to: &str) {
    assert_eq!(text.matches(from).count(), 1, "{from} in deploy/nginx.conf");
    *text = text.replace(from, to);
}

/// Adds what the image's own `nginx.conf` has around it, with all files in one folder.
fn around(shipped: &str) -> String {
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};\n"))
        .concat();
    format!(
        "daemon off;\nuser root;\npid nginx.pid;\nerror_log error.log;\nworker_processes 2;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\naccess_log off;\n{paths}{shipped}\n}}\n"
    )
}
