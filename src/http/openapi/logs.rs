//! The descriptions of the routes of logs.

use axum::http::StatusCode;
use domain::refusal::RefusalCode as Code;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::content::ContentBuilder;

use super::described::{Described, Group, header};
use super::lives::of_own_stack;
use super::schema::{integer, one_of_texts, text};

pub(in crate::http) fn log(it: Described) -> Described {
    of_log(it.named(
        "getLog",
        Group::Stacks,
        "Read the log of a stack",
        "Returns the last lines that the container of a live stack wrote, each with its time. Secrets \
         of the stack are masked. It needs the right to change the stack.",
    ))
    .query("tail", "The number of lines, at most 10,000. By default 200, or all for a download.", integer())
    .query("since", "The time of the oldest line (RFC 3339), or its age, such as `10m`.", text())
    .query("search", "Only lines with this text, in capitals or not.", text())
    .query("download", "With `1`, the answer is a file.", one_of_texts(["0", "1"]))
    .answers_text("text/plain; charset=utf-8", "The lines.")
}

pub(in crate::http) fn log_stream(it: Described) -> Described {
    let content = ContentBuilder::new().schema(Some(text()));
    let stream = ResponseBuilder::new()
        .description(
            "The events. Each `line` has `<container>:<time>` in `id`, and `time`, `text` and, if its \
             end is left out, `cut` in its data. `container` says that the lines of another container \
             follow, and `gap` how many lines are left out (`skipped`): those beyond 2,000 within a \
             second, and those that the caller did not read in time. A comment every 15 seconds keeps \
             the connection open. The stream ends when the caller may not read the log any more.",
        )
        .header("X-Accel-Buffering", header("`no`: a proxy must not hold events back."))
        .content("text/event-stream", content.build());
    of_log(it.named(
        "streamLog",
        Group::Stacks,
        "Watch the log of a stack",
        "Sends the last lines of the log as server-sent events, and those to come. After a lost \
         connection, it continues after the last line, as far as lines are kept.",
    ))
    .query("tail", "The number of lines to begin with, at most 10,000. By default 200.", integer())
    .query("after", "The id of the last line that the caller has.", text())
    .header("Last-Event-ID", "The id of the last line that the caller has.", text())
    .responds(StatusCode::OK, stream)
    .refuses([Code::TooManyStreams])
}

fn of_log(it: Described) -> Described {
    of_own_stack(it).refuses([Code::NoLog, Code::LogUnavailable, Code::SecretsLost])
}
