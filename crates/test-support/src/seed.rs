//! The seed of all random choices in tests.
//!
//! The seed comes from the tree of the commit, so a commit runs the same schedules everywhere, and
//! the next commit runs others. Uncommitted changes do not affect it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use proptest::test_runner::{Config, RngSeed};

/// The seed without git, as in an unpacked archive.
const WITHOUT_GIT: u64 = 0x5eed;

/// Returns the seed for the random choices in `what`, and prints it: the variable `SEED`, otherwise
/// the seed of the commit.
pub fn seed(what: &str) -> u64 {
    static OF_COMMIT: LazyLock<Option<u64>> = LazyLock::new(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        workspace.and_then(of_tree_in)
    });
    let (seed, source) = match (number("SEED"), *OF_COMMIT) {
        (Some(seed), _) => (seed, "as asked for"),
        (None, Some(seed)) => (seed, "from the commit's tree"),
        (None, None) => (WITHOUT_GIT, "always the same one without git"),
    };
    println!("{what}: SEED={seed} ({source})");
    seed
}

/// Returns the configuration of property-based tests, with the seed of [`seed`]. The seed
/// reproduces a failed case, so no regression files are written.
pub fn properties() -> Config {
    Config {
        rng_seed: RngSeed::Fixed(seed("properties")),
        failure_persistence: None,
        ..Config::default()
    }
}

/// Returns the number in a variable, if it is set.
pub fn number(variable: &str) -> Option<u64> {
    let given = std::env::vars().find_map(|(name, value)| (name == variable).then_some(value));
    given.map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Returns the seed of the tree of the commit that is checked out in `root`; `None` if `root` is
/// not the top of a git repository. The owner of the files does not matter.
fn of_tree_in(root: &Path) -> Option<u64> {
    let ceiling = root.parent().map_or(OsStr::new("/"), Path::as_os_str);
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "rev-parse", "--verify", "--quiet", "HEAD^{tree}"])
        .current_dir(root)
        // In a git hook, these variables name another repository.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env("GIT_CEILING_DIRECTORIES", ceiling)
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    let hash = String::from_utf8(output.stdout).ok()?;
    hash.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com"];
        let mut command = Command::new("git");
        let command = command.args(who).args(arguments).current_dir(folder);
        let output = command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn commit(folder: &Path, text: &str, words: &str) -> Option<u64> {
        fs::write(folder.join("file"), text).unwrap();
        git(folder, &["add", "file"]);
        git(folder, &["commit", "--quiet", "--message", words]);
        of_tree_in(folder)
    }

    #[test]
    fn one_tree_has_one_seed_wherever_it_is_and_another_tree_another_one() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for folder in [here.path(), there.path()] {
            git(folder, &["init", "--quiet"]);
            assert_eq!(of_tree_in(folder), None, "nothing is committed yet");
        }
        let first = commit(here.path(), "one", "here");
        assert!(first.is_some());
        assert_eq!(commit(there.path(), "one", "there, by other words"), first);
        fs::write(here.path().join("file"), "not committed").unwrap();
        assert_eq!(of_tree_in(here.path()), first);
        let second = commit(here.path(), "two", "the next one");
        assert!(second.is_some() && second != first, "{second:?}");
    }

    #[test]
    fn the_tree_of_a_repository_around_it_is_not_its_own() {
        let around = tempfile::tempdir().unwrap();
        git(around.path(), &["init", "--quiet"]);
        assert!(commit(around.path(), "one", "around").is_some());
        let unpacked = around.path().join("unpacked");
        fs::create_dir(&unpacked).unwrap();
        assert_eq!(of_tree_in(&unpacked), None);
        assert_eq!(of_tree_in(&around.path().join("nowhere")), None);
    }
}
