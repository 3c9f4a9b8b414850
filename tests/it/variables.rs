//! The variables of a real process: files of secrets, values in quotes, and misspelt names.

use std::fs;

use crate::support::process::{PortalDir, Running, exchange, free_port};

const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

#[test]
fn a_misspelt_name_is_reported_at_the_start_and_by_check() {
    let portal_dir = PortalDir::new();
    let misspelt = [("TRUSTEDPROXIES", "10.0.0.0/8"), ("OIDC_ISSUR", "canary")];
    let expected = [
        "TRUSTEDPROXIES is not a setting of the portal and has no effect: the setting with the \
         nearest name is TRUSTED_PROXIES",
        "OIDC_ISSUR is not a setting of the portal and has no effect: the setting with the nearest \
         name is OIDC_ISSUER",
    ];
    let (_, started) = portal_dir.start(&misspelt).end_with_output();
    let output = portal_dir.command(&misspelt).arg("check").output().unwrap();
    for said in [started.join("\n"), String::from_utf8(output.stdout).unwrap()] {
        for warning in expected {
            assert_eq!(said.matches(warning).count(), 1, "{warning}\n{said}");
        }
        assert!(!said.contains("canary"), "{said}");
    }
}

#[test]
fn a_value_in_quotes_stops_every_command_with_a_sentence() {
    let portal_dir = PortalDir::new();
    for arguments in [&[][..], &["check"], &["audit"], &["healthcheck"]] {
        let mut command = portal_dir.command(&[("OIDC_NAME", "'Example canary'")]);
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let sentence = "ai-stack-deployer: OIDC_NAME begins and ends with a quote: remove both";
        assert!(said.starts_with(sentence) && !said.contains("canary"), "{said}");
    }
}

#[test]
fn the_portals_key_may_be_in_a_file() {
    let portal_dir = PortalDir::new();
    let path = portal_dir.path().join("key");
    fs::write(&path, format!("test:{KEY}\n")).unwrap();
    let path = path.to_str().unwrap();
    let said = |variables: &[(&str, &str)]| {
        let output = portal_dir.command(variables).arg("check").output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let found = said(&[("PORTAL_SECRET_KEY_FILE", path)]);
    assert!(found.contains("are stored under the portal's key test."), "{found}");
    let both = said(&[("PORTAL_SECRET_KEY_FILE", path), ("PORTAL_SECRET_KEY", KEY)]);
    assert!(both.contains("is set, and so is PORTAL_SECRET_KEY: remove one of the two"), "{both}");
    let missing = said(&[("PORTAL_SECRET_KEY_FILE", "/nowhere/key")]);
    assert!(missing.contains("names the file /nowhere/key, which cannot be read"), "{missing}");
}

#[test]
fn a_value_in_quotes_on_the_command_line_is_refused_as_well() {
    let portal_dir = PortalDir::new();
    let forms = [&["--oidc-name", "'Example canary'"][..], &["--oidc-name=\"Example canary\""]];
    for arguments in forms {
        let output = portal_dir.command(&[]).args(arguments).arg("check").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let sentence = "ai-stack-deployer: --oidc-name has a value that begins and ends with a";
        assert!(said.starts_with(sentence) && !said.contains("canary"), "{said}");
    }
    let output = portal_dir.command(&[]).args(["stuck", "retry", "'alice'"]).output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains("quote"));
}

#[test]
fn the_sandboxs_key_may_be_in_a_file() {
    let portal_dir = PortalDir::new();
    let path = portal_dir.path().join("key");
    fs::write(&path, "from-the-file\n").unwrap();
    let mut command = portal_dir.command(&[("SANDBOX_API_KEY_FILE", path.to_str().unwrap())]);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    command.args(["sandbox", "--listen", &listen, "--edge", "127.0.0.1:0"]);
    let mut sandbox = Running::spawn(&mut command);
    sandbox.wait_for("API listens on");
    let call = |key: &str| {
        let head = format!("Host: x\r\nConnection: close\r\nx-api-key: {key}\r\n\r\n");
        exchange(port, &format!("GET /api/project.all HTTP/1.1\r\n{head}"))
    };
    assert!(call("from-the-file").starts_with("HTTP/1.1 200 "));
    assert!(call("another").starts_with("HTTP/1.1 401 "));
    // What is given as an argument counts.
    let mut command = portal_dir.command(&[("SANDBOX_API_KEY", "from-the-variable")]);
    command.args(["sandbox", "--api-key", "own", "--listen", "127.0.0.1:0", "--fault", "nonsense"]);
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("nonsense") && !said.contains("--api-key"), "{said}");
}
