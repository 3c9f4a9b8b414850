//! The faults of a file: each is found at its line, with what to write instead.

use catalogue::{Fault, Severity, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::{ALL, definition};

/// The smallest template, as lines that cases replace.
const LEAST: &str = "\
[template]
id = \"all\"
name = \"All\"
summary = \"All of it.\"
version = \"1.0.0\"
image = \"sandbox/all:1.0.0\"
port = 8080
first_access = \"none-needed\"
[[health]]
path = \"/health\"
";

fn faults(text: &str) -> Vec<Fault> {
    parse(text, "all/template.toml").map_or_else(|faults| faults, |definition| definition.warnings)
}

/// Asserts that the only fault of `text` is on this line and says this.
fn assert_fault(text: &str, line: usize, says: &str) {
    let found = faults(text);
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{text}\n{lines:#?}");
    assert_eq!(found[0].line, Some(line), "{text}\n{lines:#?}");
    assert!(found[0].message.contains(says), "{text}\n{lines:#?}");
}

#[test]
fn the_smallest_template_has_no_faults() {
    assert_eq!(definition(LEAST).warnings, []);
}

#[test]
fn each_line_of_the_head_is_checked() {
    for (line, instead, says) in [
        (2, "id = \"other\"", "write id = \"all\""),
        (2, "id = 5", "text in quotes"),
        (2, "idd = \"all\"", "write `id`"),
        (3, "name = \"\"", "1 to 60"),
        (3, "name = { nl = \"Alles\" }", "has no `en`"),
        (3, "name = { en = \"All\", Dutch = \"Alles\" }", "such as en or pt-BR"),
        (3, "name = 5", "{ en ="),
        (4, "summary = \"a\\nb\"", "one line"),
        (4, "", "has no `summary`"),
        (5, "version = \"1 0\"", "1.0.0"),
        (6, "image = \"sandbox/all\"", "full version or a digest"),
        (6, "image = \"sandbox/all:latest\"", "full version or a digest"),
        (6, "image = \"sandbox/all:v1\"", "full version or a digest"),
        (6, "image = \"localhost:5000/all\"", "full version or a digest"),
        (6, "image = \"a b\"", "no reference"),
        (6, "image = \"sandbox/All:1.0.0\"", "no reference"),
        (6, "image = \"a/:1.0\"", "no reference"),
        (6, "image = \"a::1.0\"", "no reference"),
        (6, "image = \"a:1.0:2\"", "no reference"),
        (6, "image = \"a//b:1.0\"", "no reference"),
        (6, "image = \"a/b.:1.0\"", "no reference"),
        (6, "image = \"a/b..c:1.0\"", "no reference"),
        (6, "image = \"a/b._c:1.0\"", "no reference"),
        (6, "image = \"a.b:+80/c:1.0\"", "no reference"),
        (6, "image = \"a:\"", "no reference"),
        (6, "image = \"a:.1.0\"", "no reference"),
        (6, "image = \"host:port/a:1.0\"", "no reference"),
        (6, "image = \"a@sha256:12\"", "64 hexadecimal"),
        (7, "port = 0", "1 to 65535"),
        (7, "port = 70000", "1 to 65535"),
        (7, "port = \"80\"", "1 to 65535"),
        (8, "first_access = \"open\"", "none-needed"),
        (8, "first_access = \"password:pw\"", "no parameter"),
        (10, "path = \"//x\"", "one slash"),
        (10, "path = \"/a b\"", "no spaces"),
        (10, "pth = \"/\"", "write `path`"),
    ] {
        let mut lines: Vec<_> = LEAST.lines().collect();
        lines[line - 1] = instead;
        let text = lines.join("\n");
        let found = faults(&text);
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        // A required key that is missing is reported at its section.
        let at = |fault: &Fault| fault.line == Some(line) || instead.is_empty();
        let is_found = found.iter().any(|fault| at(fault) && fault.message.contains(says));
        assert!(is_found, "{instead}: {shown:#?}");
        let is_warning = says.contains("full version");
        let is_refused = parse(&text, "all/template.toml").is_err();
        assert_ne!(is_refused, is_warning, "{instead}: {shown:#?}");
        assert!(found.iter().all(|one| (one.severity == Severity::Warning) == is_warning));
    }
}

#[test]
fn images_that_name_one_release_are_no_warning() {
    let digest = format!("a@sha256:{}", "0a".repeat(32));
    for image in [
        "ghcr.io/a/b:1.2.3",
        "Registry.example:5000/a/b_c/d-e.f:1.2.3_RC",
        "localhost/a__b/c--d:1.2.3",
        "a:v1.2",
        "localhost:5000/a:2024-01-02",
        "a:20240102",
        "a:1.2-alpine",
        digest.as_str(),
    ] {
        let text = LEAST.replace("sandbox/all:1.0.0", image);
        assert_eq!(definition(&text).warnings, [], "{image}");
    }
}

#[test]
fn each_part_besides_the_questions_is_checked() {
    for (added, line, says) in [
        ("[tmplate]\n", 11, "unknown key `tmplate`"),
        ("[env]\nPATH = \"/bin\"\n", 12, "reserved"),
        ("[env]\nSTACK_X = \"a\"\n", 12, "reserved"),
        ("[env]\nLD_PRELOAD = \"a\"\n", 12, "reserved"),
        ("[env]\n\"A B\" = \"a\"\n", 12, "cannot name a variable"),
        ("[env]\nA = 5\n", 12, "text in quotes"),
        ("[env]\nA = \"a\\u0007\"\n", 12, "control character"),
        ("[env]\nA = \"a\\u0085\"\n", 12, "control character"),
        ("[env]\nA = \"a\\r\"\n", 12, "control character"),
        ("[env]\nA = \"${{project.X}}\"\n", 12, "${{"),
        ("[env]\nA = \"'`\\\"\"\n", 12, "quotes"),
        ("[healthcheck]\ncommand = [\"curl\"]\n", 12, "CMD-SHELL"),
        ("[healthcheck]\ncommand = [\"CMD\", \"{{x}}\"]\n", 12, "{{"),
        ("[[health]]\npath = \"/\"\naccept = [\"5xx\"]\n", 13, "2xx"),
        ("[[health]]\npath = \"/\"\naccept = []\n", 13, "2xx"),
        ("[[size]]\nid = \"S\"\ncpu = \"1\"\n", 12, "lower-case"),
        ("[[size]]\nid = \"s\"\n", 11, "`cpu` or `memory`"),
        ("[[size]]\nid = \"s\"\ncpu = \"0\"\n", 13, "0.01 to 1024"),
        ("[[size]]\nid = \"s\"\nmemory = \"2GB\"\n", 13, "MiB or GiB"),
        ("[[size]]\nid = \"s\"\nmemory = \"1MiB\"\n", 13, "from 6MiB"),
        ("[[size]]\nid = \"s\"\ncpu = 1\n[[size]]\nid = \"s\"\ncpu = 2\n", 15, "twice"),
        (
            "[[size]]\nid = \"s\"\ncpu = 1\ndefault = true\n[[size]]\nid = \"t\"\ncpu = 2\ndefault = true\n",
            15,
            "default",
        ),
        ("[[volume]]\nkey = \"a\"\npath = \"data\"\n", 13, "absolute"),
        ("[[volume]]\nkey = \"a\"\npath = \"/data/\"\n", 13, "absolute"),
        ("[[volume]]\nkey = \"a\"\npath = \"/data/../etc\"\n", 13, "absolute"),
        ("[[volume]]\nkey = \"a\"\npath = \"/etc/app\"\n", 13, "system"),
        ("[[volume]]\nkey = \"a\"\npath = \"/\"\n", 13, "system"),
        ("[[volume]]\nkey = \"a\"\npath = \"/var\"\n", 13, "system"),
        (
            "[[volume]]\nkey = \"a\"\npath = \"/d\"\n[[volume]]\nkey = \"a\"\npath = \"/e\"\n",
            15,
            "twice",
        ),
        (
            "[[volume]]\nkey = \"a\"\npath = \"/d\"\n[[volume]]\nkey = \"b\"\npath = \"/d\"\n",
            16,
            "in one another",
        ),
        (
            "[[volume]]\nkey = \"a\"\npath = \"/d/e\"\n[[volume]]\nkey = \"b\"\npath = \"/d\"\n",
            16,
            "in one another",
        ),
        ("[volume]\nkey = \"a\"\n", 11, "[[volume]]"),
        ("a =\n", 11, "not TOML"),
    ] {
        assert_fault(&format!("{LEAST}{added}"), line, says);
    }
    for (added, says) in [
        ("inherit_env = [\"PATH\"]", "reserved"),
        ("inherit_env = \"A\"", "list of texts"),
        ("groups = [\"a\", \"a\"]", "twice"),
        ("groups = [\"\"]", "1 to 200"),
        ("links = [{ label = \"a\", path = \"//x\" }]", "one slash"),
        ("links = [{ label = \"a\", path = \"x\" }]", "one slash"),
        ("links = [{ path = \"/\" }]", "has no `label`"),
        ("default = 1", "true or false"),
        ("command = [\"a\", \"${{b}}\"]", "{{"),
    ] {
        assert_fault(&LEAST.replace("port =", &format!("{added}\nport =")), 7, says);
    }
}

/// Returns a template with one question.
fn asking(lines: &str) -> String {
    format!("{LEAST}[[parameter]]\nkey = \"a\"\nlabel = \"A\"\n{lines}")
}

#[test]
fn each_line_of_a_question_is_checked() {
    for (lines, line, says) in [
        ("type = \"strng\"\nenv = \"A\"", 14, "string, text, number"),
        ("type = \"string\"", 11, "has no `env`"),
        ("type = \"string\"\nenv = \"PATH\"", 15, "reserved"),
        ("type = \"string\"\nenv = \"A\"\nstep = 1", 16, "unknown key `step`"),
        ("type = \"string\"\nenv = \"A\"\nmin = 0", 16, "1 or more"),
        ("type = \"string\"\nenv = \"A\"\nmin = 5\nmax = 2", 16, "more than `max`"),
        ("type = \"string\"\nenv = \"A\"\nmax = 5000", 16, "at most 1000"),
        ("type = \"string\"\nenv = \"A\"\nmax = 1.5", 16, "whole number"),
        ("type = \"string\"\nenv = \"A\"\npattern = \"\\\\d+\"", 16, "[0-9]"),
        ("type = \"string\"\nenv = \"A\"\npattern = \"(a+)+\"", 16, "more than one way"),
        ("type = \"string\"\nenv = \"A\"\nmax = 2\ndefault = \"abc\"", 17, "at most 2 characters"),
        ("type = \"string\"\nenv = \"A\"\ndefault = \"\"", 16, "An answer is required"),
        ("type = \"string\"\nenv = \"A\"\ndefault = 5", 16, "must be a text"),
        ("type = \"string\"\nenv = \"A\"\ndefault = 1979-05-27", 16, "must be a text, a number"),
        ("type = \"string\"\nenv = \"A\"\ndefault = \"a\"\nfrom = \"person.name\"", 16, "both"),
        ("type = \"string\"\nenv = \"A\"\nfrom = \"person.age\"", 16, "person.email"),
        ("type = \"string\"\nenv = \"A\"\nfrom = \"generate:32\"", 16, "only a secret"),
        ("type = \"secret\"\nenv = \"A\"\nfrom = \"generate:8\"", 16, "16 to 128"),
        ("type = \"secret\"\nenv = \"A\"\nfrom = \"person.name\"", 16, "type = \"string\""),
        ("type = \"secret\"\nenv = \"A\"\nfrom = \"generate:32\"\nmax = 20", 16, "between"),
        (
            "type = \"secret\"\nenv = \"A\"\nfrom = \"generate:32\"\npattern = \"[a-z]+\"",
            16,
            "pattern",
        ),
        (
            "type = \"secret\"\nenv = \"A\"\nfrom = \"generate:32\"\nrequired = true",
            17,
            "leave `required`",
        ),
        ("type = \"secret\"\nenv = \"A\"\ndefault = \"x\"", 16, "everybody could read"),
        ("type = \"string\"\nenv = \"A\"\nmultiline = true", 16, "write type = \"text\""),
        ("type = \"secret\"\nenv = \"A\"\nmultiline = 1", 16, "true or false"),
        ("type = \"boolean\"\nrequired = true", 15, "always has an answer"),
        ("type = \"boolean\"\ndefault = \"yes\"", 15, "true or false"),
        ("type = \"number\"\nenv = \"A\"\nstep = 0", 16, "more than 0"),
        ("type = \"number\"\nenv = \"A\"\nstep = 2\nmin = 1", 17, "multiple of `step`"),
        ("type = \"number\"\nenv = \"A\"\nmin = 3\nmax = 2", 16, "more than `max`"),
        (
            "type = \"number\"\nenv = \"A\"\nstep = 0.000001\nmax = 1000000000",
            17,
            "999999999.999999",
        ),
        ("type = \"number\"\nenv = \"A\"\nmin = inf", 16, "6 decimal places"),
        ("type = \"number\"\nenv = \"A\"\nmin = 0x10", 16, "6 decimal places"),
        ("type = \"number\"\nenv = \"A\"\nmin = 0.0000001", 16, "6 decimal places"),
        ("type = \"number\"\nenv = \"A\"\nmax = 5\ndefault = 6", 17, "5 or less"),
        ("type = \"choice\"\nchoices = []", 15, "1 to 200"),
        ("type = \"choice\"", 11, "1 to 200"),
        ("type = \"choice\"\nchoices = [{ value = \"a\" }, { value = \"a\" }]", 15, "twice"),
        ("type = \"choice\"\nchoices = [{ value = \"\" }]", 15, "1 to 1000"),
        (
            "type = \"choice\"\nchoices = [{ value = \"a\" }]\ndefault = \"b\"",
            16,
            "none of the choices",
        ),
        ("type = \"list\"\nenv = \"A\"\nseparator = \"--\"", 16, "must be one of"),
        ("type = \"list\"\nenv = \"A\"\nitem = { patern = \"a\" }", 16, "write `pattern`"),
        ("type = \"list\"\nenv = \"A\"\nmax = 1001", 16, "at most 1000 items"),
        ("type = \"list\"\nenv = \"A\"\ndefault = [\"a,b\"]", 16, "Item 1"),
        ("type = \"boolean\"\nwhen = { key = \"b\", equals = true }", 15, "no earlier parameter"),
        ("type = \"boolean\"\nwhen = { key = \"b\" }", 15, "has no `equals`"),
        ("type = \"boolean\"\nenv = \"A\"\n[env]\nA = \"a\"", 15, "set twice"),
    ] {
        assert_fault(&asking(lines), line, says);
    }
}

#[test]
fn a_misspelt_key_is_named_beside_the_one_that_is_missing() {
    let found = faults(&asking("type = \"choice\"\nchoices = [{ valeu = \"a\" }]"));
    let messages: Vec<_> = found.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:#?}");
    assert!(messages.iter().any(|message| message.contains("has no `value`")), "{messages:#?}");
    assert!(messages.iter().any(|message| message.contains("write `value`")), "{messages:#?}");
}

#[test]
fn the_rules_between_questions_are_checked() {
    let two = |first: &str, second: &str| {
        asking(&format!("{first}\n[[parameter]]\nlabel = \"B\"\nkey = {second}"))
    };
    for (text, line, says) in [
        (two("type = \"boolean\"", "\"a\"\ntype = \"boolean\""), 17, "twice"),
        (two("type = \"boolean\"", "\"size\"\ntype = \"boolean\""), 17, "another field"),
        (two("type = \"boolean\"", "\"B\"\ntype = \"boolean\""), 17, "lower-case"),
        (
            two("type = \"boolean\"\nenv = \"A\"", "\"b\"\ntype = \"boolean\"\nenv = \"A\""),
            20,
            "set twice",
        ),
        (
            two(
                "type = \"boolean\"",
                "\"b\"\ntype = \"boolean\"\nwhen = { key = \"a\", equals = 1 }",
            ),
            19,
            "true or false",
        ),
        (
            two(
                "type = \"text\"\nenv = \"A\"",
                "\"b\"\ntype = \"boolean\"\nwhen = { key = \"a\", equals = \"x\" }",
            ),
            20,
            "boolean, a choice",
        ),
        (
            two(
                "type = \"choice\"\nchoices = [{ value = \"x\" }]",
                "\"b\"\ntype = \"boolean\"\nwhen = { key = \"a\", equals = \"y\" }",
            ),
            20,
            "none of the choices",
        ),
    ] {
        assert_fault(&text, line, says);
    }
    for (lines, says) in [
        ("type = \"string\"\nenv = \"A\"", "type = \"secret\""),
        ("type = \"secret\"\nenv = \"A\"\nmin = 8", "from = \"generate:32\""),
        ("type = \"secret\"\nenv = \"A\"\nfrom = \"generate:32\"", "min = 8"),
    ] {
        let text = asking(lines).replace("none-needed", "password:a");
        let found = faults(&text);
        assert!(
            found.iter().any(|fault| fault.line == Some(11) && fault.message.contains(says)),
            "{text}"
        );
    }
    let many = (0..65)
        .map(|n| format!("[[parameter]]\nkey = \"k{n}\"\nlabel = \"K\"\ntype = \"boolean\"\n"));
    assert_fault(&format!("{LEAST}{}", many.collect::<String>()), 1, "more than 64");
}

#[test]
fn all_faults_are_reported_at_once_and_none_twice() {
    let text = "[template]\nid = \"all\"\nprot = 5\n[[parameter]]\nkey = \"A\"\ntype = \"number\"\nmin = \"a\"\n";
    let lines: Vec<_> = faults(text).iter().map(|fault| fault.line.unwrap()).collect();
    assert_eq!(lines, [1, 1, 1, 1, 1, 1, 1, 3, 4, 4, 5, 7], "{:#?}", faults(text));
}

#[test]
fn a_file_that_is_too_large_or_too_deep_is_refused() {
    assert!(faults(&format!("{LEAST}#{}", " ".repeat(256 * 1024)))[0].message.contains("256 KiB"));
    assert!(!faults(&format!("a = {}", "[".repeat(10_000))).is_empty());
    assert!(faults(&format!("a = {}1{}", "[".repeat(10_000), "]".repeat(10_000))).len() < 60);
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn whatever_text_is_parsed_without_a_panic(text in "\\PC{0,80}|[a-z\\[\\]={}\"'\n.0-9,]{0,80}") {
        prop_assert!(parse(&text, "all/template.toml").is_err());
    }

    #[test]
    fn a_template_with_changes_anywhere_is_parsed_without_a_panic(
        changes in proptest::collection::vec((
            any::<Index>(), 0_usize..40,
            select(vec!["", "\"", "=", "[", "]]", "{", "0", "-1", "true", "\n", "é", "key", "\\", "min = 1\n"]),
        ), 1..4)
    ) {
        let mut text = ALL.to_owned();
        for (at, length, instead) in changes {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, instead);
            }
        }
        match parse(&text, "all/template.toml") {
            Ok(definition) => {
                let json = definition.template.to_json().unwrap();
                prop_assert_eq!(domain::template::Template::from_json(&json).unwrap(), definition.template);
            }
            Err(faults) => {
                let lines = text.lines().count() + 1;
                prop_assert!(faults.iter().any(Fault::is_error));
                prop_assert!(faults.iter().all(|fault| fault.line.is_some_and(|line| line <= lines)));
            }
        }
    }
}
