//! Checks the dependencies between the modules by the names that their sources contain.
//!
//! `app -> api -> stacks -> ports <- adapters`; everything may use `domain`, which uses nothing of
//! ours.

mod arrows;
mod document;
mod pins;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use domain::kind::Kinds;

const LONGEST_FILE: usize = 400;

/// A source file, without its comments and tests.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        let own = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code = own.lines().filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n");
        Self { path, code, lines: text.lines().count() }
    }

    /// Returns whether the file is `part`, or is in the folder `part`.
    fn is_in(&self, part: &str) -> bool {
        self.path == format!("{part}.rs") || self.path.starts_with(&format!("{part}/"))
    }

    /// Returns whether the code uses something of the crate or module `name`.
    fn names(&self, name: &str) -> bool {
        self.says(&format!("{name}::"))
    }

    /// Returns whether the code contains `text`, and not only as the end of a longer word.
    fn says(&self, text: &str) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(text).any(|(at, _)| {
            let (before, after) = (&self.code[..at], &self.code[at + text.len()..]);
            let goes_on = text.ends_with(is_word) && after.starts_with(is_word);
            !before.ends_with(is_word) && !goes_on
        })
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source::read(&path));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

/// Returns the sources of the portal, of its crates, and of the tests of both.
fn everything() -> Vec<Source> {
    ["src", "crates", "tests/it"].into_iter().flat_map(sources).collect()
}

#[test]
fn each_library_is_known_only_to_its_part() {
    let parts: [(&str, &[&str]); 14] = [
        ("prometheus_client", &["src/server/metrics"]),
        ("opentelemetry", &["src/server/traces"]),
        ("opentelemetry_otlp", &["src/server/traces"]),
        ("opentelemetry_sdk", &["src/server/traces"]),
        ("sqlx", &["src/server/store", "src/server/schema", "src/server/sqlite_file"]),
        ("reqwest", &["src/server/auth/oidc", "src/server/probe", "src/server/traces"]),
        ("rustix", &[]),
        ("dokploy", &["src/cli", "src/run", "src/server/platform"]),
        ("dokploy_sandbox", &["src/cli", "src/run"]),
        ("leptos", &["src/api", "src/app", "src/cli", "src/http", "src/lib", "src/run"]),
        ("openidconnect", &["src/server/auth/oidc"]),
        (
            "axum",
            &[
                "src/http",
                "src/run",
                // The credentials of a caller are in the headers of their request.
                "src/server/auth/authenticate",
                "src/server/auth/cookies",
                "src/server/page",
                // The exporter's client gets and returns the `http` crate's types.
                "src/server/traces",
                // `leptos_axum` provides types of axum: the head of a request, and a response.
                "src/api/account",
                "src/api/reply",
                "src/app/policy",
            ],
        ),
        ("clap", &["src/server/config", "src/cli"]),
        ("utoipa", &["src/http/openapi"]),
    ];
    for source in sources("src") {
        for (library, allowed) in parts {
            let may = allowed.iter().any(|part| source.is_in(part));
            assert!(may || !source.names(library), "{} uses {library}", source.path);
        }
    }
}

/// The parts that may name a kind of operation, its steps and its phases: what the kinds do, the
/// use cases that begin one, and the rows of versions that knew two kinds and named none.
const OF_ONE_KIND: [&str; 5] = [
    "src/server/operations",
    "src/server/steps",
    "src/server/stacks/operations",
    "src/server/stacks/starting",
    "src/server/store/sql/rows",
];

#[test]
fn what_drives_stores_and_shows_operations_names_no_kind_step_or_phase_of_one() {
    let mut words = Vec::new();
    let kinds = Kinds::default();
    for kind in kinds.names().map(|name| kinds.of(name)) {
        words.push(kind.name.as_str().to_uppercase());
        for step in kind.steps {
            words.push(format!("StepId::{}", step.id.as_str().to_uppercase()));
            words.push(format!("Phase::{}", step.phase.as_str().to_uppercase()));
        }
    }
    // In this phase every kind begins.
    words.retain(|word| word != "Phase::INITIALIZING");
    let everything = sources("src");
    // The words occur in other files, which shows that the search for them works.
    for word in words.iter().filter(|word| !word.starts_with("Phase::")) {
        assert!(everything.iter().any(|source| source.says(word)), "{word} is nowhere");
    }
    // As a statement of SQL has them.
    words.extend(kinds.names().map(|name| format!("'{}'", name.as_str())));
    for source in everything.iter().filter(|one| !OF_ONE_KIND.iter().any(|part| one.is_in(part))) {
        for word in &words {
            assert!(!source.says(word), "{} names {word}", source.path);
        }
    }
}

