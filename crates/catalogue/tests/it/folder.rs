//! The folder: hostile files, templates that hide no others, and versions.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use catalogue::{Catalogue, Fault};
use domain::stack_spec::TemplateRef;

use crate::support::ALL;

fn put(folder: &Path, id: &str, text: &str) {
    fs::create_dir_all(folder.join(id)).unwrap();
    fs::write(folder.join(id).join("template.toml"), text).unwrap();
}

fn template(id: &str) -> String {
    ALL.replace("id = \"all\"", &format!("id = \"{id}\""))
}

fn ids(catalogue: &Catalogue) -> Vec<&str> {
    catalogue.iter().map(|entry| entry.template.id.as_str()).collect()
}

fn errors(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_template_with_a_fault_hides_none_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "good", &template("good"));
    put(folder.path(), "bad", &template("other"));
    put(folder.path(), "worse", "[template");
    put(folder.path(), ".git", "nothing");
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("README.md"), "Our templates").unwrap();
    put(folder.path(), "No Id", &template("no-id"));
    let reading = Catalogue::read(folder.path());
    assert_eq!(ids(&reading.catalogue), ["good"]);
    let files: Vec<_> = reading.faults.iter().map(|fault| fault.file.as_str()).collect();
    assert_eq!(
        files,
        ["No Id/template.toml", "bad/template.toml", "empty/template.toml", "worse/template.toml"]
    );
    let remedy = "the folder's name cannot be an id: rename the folder";
    assert!(reading.faults[0].message.contains(remedy), "{:?}", reading.faults[0]);
}

#[test]
fn files_that_are_links_out_too_large_or_not_utf8_are_refused() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |id: &str, file: &str| folder.path().join(id).join(file);
    for id in ["icon-out", "icon-large", "icon-text", "latin1", "pipe", "readme-gone", "within"] {
        put(folder.path(), id, &template(id));
    }
    fs::write(outside.path().join("secret.svg"), "<svg/>").unwrap();
    symlink(outside.path().join("secret.svg"), at("icon-out", "icon.svg")).unwrap();
    fs::write(at("icon-large", "icon.svg"), format!("<svg>{}", " ".repeat(64 * 1024))).unwrap();
    fs::write(at("icon-text", "icon.svg"), "hello").unwrap();
    fs::write(at("latin1", "README.md"), [b'a', b'\n', b'b', 0xe9, b'\n']).unwrap();
    fs::create_dir(at("pipe", "icon.svg")).unwrap();
    symlink("nowhere", at("readme-gone", "README.md")).unwrap();
    // Kubernetes mounts files as links within the folder.
    fs::create_dir(folder.path().join("..data")).unwrap();
    fs::write(folder.path().join("..data/icon.svg"), "<svg/>").unwrap();
    symlink("../..data/icon.svg", at("within", "icon.svg")).unwrap();
    // A whole folder that is a link out.
    put(outside.path(), "linked", &template("linked"));
    symlink(outside.path().join("linked"), folder.path().join("linked")).unwrap();
    let reading = Catalogue::read(folder.path());
    assert_eq!(ids(&reading.catalogue), ["within"]);
    assert_eq!(reading.catalogue.get("within").unwrap().icon.as_deref(), Some("<svg/>"));
    let found = errors(&reading.faults);
    for says in [
        "icon-out/icon.svg: the file is a link out",
        "icon-large/icon.svg: the file is larger than 64 KiB",
        "icon-text/icon.svg: the icon is no SVG",
        "latin1/README.md:2: this is not UTF-8: store the file as UTF-8",
        "pipe/icon.svg: this is no file",
        "readme-gone/README.md: the file cannot be read",
        "linked/template.toml: the file is a link out",
    ] {
        assert!(found.iter().any(|one| one.starts_with(says)), "{says}: {found:#?}");
    }
}

#[test]
fn a_definition_without_a_folder_of_its_own_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("template.toml"), template("one")).unwrap();
    let reading = Catalogue::read(folder.path());
    let says = "template.toml: the file is in no folder of its own: move it into one that is called \
                like its id";
    assert_eq!(errors(&reading.faults), [says]);
}

#[test]
fn a_template_that_no_longer_parses_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "one", &template("one"));
    put(folder.path(), "two", &template("two"));
    let first = Catalogue::read(folder.path()).catalogue;
    put(folder.path(), "one", "broken");
    fs::remove_dir_all(folder.path().join("two")).unwrap();
    let second = first.reload(folder.path());
    assert_eq!(ids(&second.catalogue), ["one"], "what is gone is gone");
    assert_eq!(second.catalogue.get("one").unwrap().digest, first.get("one").unwrap().digest);
    assert_eq!(second.faults.len(), 1, "{:?}", second.faults);
    let third = second.catalogue.reload(&folder.path().join("nowhere"));
    assert_eq!(ids(&third.catalogue), ["one"]);
    assert!(third.faults[0].message.contains("cannot be read"));
}

#[test]
fn a_template_whose_folder_cannot_be_read_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "one", &template("one"));
    let first = Catalogue::read(folder.path()).catalogue;
    fs::remove_dir_all(folder.path().join("one")).unwrap();
    // A mount that is being replaced leaves links that lead nowhere for a moment.
    symlink("nowhere", folder.path().join("one")).unwrap();
    let second = first.reload(folder.path());
    assert_eq!(ids(&second.catalogue), ["one"]);
    let found = errors(&second.faults);
    assert!(found[0].starts_with("one: the folder cannot be read: "), "{found:?}");
}

