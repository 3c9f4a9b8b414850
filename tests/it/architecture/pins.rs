//! What the build downloads is fixed: images by digest, actions by commit, and nothing runs that
//! comes unchecked out of the network. The services of `compose.yaml` have no privileges.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use super::text_of;

/// The image that `compose.yaml` builds itself.
const OWN_IMAGE: &str = "ai-stack-deployer";

/// Returns the files that build, test or run the portal, with their texts.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let below = [".ci", ".gitea/workflows", "deploy", "scripts", "scripts/lib"];
    let listed = below.iter().flat_map(|folder| {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_file()).collect::<Vec<_>>()
    });
    let own = ["Dockerfile", "compose.yaml"].map(|name| root.join(name));
    let read = |path: std::path::PathBuf| {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        (name, fs::read_to_string(&path).unwrap())
    };
    own.into_iter().chain(listed).map(read).collect()
}

/// Returns the lines without comments, and with their continuations.
fn commands(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ")
}

/// Returns the images and actions that `text` uses.
fn used(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let image = concat!(
        r"(?m)(?:^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*",
        r"|^[ \t]*-?[ \t]*(?:image|container):[ \t]+|\b(?:image|generator)=)([^\s,]+)",
    );
    let stages = Regex::new(r"(?m)^FROM .* AS (\S+)").unwrap();
    let stages: BTreeSet<_> = stages.captures_iter(text).map(|found| found[1].to_owned()).collect();
    let text = commands(text);
    let all = |pattern: &str| -> BTreeSet<String> {
        let pattern = Regex::new(pattern).unwrap();
        pattern.captures_iter(&text).map(|found| found[1].to_owned()).collect()
    };
    let images = all(image).into_iter().filter(|name| name != OWN_IMAGE && !stages.contains(name));
    (images.collect(), all(r"(?m)^\s*-?\s*uses:\s+(.*)$"))
}