#[test]
fn names_that_belong_in_one_place_occur_only_there() {
    // The words, and the only parts that may contain them.
    let words: [(&str, &[&str], &[&str]); 6] = [
        // The one title that escapes its text.
        ("src/app", &["leptos_meta::Title", "<Title"], &["src/app/pages/title"]),
        // A page calls use cases, and reads what they return.
        ("src/app", &["Store", "AuditTrail", "Accounts", "Probe", "CallSlots"], &[]),
        // Nor has it a trait object, which a port would be. These are functions that the browser calls.
        (
            "src/app",
            &["dyn"],
            &["src/app/browser/in_browser", "src/app/live/events", "src/app/renewed"],
        ),
        // The browser: its window and document, and the libraries over them.
        (
            "src/app",
            &["window()", "document()", "web_sys", "js_sys", "gloo_net", "local_storage"],
            &["src/app/browser", "src/app/controls", "src/app/live"],
        ),
        // The engine drives any platform.
        ("src/server/saga", &["Dokploy", "dokploy"], &[]),
        // The decision what to do after a failed call.
        ("src", &["Advice", "backon"], &["src/server/saga/retry", "src/server/platform"]),
    ];
    for source in sources("src") {
        for (part, words, allowed) in words.iter().filter(|(part, ..)| source.is_in(part)) {
            let may = allowed.iter().any(|part| source.is_in(part));
            for word in words.iter().filter(|_| !may) {
                assert!(!source.says(word), "{} in {part} says {word}", source.path);
            }
        }
    }
}

#[test]
fn files_are_short_and_none_is_called_mod() {
    for source in &everything() {
        assert!(source.lines <= LONGEST_FILE, "{} has {} lines", source.path, source.lines);
        assert!(!source.path.ends_with("/mod.rs"), "{}", source.path);
    }
}

/// The files that draw random ids, secrets and ports for a portal under test. They do not influence
/// schedules.
const DRAWS: [&str; 4] = [
    "tests/it/admin/world",
    "tests/it/support/app",
    "tests/it/support/sign_in_service",
    "tests/it/support/process",
];

#[test]
fn random_tests_use_the_seed_of_the_commit() {
    let draws = ["rand::random", "rand::rng()", "RngSeed::Random", "from_os_rng", "ThreadRng"];
    let config = "#![proptest_config(test_support::properties())]";
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    for source in &everything() {
        let text = read(&source.path).unwrap();
        let mut lines = text.lines().map(str::trim);
        while lines.any(|line| line.starts_with("proptest! {")) {
            assert_eq!(lines.next(), Some(config), "{}", source.path);
        }
    }
    let of_schedules = sources("tests/it").into_iter().filter(|source| {
        !DRAWS.iter().chain(&["tests/it/architecture"]).any(|part| source.is_in(part))
    });
    for source in of_schedules {
        assert!(!draws.iter().any(|draw| source.code.contains(draw)), "{}", source.path);
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in everything().iter().map(|source| &source.path) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        assert!(text.starts_with("//! "), "{path} has no description");
    }
}

#[test]
fn the_server_finds_the_site_where_the_build_puts_it() {
    let at_run_time = leptos_settings(&text_of("Leptos.toml"));
    let at_build_time = leptos_settings(&text_of("Cargo.toml"));
    assert!(!at_run_time.is_empty());
    for setting in at_run_time {
        assert!(at_build_time.contains(&setting), "{setting:?} is not in Cargo.toml");
    }
}

/// The WASM module and the command `wasm-bindgen` must have the same version: otherwise the command
/// fails, or the page does not start.
#[test]
fn the_command_wasm_bindgen_has_the_version_of_the_crate() {
    let portal = text_of("Cargo.toml");
    let (_, pin) = portal.split_once("wasm-bindgen = { version = \"=").unwrap();
    let (version, _) = pin.split_once('"').unwrap();
    let command = text_of("scripts/wasm-bindgen/Cargo.toml");
    assert!(
        command.contains(&format!("\nversion = \"{version}\"\n")),
        "the command is not {version}"
    );
    assert!(
        command.contains(&format!("wasm-bindgen-cli-support = \"={version}\"")),
        "its library is not {version}"
    );
}

/// Reads a file of the repository.
fn text_of(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).unwrap_or_else(|_| panic!("no {file}"))
}

/// Reads the simple settings below `[package.metadata.leptos]`.
fn leptos_settings(text: &str) -> Vec<(String, String)> {
    let (_, section) = text.split_once("[package.metadata.leptos]").unwrap();
    let own = section.lines().skip(1).take_while(|line| !line.starts_with('['));
    let pairs = own.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