#[test]
fn there_are_at_most_200_templates() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..201 {
        put(folder.path(), &format!("t{n:03}"), &template(&format!("t{n:03}")));
    }
    let reading = Catalogue::read(folder.path());
    assert_eq!(reading.catalogue.iter().count(), 200);
    assert_eq!(errors(&reading.faults), ["t200: there are more than 200 templates: remove some"]);
}

#[test]
fn a_file_that_was_half_written_spoils_no_version() {
    let folder = tempfile::tempdir().unwrap();
    let whole = template("one");
    let (half, _) = whole.rsplit_once("[[parameter]]").unwrap();
    put(folder.path(), "one", half);
    let first = Catalogue::read(folder.path());
    assert_eq!(first.faults, [], "the half is a template as well");
    put(folder.path(), "one", &whole);
    let second = first.catalogue.reload(folder.path());
    assert_eq!(second.faults, []);
    assert!(second.catalogue.get("one").unwrap().template.parameter("api_key").is_some());
}

#[test]
fn a_version_that_is_used_has_one_content_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let write = |version: &str, summary: &str| {
        let text =
            template("one").replace("version = \"1.0.0\"", &format!("version = \"{version}\""));
        put(folder.path(), "one", &text.replace("Every kind of question.", summary));
    };
    write("1.0.0", "First.");
    let mut first = Catalogue::read(folder.path()).catalogue;
    let used = first.get("one").unwrap().reference();
    first.remember(used.clone());
    write("1.0.0", "Changed.");
    let changed = first.reload(folder.path());
    assert!(changed.faults[0].message.contains("write another `version`"), "{:?}", changed.faults);
    assert_eq!(changed.catalogue.get("one").unwrap().digest, first.get("one").unwrap().digest);
    write("1.1.0", "Changed.");
    let second = changed.catalogue.reload(folder.path());
    assert_eq!(second.faults, []);
    write("1.0.0", "Changed.");
    let again = second.catalogue.reload(folder.path());
    assert_eq!(again.faults.len(), 1, "an older version, too: {:?}", again.faults);
    write("1.0.0", "First.");
    assert_eq!(again.catalogue.reload(folder.path()).faults, [], "the first content is back");
    let mut known = Catalogue::default();
    known.remember(TemplateRef { digest: String::from("another digest"), ..used });
    assert_eq!(known.reload(folder.path()).faults.len(), 1);
}

#[test]
fn who_is_offered_a_template_may_change_without_a_new_version() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "one", &template("one"));
    let first = Catalogue::read(folder.path()).catalogue;
    put(folder.path(), "one", &template("one").replace("port =", "groups = [\"staff\"]\nport ="));
    let second = first.reload(folder.path());
    assert_eq!(second.faults, []);
    assert_eq!(second.catalogue.get("one").unwrap().offer.groups, ["staff"]);
}

#[test]
fn one_template_is_the_default() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "one", &template("one"));
    let only = Catalogue::read(folder.path()).catalogue;
    assert_eq!(only.default_entry().unwrap().template.id, "one");
    put(folder.path(), "two", &template("two").replace("port =", "default = true\nport ="));
    put(folder.path(), "zoo", &template("zoo").replace("port =", "default = true\nport ="));
    let reading = Catalogue::read(folder.path());
    assert_eq!(ids(&reading.catalogue), ["one", "two", "zoo"]);
    assert_eq!(reading.catalogue.default_entry().unwrap().template.id, "two");
    assert_eq!(errors(&reading.faults).len(), 1);
    assert!(reading.faults[0].to_string().starts_with("zoo/template.toml: two is the default"));
}

#[test]
fn the_built_in_templates_have_no_faults_and_ask_every_kind_of_question() {
    let reading = Catalogue::built_in();
    assert_eq!(reading.faults, []);
    assert_eq!(ids(&reading.catalogue), ["chat", "notebook", "workflow"]);
    assert_eq!(reading.catalogue.default_entry().unwrap().template.id, "notebook");
    let mut kinds: Vec<&str> = Vec::new();
    for entry in reading.catalogue.iter() {
        assert!(entry.icon.is_some());
        kinds.extend(entry.template.parameters.iter().map(|one| <&str>::from(&one.kind)));
    }
    for kind in ["string", "text", "number", "boolean", "choice", "list", "secret"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn the_newer_version_of_a_built_in_template_asks_something_new() {
    let first = Catalogue::built_in().catalogue;
    let next = first.next_built_in();
    assert_eq!(next.faults, []);
    let of = |catalogue: &Catalogue| catalogue.get("workflow").unwrap().template.clone();
    let (older, newer) = (of(&first), of(&next.catalogue));
    assert_eq!((older.version.as_str(), newer.version.as_str()), ("1.0.0", "2.0.0"));
    assert!(older.parameter("parallel").is_none() && newer.parameter("parallel").is_some());
    assert_eq!(next.catalogue.get("chat").unwrap().digest, first.get("chat").unwrap().digest);
}