/// Returns what `text` uses without fixing it.
fn floating(text: &str) -> Vec<String> {
    // A full version or a date in the tag, and the digest.
    let image = Regex::new(r"^[\w./-]+:[\w.-]*\d+[.\d]*\d[\w.-]*@sha256:[0-9a-f]{64}$").unwrap();
    let action = Regex::new(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+").unwrap();
    let (images, actions) = used(text);
    let images = images.into_iter().filter(|name| !image.is_match(name));
    images.chain(actions.into_iter().filter(|name| !action.is_match(name))).collect()
}

/// Returns the command in which something is run as it comes out of the network.
fn piped(text: &str) -> Option<String> {
    let shell = concat!(
        r"(?:(?:\S*/)?(?:sudo|env)\s+(?:-\S+\s+)*)*(?:\S*/)?",
        r"(?:(?:ba|da|z|k)?sh|python3?|node|perl|ruby|tar)\b",
    );
    let patterns = [
        format!(r"(?:curl|wget)\b[^\n;&]*\|\s*(?:{shell})"),
        r"(?:sh -c|eval|source|\.)\s+.?(?:\$\(|<\(|`)\s*(?:curl|wget)\b".to_owned(),
        r"(?:sh|python3?)\s+<\(\s*(?:curl|wget)\b".to_owned(),
        r"(?m)^\s*ADD\s+(?:--\S+\s+)*https?:".to_owned(),
    ];
    let text = commands(text);
    let found = |pattern: &String| {
        Regex::new(pattern).unwrap().find(&text).map(|found| found.as_str().to_owned())
    };
    patterns.iter().find_map(found)
}

#[test]
fn images_and_actions_are_fixed() {
    let files = files();
    let (mut images, mut actions) = (BTreeSet::new(), BTreeSet::new());
    for (name, text) in &files {
        assert_eq!(floating(text), Vec::<String>::new(), "{name}");
        let (of_file, used) = used(text);
        images.extend(of_file);
        actions.extend(used);
    }
    assert!(images.len() >= 8, "{images:?}");
    assert!(actions.len() >= 3, "{actions:?}");
}

#[test]
fn nothing_runs_as_it_comes_out_of_the_network() {
    for (name, text) in files() {
        assert_eq!(piped(&text), None, "{name}");
    }
}

#[test]
fn what_floats_and_what_is_piped_is_found_out() {
    let digest = format!("@sha256:{}", "0a".repeat(32));
    for text in [
        "FROM node:24-bookworm-slim AS node",
        "FROM --platform=linux/amd64 rust:1.95.0-bookworm",
        "  container: node:24.20.0-bookworm",
        "    image: postgres",
        "docker buildx create --driver-opt image=moby/buildkit:v0.29.0",
        "docker buildx build --sbom=generator=docker/buildkit-syft-scanner:stable-1",
        &format!("FROM debian:bookworm-slim{digest}"),
        &format!("FROM debian{digest}"),
        "  - uses: actions/checkout@v4",
        "  - uses: actions/checkout@v4.3.1",
        &format!("  - uses: actions/checkout@{}", "0a".repeat(20)),
    ] {
        assert_eq!(floating(text).len(), 1, "{text}");
    }
    for text in [
        &format!("FROM node:24.20.0-bookworm{digest} AS node\nFROM node"),
        &format!("FROM debian:bookworm-20260918-slim{digest}"),
        &format!("  - uses: actions/checkout@{} # v4.3.1", "0a".repeat(20)),
        "  # container: node",
        "  image:\n    needs: test",
    ] {
        assert!(floating(text).is_empty(), "{text}");
    }
    for text in [
        "curl -fsSL https://sh.rustup.rs | sh -s -- -y",
        "curl https://example.com/x \\\n  | sudo -E bash",
        "curl https://example.com/x | /usr/bin/env python3",
        "wget -qO- https://example.com/x | tar -xz",
        "bash <(curl https://example.com/x)",
        "sh -c \"$(curl https://example.com/x)\"",
        "ADD https://example.com/x /x",
    ] {
        assert!(piped(text).is_some(), "{text}");
    }
    assert_eq!(
        piped("curl -o archive https://example.com/x && echo \"$digest archive\" | sha256sum -c -"),
        None
    );
}

#[test]
fn one_version_of_rust_and_one_supported_node_build_the_image_and_run_the_tests() {
    let (docker, _) = used(&text_of("Dockerfile"));
    let version = |image: &str| {
        let found = docker.iter().find_map(|one| one.strip_prefix(&format!("{image}:")));
        found.unwrap().split('-').next().unwrap().to_owned()
    };
    let install = text_of("scripts/install-rust");
    assert!(install.contains(&format!("\nRUST_VERSION={}\n", version("rust"))));
    let node = version("node");
    // The oldest line of Node.js that is still maintained.
    assert!(node.split('.').next().unwrap().parse::<u32>().unwrap() >= 24, "{node}");
    for (name, text) in files() {
        let other = used(&text).0.into_iter().find(|image| {
            image.starts_with("node:") && !image.starts_with(&format!("node:{node}-"))
        });
        assert_eq!(other, None, "{name}");
    }
}

#[test]
fn no_service_of_compose_has_privileges_or_a_root_that_it_can_write() {
    let compose: Value = serde_saphyr::from_str(&text_of("compose.yaml")).unwrap();
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.len(), 4);
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        let options = service["security_opt"].as_array().unwrap();
        assert!(options.contains(&"no-new-privileges:true".into()), "{name}");
        assert!(service["tmpfs"].as_array().is_some_and(|tmpfs| !tmpfs.is_empty()), "{name}");
        for privilege in ["privileged", "cap_add", "pid", "network_mode", "devices"] {
            assert!(service.get(privilege).is_none(), "{name} has {privilege}");
        }
        // The portal's image says itself that it is not root's.
        let is_own = service["image"] == OWN_IMAGE;
        assert!(is_own || service["user"].as_str().is_some_and(|user| user != "0"), "{name}");
        // Compose cannot write a text into a service whose root is read-only.
        for config in service["configs"].as_array().into_iter().flatten() {
            let source = config["source"].as_str().unwrap();
            assert!(compose["configs"][source]["file"].is_string(), "{name}: {source}");
        }
    }
    assert!(text_of("Dockerfile").contains("\nUSER portal\n"));
}
