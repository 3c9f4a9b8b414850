//! The faults between questions: keys, variables, conditions, and the password of the first access.

use crate::faults::{LEAST, asking, assert_fault, faults};

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
fn a_condition_on_a_question_that_cannot_be_asked_says_which_one_to_name() {
    let three = |first: &str, when: &str| {
        let question = |key: &str, lines: &str| {
            format!("[[parameter]]\nlabel = \"Q\"\nkey = \"{key}\"\ntype = {lines}\n")
        };
        let second = format!("\"boolean\"\nwhen = {{ key = \"{when}\", equals = true }}");
        let all = [("shared", first), ("second", &second), ("later", "\"boolean\"")];
        format!("{LEAST}{}", all.map(|(key, lines)| question(key, lines)).concat())
    };
    assert_eq!(faults(&three("\"boolean\"", "shared")), []);
    for (when, says) in [
        ("shard", "no earlier parameter: write \"shared\""),
        ("later", "no earlier parameter: put it before"),
        ("second", "depend on itself"),
        ("other", "no earlier parameter: add it before"),
    ] {
        assert_fault(&three("\"boolean\"", when), 19, says);
    }
    // Only the question itself has to be mended.
    assert_fault(&three("\"bool\"", "shared"), 14, "cannot be \"bool\"");
}
