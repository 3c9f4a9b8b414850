//! The writer of the log with failing outputs.

use std::io::{self, ErrorKind, Write};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use super::{CAPACITY, LossyWriter, start};
use crate::server::settings::LogFormat;

const LINE: &[u8] = b"{\"message\":\"a line\"}\n";

/// An output that does what each `Turn` says, and then takes everything.
#[derive(Clone)]
struct Output {
    turns: Arc<Mutex<Vec<Turn>>>,
    written: Arc<Mutex<Vec<u8>>>,
}

enum Turn {
    Fails(ErrorKind),
    TakesHalf,
    Stalls(Receiver<()>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let turn = self.turns.lock().unwrap().pop();
        let taken = match turn {
            Some(Turn::Fails(kind)) => return Err(kind.into()),
            Some(Turn::TakesHalf) => &bytes[..bytes.len() / 2],
            Some(Turn::Stalls(until)) => {
                until.recv().ok();
                bytes
            }
            None => bytes,
        };
        self.written.lock().unwrap().extend(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lets `log` write to an output, and returns the lines that reached it.
fn lines(mut turns: Vec<Turn>, format: LogFormat, log: impl FnOnce(LossyWriter)) -> Vec<String> {
    turns.reverse();
    let output = Output { turns: Arc::new(Mutex::new(turns)), written: Arc::default() };
    let (writer, guard) = start(output.clone(), format);
    log(writer);
    drop(guard);
    let written = output.written.lock().unwrap().clone();
    String::from_utf8(written).unwrap().lines().map(ToOwned::to_owned).collect()
}

fn write(writer: &LossyWriter, count: usize) {
    for _ in 0..count {
        writer.clone().write_all(LINE).unwrap();
    }
}

fn lost(line: &str) -> u64 {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["log.lost"].as_u64().unwrap()
}

#[test]
fn lines_that_cannot_be_written_are_counted_and_told_when_it_works_again() {
    for kind in [ErrorKind::StorageFull, ErrorKind::BrokenPipe, ErrorKind::FileTooLarge] {
        let turns = vec![Turn::Fails(kind), Turn::Fails(kind), Turn::Fails(kind)];
        let lines = lines(turns, LogFormat::Json, |writer| write(&writer, 5));
        // The report itself may have been the third line that failed.
        let told: u64 =
            lines.iter().filter(|line| line.contains("log.lost")).map(|l| lost(l)).sum();
        let kept = lines.iter().filter(|line| line.as_bytes() == LINE.trim_ascii_end()).count();
        assert_eq!(told + kept as u64, 5, "{kind}: {lines:?}");
        assert!((2..=3).contains(&told), "{kind}: {lines:?}");
    }
}

#[test]
fn a_line_that_was_cut_short_does_not_spoil_the_next() {
    let turns = vec![Turn::TakesHalf, Turn::Fails(ErrorKind::StorageFull)];
    let lines = lines(turns, LogFormat::Json, |writer| {
        write(&writer, 1);
        write(&writer, 1);
    });
    assert_eq!(lines[0].len(), LINE.len() / 2, "{lines:?}");
    assert!(lines[1..].iter().any(|line| line.as_bytes() == LINE.trim_ascii_end()), "{lines:?}");
    assert!(lines[1..].iter().any(|line| line.contains("log.lost")), "{lines:?}");
}

#[test]
fn while_the_reader_stalls_the_writer_goes_on_and_later_tells_what_was_lost() {
    let (redirect_or_refuse, until) = mpsc::channel();
    let beyond = 1000;
    let room = CAPACITY / LINE.len();
    let lines = lines(vec![Turn::Stalls(until)], LogFormat::Json, |writer| {
        write(&writer, room + beyond);
        redirect_or_refuse.send(()).unwrap();
    });
    let (told, kept): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.contains("log.lost"));
    assert_eq!(kept.len(), room);
    assert_eq!(told.iter().map(|line| lost(line)).sum::<u64>(), beyond as u64);
}

#[test]
fn what_takes_nothing_for_now_is_tried_again() {
    let turns = vec![Turn::Fails(ErrorKind::WouldBlock), Turn::Fails(ErrorKind::Interrupted)];
    let lines = lines(turns, LogFormat::Pretty, |writer| write(&writer, 1));
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn a_reader_that_never_reads_does_not_hold_the_end_up() {
    let (_never, until) = mpsc::channel();
    let lines = lines(vec![Turn::Stalls(until)], LogFormat::Json, |writer| write(&writer, 1));
    assert_eq!(lines, Vec::<String>::new());
}
