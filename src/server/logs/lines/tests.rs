//! What is shown of the text of a log, however it is split.

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;

const AT: &str = "2026-11-28T17:08:13.935908053Z";

fn masks(secrets: &[String]) -> Masks {
    let secrets: Vec<_> = secrets.iter().map(|text| SecretString::from(text.as_str())).collect();
    Masks::new(&secrets)
}

fn read(chunks: &[&str], secrets: &[&str]) -> Vec<LogLine> {
    let secrets: Vec<_> = secrets.iter().map(|text| (*text).to_owned()).collect();
    let masks = masks(&secrets);
    LineReader::new(&masks).read_all(&"one".into(), chunks.iter().copied(), &masks)
}

/// Reads one line with this text.
fn shown(text: &str, secrets: &[&str]) -> LogLine {
    let lines = read(&[&format!("{AT} {text}\r\n")], secrets);
    assert_eq!(lines.len(), 1, "{text:.100}");
    lines[0].clone()
}

#[test]
fn a_line_loses_what_controls_a_terminal_and_then_its_secrets() {
    for (text, expected) in [
        ("plain", "plain"),
        ("", ""),
        (
            "\u{1b}[31mred\u{1b}[0m \u{1b}[2Jclear \r progress 10%\r progress 20%",
            "red clear   progress 10%  progress 20%",
        ),
        ("a\0b\u{7}c\u{200b}d\te", "abcd e"),
        ("hun\u{1b}[1mter2\u{1b}[0m!", "***!"),
        ("hun\u{200b}ter2", "***"),
        ("hun\u{1b}]0;title\u{7}ter2", "***"),
    ] {
        let line = shown(text, &["hunter2"]);
        assert_eq!((line.text.as_str(), line.is_cut), (expected, false), "{text:?}");
        assert_eq!(line.at, AT.parse().unwrap());
    }
}

#[test]
fn a_long_line_is_cut_and_a_secret_at_the_cut_is_masked() {
    let line = shown(&"x".repeat(LONGEST_LINE + 1), &[]);
    assert_eq!((line.text.len(), line.is_cut), (LONGEST_LINE, true));
    let line = shown(&"x".repeat(LONGEST_LINE), &[]);
    assert_eq!((line.text.len(), line.is_cut), (LONGEST_LINE, false));
    for before in LONGEST_LINE - 8..=LONGEST_LINE {
        // Docker repeats the time within the secret.
        let text = "x".repeat(before) + "hunter2 and more";
        let (first, rest) = text.split_at(LONGEST_LINE);
        let line = shown(&format!("{first}{AT} {rest}"), &["hunter2"]);
        assert!(line.is_cut && !line.text.contains('h') && !line.text.contains('2'), "{before}");
    }
}

#[test]
fn an_endless_line_takes_bounded_memory_and_shows_no_part_of_a_secret() {
    let masks = masks(&["hunter2".to_owned()]);
    let mut reader = LineReader::new(&masks);
    reader.read(AT, |_| panic!("it has no end"));
    reader.read(" ", |_| panic!("it has no end"));
    for _ in 0..10_000 {
        // Nearly nothing of it is visible.
        reader.read("\u{1b}[31m\u{1b}[32m\u{1b}[33mhunter2", |_| panic!("it has no end"));
    }
    assert!(reader.begun.len() <= reader.most, "{}", reader.begun.len());
    let mut lines = Vec::new();
    reader.read("\r\n", |line| lines.extend(line.shown(&"one".into(), &masks)));
    assert!(lines[0].is_cut && lines[0].text.chars().all(|c| c == '*'), "{:?}", lines[0]);
    assert!(reader.begun.is_empty());
}

#[test]
fn what_has_no_time_is_no_line() {
    assert_eq!(read(&["Error response from daemon: No such container\r\n"], &[]), []);
    assert_eq!(read(&[AT], &[])[0].text, "");
}

/// Puts a text between the characters of another.
fn between(text: &str, other: &str) -> String {
    text.chars().map(|c| c.to_string()).collect::<Vec<_>>().join(other)
}

/// Returns what a secret may look like in a log.
fn written(secret: &str, form: u8) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    match form {
        0 => secret.to_owned(),
        1 => STANDARD.encode(secret),
        2 => percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC)
            .to_string(),
        3 => between(secret, "\u{1b}[0m\u{1b}[31m"),
        _ => between(secret, "\u{200b}"),
    }
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn however_a_log_is_split_no_secret_passes(
        secrets in proptest::collection::vec("[a-zA-Z0-9!/+=ü]{6,24}", 1..4),
        lines in proptest::collection::vec(
            proptest::collection::vec(("[ .,:;<>\u{1b}\r\t]{0,12}", 0..4_usize, 0..5_u8), 0..5), 1..5
        ),
        padding in prop::sample::select(vec![0, 5, LONGEST_LINE - 10, LONGEST_LINE + 3]),
        cuts in proptest::collection::vec(0..70_000_usize, 0..12),
    ) {
        let mut text = String::new();
        for parts in &lines {
            text.extend([AT, " ", &".".repeat(padding)]);
            for (between, which, form) in parts {
                text += &written(&secrets[which % secrets.len()], *form);
                text += between;
            }
            text += "\r\n";
        }
        let mut cuts: Vec<_> =
            cuts.into_iter().map(|cut| text.floor_char_boundary(cut % (text.len() + 1))).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let chunks: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let masks = masks(&secrets);
        let mut reader = LineReader::new(&masks);
        let shown = reader.read_all(&"one".into(), chunks.iter().copied(), &masks);
        let whole = LineReader::new(&masks).read_all(&"one".into(), [text.as_str()], &masks);
        prop_assert_eq!(&shown, &whole, "the splitting does not matter");
        prop_assert_eq!(shown.len(), lines.len());
        for line in shown {
            for secret in &secrets {
                for form in 0..3 {
                    let written = written(secret, form);
                    prop_assert!(!line.text.contains(&written), "{} in {}", written, line.text);
                }
            }
        }
    }
}
