//! The starter: starts deployments, even if the portal is killed during the request.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use super::board::Board;
use super::watcher::{Recall, WatchedEvents, watch};
use crate::support::process::try_exchange;

/// The number of concurrent deployments.
const AT_ONCE: usize = 6;
const PAUSE: Duration = Duration::from_millis(20);

/// A requested deployment.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) name: String,
    key: String,
    /// The portal's answer.
    body: String,
}

/// The deployments that were started, and what their watchers saw.
pub(crate) struct Story {
    pub(crate) asked: Vec<Asked>,
    pub(crate) watched: Vec<WatchedEvents>,
}

/// Starts deployments until it is told to stop.
pub(crate) struct Starter {
    board: Arc<Board>,
    port: u16,
    asked: Vec<Asked>,
    watchers: Vec<JoinHandle<Option<WatchedEvents>>>,
}

impl Starter {
    pub(crate) fn new(board: Arc<Board>, port: u16) -> Self {
        Self { board, port, asked: Vec::new(), watchers: Vec::new() }
    }

    /// Starts deployments while `goes_on` returns `true`, a few at once. It reuses the names of
    /// rolled-back deployments, which must be free.
    pub(crate) fn run(mut self, goes_on: impl Fn() -> bool) -> Self {
        while goes_on() && !self.board.is_given_up() {
            if !self.board.wait(PAUSE * 10, |known| known.count() < AT_ONCE) {
                continue;
            }
            let number = self.asked.len();
            let free = number.is_multiple_of(2).then(|| self.board.take_free()).flatten();
            let name = free.unwrap_or_else(|| format!("stack-{number}"));
            match ask(self.port, name, format!("key-{number}"), &self.board) {
                Ok(asked) => self.follow(asked),
                Err(wrong) => self.board.object(wrong),
            }
        }
        self
    }

    /// Starts two watchers of a deployment.
    fn follow(&mut self, asked: Asked) {
        self.board.started(&asked.id, &asked.name);
        for recall in [Recall::LastEvent, Recall::Nothing] {
            let (board, port, id) = (Arc::clone(&self.board), self.port, asked.id.clone());
            board.came();
            self.watchers.push(thread::spawn(move || {
                let watched = watch(&id, port, recall, &board);
                let watched = watched.map_err(|wrong| board.object(wrong)).ok();
                board.went();
                watched
            }));
        }
        self.asked.push(asked);
    }

    /// Waits for the watchers, which have all seen an end by now.
    pub(crate) fn finish(self) -> Story {
        let watched = self.watchers.into_iter().map(|watcher| watcher.join().unwrap().unwrap());
        Story { asked: self.asked, watched: watched.collect() }
    }
}

impl Asked {
    /// Checks that a repeated request with the same idempotency key changes nothing.
    pub(crate) fn assert_happened_once(&self, port: u16, board: &Board) {
        let again = ask(port, self.name.clone(), self.key.clone(), board).unwrap();
        assert_eq!(again.body, self.body, "{}", self.key);
    }
}

/// Requests a deployment until there is a complete answer, always with the same idempotency key, so
/// that it starts once.
fn ask(port: u16, name: String, key: String, board: &Board) -> Result<Asked, String> {
    let body = format!("{{\"name\":\"{name}\"}}");
    let request = format!(
        "POST /api/deploy HTTP/1.0\r\nHost: x\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    while !board.is_given_up() {
        match whole(try_exchange(port, &request)) {
            Some((201, body)) => {
                let answer: Value = serde_json::from_str(&body).map_err(|e| e.to_string())?;
                let id = answer["deploymentId"].as_str().ok_or("no id")?.to_owned();
                return Ok(Asked { id, name, key, body });
            }
            // The portal or the platform is down.
            None | Some((503, _)) => thread::sleep(PAUSE),
            Some((status, body)) => return Err(format!("{name} was answered {status}: {body}")),
        }
    }
    Err(format!("{name} was never accepted"))
}

/// Returns the status and the body of a complete answer.
fn whole(answer: io::Result<String>) -> Option<(u16, String)> {
    let answer = answer.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    })?;
    (body.len() == length).then(|| (status, body.to_owned()))
}
