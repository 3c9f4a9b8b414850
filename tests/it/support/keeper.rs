//! A shell that runs servers for the tests, and ends with them.
//!
//! It waits for orders on a pipe that only the test process holds. However that process ends, even
//! by SIGKILL, the pipe closes and the shell stops what it has started.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A shell that runs a script; the script reads its orders from its standard input.
pub(crate) struct Keeper {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    /// Starts `command`, a script's interpreter with the script and its arguments.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            // It gets its own process group: Ctrl-C ends only the tests, and the closed pipe then
            // ends the shell.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, orders, answers }
    }

    /// Sends an order and waits for its answer: one line, which is empty after success.
    pub(crate) fn order(&mut self, order: &str) -> Result<(), String> {
        writeln!(self.orders.as_mut().unwrap(), "{order}").map_err(|error| error.to_string())?;
        match self.answer().as_str() {
            "" => Ok(()),
            problem => Err(problem.to_owned()),
        }
    }

    /// Waits for the next line of the script's output.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        let length = self.answers.read_line(&mut line).unwrap();
        assert!(length > 0, "the script ended, see above");
        line.trim_end().to_owned()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.child.wait().ok();
    }
}
